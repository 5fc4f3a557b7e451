"""The product beside what one would use instead, in one run: the same people, the same local platform.

    python -m benchmarks.queue_side_by_side [people] [people of the kill test] [names …]

Speed: messages a second and CPU seconds per 10,000 (the database or Redis server's included, the platform's and the
imports' not), without any pace, and the product at its ceiling of 300/s too. Then the same with ``kill -9`` in the
middle, three times: who got it twice, who never, and of whom the program does not know that they did. The others
have no pace for a Page, no rules and no ledger of states; waiting times after a crash are set far below what they
ship with (30 s, 60 s), so that they come back within seconds.
"""

from __future__ import annotations

import json
import os
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

import psutil
from sqlalchemy import func, select

from benchmarks.databases import database
from benchmarks.queue_campaign import make
from benchmarks.queue_platform import ask, running
from broadcaster.clock import SystemClock
from broadcaster.queue.launch import launch
from broadcaster.queue.ledger import ROWS
from broadcaster.store import connect

KILLS = 3
LATENCY_MS = 20.0
"""Of the platform in the kill test, so that something is on its way."""


@dataclass(frozen=True)
class Contestant:
    name: str
    module: str
    action: str = "work"
    server: str = ""
    how: tuple[str, ...] = ()

    @property
    def ours(self) -> bool:
        return self.module == "queue_campaign"


CONTESTANTS = (
    Contestant("Broadcaster, batches of 50, 300/s", "queue_campaign"),
    Contestant("Broadcaster, single calls, 300/s", "queue_campaign", how=("single",)),
    Contestant("Broadcaster, batches of 50, no pace", "queue_campaign", how=("unpaced",)),
    Contestant("Broadcaster, single calls, no pace", "queue_campaign", how=("unpaced", "single")),
    Contestant("facebook-business, loop", "queue_peer_sdk", "loop"),
    Contestant("facebook-business, batches of 50", "queue_peer_sdk", "batch"),
    Contestant("huey on SQLite, 32 threads", "queue_peer_huey"),
    Contestant("dramatiq on Redis, 32 threads", "queue_peer_dramatiq", server="redis"),
    Contestant("procrastinate on PostgreSQL, 32", "queue_peer_procrastinate", server="postgres"),
)


class Run:
    """One contestant on a workspace of its own."""

    def __init__(
        self, one: Contestant, folder: str, platform: str, people: int, server: dict[str, str]
    ) -> None:
        self._one, self._people = one, people
        self._env = {**os.environ, "BENCH_FOLDER": folder, "BENCH_PLATFORM": platform, **server}
        self._url = f"sqlite:///{folder}/bench.db"
        self._platform = platform

    def fill(self) -> None:
        if self._one.ours:
            store, campaign = make(self._url, self._people, self._platform, 300)
            launch(store, SystemClock(), campaign, "a")
            store.close()
        else:
            subprocess.run(self._command("fill"), env=self._env, check=True, stdout=subprocess.DEVNULL)

    def start(self) -> subprocess.Popen[str]:
        return subprocess.Popen(
            self._command(self._one.action), env=self._env, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
            text=True,
        )  # fmt: skip

    def recorded(self) -> int:
        """People of whom the program itself knows that they got it."""
        if not self._one.ours:
            code = "from benchmarks.queue_recipients import recorded; print(recorded())"
            return int(subprocess.check_output([sys.executable, "-c", code], env=self._env))
        store = connect(self._url)
        with store.read() as conn:
            found = conn.execute(select(func.count(ROWS.c.message_id))).scalar_one()
        store.close()
        return found

    def _command(self, action: str) -> list[str]:
        module = [sys.executable, "-m", f"benchmarks.{self._one.module}"]
        return (
            [*module, self._url, *self._one.how] if self._one.ours else [*module, action, str(self._people)]
        )


@contextmanager
def serving(kind: str, folder: str) -> Iterator[tuple[dict[str, str], psutil.Process | None]]:
    """The server a queue stands on: what to tell the queue, and the process to count."""
    if kind == "redis":
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            port = str(free.getsockname()[1])
        options = ["--port", port, "--bind", "127.0.0.1", "--dir", folder, "--appendonly", "yes"]
        process = subprocess.Popen(["redis-server", *options], stdout=subprocess.DEVNULL)
        time.sleep(0.5)
        try:
            yield {"BENCH_REDIS_PORT": port}, psutil.Process(process.pid)
        finally:
            process.terminate()
            process.wait()
    elif kind == "postgres":
        with database("postgres", folder) as url:
            pid = int((Path(folder) / "postgres" / "postmaster.pid").read_text().split("\n")[0])
            yield {"BENCH_POSTGRES": url.replace("+psycopg", "")}, psutil.Process(pid)
    else:
        yield {}, None


def cpu_of(server: psutil.Process | None) -> float:
    """CPU seconds of a server with its children, those that have ended too."""
    if server is None:
        return 0.0
    own = server.cpu_times()
    living = [one.cpu_times() for one in server.children(recursive=True)]
    return sum(one.user + one.system for one in [own, *living]) + own.children_user + own.children_system


def speed(one: Contestant, people: int) -> str:
    with ExitStack() as stack:
        folder = stack.enter_context(tempfile.TemporaryDirectory())
        platform = stack.enter_context(running())
        told, server = stack.enter_context(serving(one.server, folder))
        run = Run(one, folder, platform, people, told)
        run.fill()
        before = cpu_of(server)
        out = run.start().communicate()[0]
        cpu = json.loads(out.splitlines()[-1])["cpu"] + cpu_of(server) - before
        seen = ask(platform, "report")
    assert (seen["people"], seen["duplicates"]) == (people, 0), (one.name, seen)
    return (
        f"{one.name:38s} {(people - 1) / seen['seconds']:8,.0f} messages/s "
        f"{cpu / people * 10_000:7.2f} CPU s per 10,000   most in a second {seen['most_in_a_second']:6,d}"
    )


def killed(one: Contestant, people: int) -> str:
    with ExitStack() as stack:
        folder = stack.enter_context(tempfile.TemporaryDirectory())
        platform = stack.enter_context(running(LATENCY_MS))
        told, _ = stack.enter_context(serving(one.server, folder))
        run = Run(one, folder, platform, people, told)
        run.fill()
        work = run.start()
        for kill in range(1, KILLS + 1):
            while work.poll() is None and ask(platform, "report")["people"] < people * kill // (KILLS + 1):
                time.sleep(0.01)
            work.kill()
            work.wait()
            work = run.start()
        began = time.monotonic()
        work.communicate()
        seconds, seen, known = time.monotonic() - began, ask(platform, "report"), run.recorded()
    return (
        f"{one.name:38s} twice {seen['duplicates']:4d}   never {people - seen['people']:4d}   "
        f"sent, not known {seen['people'] - known:4d}   ended {seconds:5.1f} s after the last kill"
    )


def main(people: int, to_kill: int, names: list[str]) -> None:
    chosen = [one for one in CONTESTANTS if not names or any(name in one.name for name in names)]
    if shutil.which("redis-server") is None:
        print("dramatiq is left out: no redis-server is installed on this machine.")
        chosen = [one for one in chosen if one.server != "redis"]
    for one in chosen if people else ():
        print(speed(one, people), flush=True)
    for one in chosen if to_kill else ():
        if "unpaced" in one.how:
            continue  # hundreds would be in doubt at each kill, and two conversations a second are read
        print(killed(one, to_kill), flush=True)


if __name__ == "__main__":
    numbers = [int(one) for one in sys.argv[1:] if one.isdigit()]
    main(*[*numbers, *(3000, 2000)[len(numbers) :]], [one for one in sys.argv[1:] if not one.isdigit()])
