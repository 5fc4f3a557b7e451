"""Recovery after kill -9 in the middle of a campaign: from the start of the new process to its first message.

    python -m benchmarks.queue_recovery [people] [kills]

Bar: 2 s, imports and the taking over of what the dead process held included.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
import time

from sqlalchemy import func, select

from benchmarks.queue_campaign import make
from benchmarks.queue_platform import ask, running
from broadcaster.clock import SystemClock
from broadcaster.queue.launch import launch
from broadcaster.queue.ledger import ROWS
from broadcaster.states import DeliveryState
from broadcaster.store import Store

PER_SECOND = 300
SENT_BEFORE_KILL = 900


def wait_for(platform: str, accepted: int) -> None:
    while ask(platform, "report")["accepted"] < accepted:
        time.sleep(0.05)


def in_doubt(store: Store) -> int:
    with store.read() as conn:
        query = select(func.count()).where(ROWS.c.state == DeliveryState.UNCONFIRMED)
        return conn.execute(query.select_from(ROWS)).scalar_one()


def main(people: int = 200_000, kills: int = 5) -> None:
    with tempfile.TemporaryDirectory() as folder, running(50) as platform:
        url = f"sqlite:///{folder}/bench.db"
        store, campaign = make(url, people, platform, PER_SECOND)
        launch(store, SystemClock(), campaign, "a")
        command = [sys.executable, "-m", "benchmarks.queue_campaign", url]
        work = subprocess.Popen(command)
        wait_for(platform, SENT_BEFORE_KILL)
        took = []
        for _ in range(kills):
            work.kill()
            work.wait()
            killed = time.time()
            work = subprocess.Popen(command)
            before = ask(platform, "report")["accepted"]
            wait_for(platform, before + SENT_BEFORE_KILL)
            took.append(ask(platform, f"first_after?{killed}")["at"] - killed)
        work.kill()
        work.wait()
        seen = ask(platform, "report")
        assert seen["duplicates"] == 0, seen
        print(
            f"{people} in the ledger, {kills} kills: sending again after {', '.join(f'{one:.2f}' for one in took)} s; "
            f"{seen['accepted']} sent, none twice, at most {seen['most_in_a_second']} in any second, "
            f"{in_doubt(store)} in doubt"
        )
        store.close()


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))
