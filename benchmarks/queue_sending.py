"""Sending at the ceiling of 300/s, and without it: pace by the platform's own count, CPU of the sender.

    python -m benchmarks.queue_sending [people] [messages a second]

Bars: at least 285/s sustained at 300, never above 300 in any one-second window, 2.0 CPU seconds per 10,000 with
batches of 50, 9 with single calls (which the product makes up to 40/s).
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile

from benchmarks.queue_campaign import make
from benchmarks.queue_platform import ask, running
from broadcaster.clock import SystemClock
from broadcaster.queue.launch import launch


def send(people: int, per_second: float) -> None:
    with tempfile.TemporaryDirectory() as folder, running() as platform:
        url = f"sqlite:///{folder}/bench.db"
        store, campaign = make(url, people, platform, per_second)
        launch(store, SystemClock(), campaign, "a")
        store.close()
        out = subprocess.run(
            [sys.executable, "-m", "benchmarks.queue_campaign", url],
            stdout=subprocess.PIPE,
            text=True,
            check=True,
        ).stdout
        found, seen = json.loads(out.splitlines()[-1]), ask(platform, "report")
    assert (seen["people"], seen["duplicates"]) == (people, 0), seen
    print(
        f"{people} at {per_second:g}/s: {(people - 1) / seen['seconds']:.1f}/s, at most {seen['most_in_a_second']} "
        f"in any second, {seen['calls']} calls, {found['cpu'] / people * 10_000:.2f} CPU s per 10,000 "
        f"({found['cpu_all']:.2f} s in all with imports), {found['memory_mb']:.0f} MB"
    )


if __name__ == "__main__":
    send(int(sys.argv[1]) if len(sys.argv) > 1 else 9000, float(sys.argv[2]) if len(sys.argv) > 2 else 300.0)
