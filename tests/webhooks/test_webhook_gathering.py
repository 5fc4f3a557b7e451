"""What comes together is stored and applied together: a burst costs few commits, and nothing of it waits for long."""

from __future__ import annotations

import threading
import time
from collections.abc import Sequence

import pytest

from broadcaster.clock import ManualClock
from broadcaster.events import EventHub
from broadcaster.store import Store
from broadcaster.webhooks import applier, writer
from broadcaster.webhooks.applier import Applier
from broadcaster.webhooks.writer import Writer


def test_posts_that_come_together_share_a_commit(
    sqlite_store: Store, clock: ManualClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(writer, "GATHER_SECONDS", 0.5)
    answered: list[Sequence[str]] = []
    stores: Writer[str] = Writer(
        sqlite_store, clock, lambda _new: None, lambda posts, _failure: answered.append(posts)
    )
    stores.start()
    stores.put([], "first")
    time.sleep(0.05)  # it gathers already
    stores.put([], "second")
    stores.stop()
    assert answered == [["first", "second"]]


@pytest.mark.parametrize(("dealt_with", "most"), [(applier.MANY, False), (applier.MANY - 1, True)])
def test_after_a_large_run_the_next_one_gathers_longer(
    sqlite_store: Store,
    clock: ManualClock,
    hub: EventHub,
    monkeypatch: pytest.MonkeyPatch,
    dealt_with: int,
    most: bool,
) -> None:
    began: list[float] = []
    twice = threading.Event()

    def apply_pending(*_given: object) -> int:
        began.append(time.monotonic())
        if len(began) == 2:
            twice.set()
        else:
            applies.kick()  # more came while it worked
        return dealt_with

    monkeypatch.setattr(applier, "apply_pending", apply_pending)
    monkeypatch.setattr(applier, "GATHER_SECONDS", 0.0)
    monkeypatch.setattr(applier, "MANY_GATHER_SECONDS", 2.0)
    applies = Applier(sqlite_store, clock, hub)
    applies.start()
    assert twice.wait(20)
    applies.stop()
    assert (began[1] - began[0] < 2.0) == most
