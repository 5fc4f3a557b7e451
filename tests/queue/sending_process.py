"""A sender as a process of its own, for tests that kill it: ``python -m tests.queue.sending_process JSON``.

Sends from the database until the campaign has ended, or dies by SIGKILL at the n-th time of a step.
"""

from __future__ import annotations

import json
import os
import signal
import sys
import threading
import time
from collections import Counter
from datetime import timedelta
from pathlib import Path

from broadcaster.campaigns import catalogue
from broadcaster.clock import SystemClock
from broadcaster.events import EventHub
from broadcaster.graph.client import GraphClient
from broadcaster.queue import membership, steps
from broadcaster.queue.sender import Sender
from broadcaster.settings import Settings
from broadcaster.states import CampaignState
from broadcaster.store import connect

SETTLE_SECONDS = 1.0
HEARTBEAT = timedelta(seconds=3)
LONGEST = 150.0
"""Seconds; conversations that a killed worker was reading are read again after 60."""


def main() -> None:
    order = json.loads(sys.argv[1])
    membership.HEARTBEAT, membership.BEAT_EVERY = HEARTBEAT, 1.0
    clock = SystemClock()
    store = connect(order["database"])
    client = GraphClient(
        order["url"], "v26.0", token=order["token"], page_graph_id=order["page"], timeout=5, clock=clock
    )
    steps.hook = _death(order.get("die_at"), order.get("times", 1))
    settings = Settings(Path(), "", graph_url=order["url"], settle_seconds=SETTLE_SECONDS)
    sender = Sender(store, {1: client}.__getitem__, clock, EventHub(), settings)
    sender.start()
    print("sending", flush=True)
    ends = time.monotonic() + LONGEST
    while time.monotonic() < ends:
        with store.read() as conn:
            if catalogue.get(conn, order["campaign"]).state == CampaignState.FINISHED:
                break
        time.sleep(0.05)
    steps.hook = None
    sender.stop()
    store.close()


def _death(name: str | None, times: int) -> steps.Callable[[str], None] | None:
    """A hook that ends this process as ``kill -9`` does; nothing is cleaned up."""
    seen: Counter[str] = Counter()
    lock = threading.Lock()

    def hook(step: str) -> None:
        with lock:
            seen[step] += 1
            if step == name and seen[step] == times:
                os.kill(os.getpid(), signal.SIGKILL)

    return hook if name else None


if __name__ == "__main__":
    main()
