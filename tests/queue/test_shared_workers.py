"""Workers on PostgreSQL: one pace that counts calls from when they begin, and no waiting for each other."""

from __future__ import annotations

import threading
import time
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import func, select, text, update

from broadcaster.queue.budget import Calls, SharedBudget
from broadcaster.queue.membership import HEARTBEAT, LEASES, Worker
from broadcaster.queue.pacing import ANSWERED_WITHIN
from broadcaster.store import Store

KEY, COST, ALL = "page:1", 0.1, 10
PAUSE = 0.3


def let_pass(store: Store, seconds: float) -> None:
    """As if so much time had gone by since everything that is noted."""
    with store.write() as conn:
        name, pace = conn.execute(select(LEASES.c.name, LEASES.c.pace)).one()
        moved: dict[str, Any] = {
            "grants": [[at - seconds, *rest] for at, *rest in pace["grants"]],
            "free_at": pace["free_at"] - seconds,
        }
        conn.execute(update(LEASES).where(LEASES.c.name == name).values(pace=moved))


def room(store: Store, budget: SharedBudget) -> int:
    with store.write() as conn:
        return budget.grant(conn, KEY, COST, ALL)


def taken(store: Store, budget: SharedBudget, count: int = ALL, calls: int = 1) -> Calls:
    """A grant that was taken whole, for so many calls."""
    with store.write() as conn:
        assert budget.grant(conn, KEY, COST, count) == count
        return budget.take(conn, KEY, COST, count, calls)


def instant(store: Store) -> float:
    """Now, by the server's clock."""
    with store.read() as conn:
        return float(conn.execute(select(func.extract("epoch", func.clock_timestamp()))).scalar_one())


def told(store: Store, budget: SharedBudget) -> float:
    """From when on the only grant counts for all, once its worker told of it."""
    with store.write() as conn:
        budget.tell(conn)
    with store.read() as conn:
        [[at, *_]] = conn.execute(select(LEASES.c.pace)).scalar_one()["grants"]
    return float(at)


def test_calls_that_begin_late_hold_their_share_for_every_worker(postgres_store: Store) -> None:
    here, there = SharedBudget(), SharedBudget()
    calls = taken(postgres_store, here)
    let_pass(postgres_store, 5.0)
    assert room(postgres_store, there) == 0, "granted, but on its way at any moment"
    calls.begins()
    calls.answered(0.0)
    told(postgres_store, here)
    assert room(postgres_store, there) == 0, "begun within the last second"
    let_pass(postgres_store, 1.1)
    assert room(postgres_store, there) == ALL


def test_a_worker_tells_of_its_calls_with_its_next_grant(postgres_store: Store) -> None:
    here, there = SharedBudget(), SharedBudget()
    calls = taken(postgres_store, here, count=4)
    calls.begins()
    calls.answered(0.0)
    let_pass(postgres_store, 5.0)
    with postgres_store.write() as conn:
        assert here.grant(conn, KEY, COST, ALL) == ALL - 4
        here.take(conn, KEY, COST, 2, calls=0)
    let_pass(postgres_store, 1.1)
    assert room(postgres_store, there) == ALL


def test_a_look_at_the_pace_that_takes_nothing_does_not_lose_what_is_to_tell(postgres_store: Store) -> None:
    here, there = SharedBudget(), SharedBudget()
    calls = taken(postgres_store, here)
    calls.begins()
    calls.answered(0.0)
    assert room(postgres_store, here) == 0
    told(postgres_store, here)
    let_pass(postgres_store, 1.1)
    assert room(postgres_store, there) == ALL


@pytest.mark.parametrize("busy", ["another holds the lock", "long between grant and take"])
def test_a_call_is_never_told_sooner_than_it_began(postgres_store: Store, busy: str) -> None:
    here, there, held = SharedBudget(), SharedBudget(), threading.Event()

    def hold() -> None:
        with postgres_store.write() as conn:
            there.grant(conn, KEY, COST, ALL)
            held.set()
            time.sleep(PAUSE)

    assert room(postgres_store, here) == ALL
    if busy.startswith("another"):
        threading.Thread(target=hold).start()
        assert held.wait(10)
    with postgres_store.write() as conn:
        here.grant(conn, KEY, COST, ALL)
        if busy.startswith("long"):
            time.sleep(PAUSE)
        calls = here.take(conn, KEY, COST, ALL, calls=1)
    begun = instant(postgres_store)
    calls.begins()
    assert told(postgres_store, here) >= begun


def test_what_a_worker_that_died_had_under_way_may_still_arrive(postgres_store: Store) -> None:
    here, there = SharedBudget(), SharedBudget()
    calls = taken(postgres_store, here)
    calls.begins()
    told(postgres_store, here)
    let_pass(postgres_store, ANSWERED_WITHIN / 2)
    assert room(postgres_store, there) == 0
    let_pass(postgres_store, ANSWERED_WITHIN / 2)
    assert room(postgres_store, there) == ALL


def test_a_call_that_arrives_late_is_told_with_its_answer(postgres_store: Store) -> None:
    here = SharedBudget()
    calls = taken(postgres_store, here)
    calls.begins()
    began = told(postgres_store, here)
    time.sleep(PAUSE)
    back = instant(postgres_store)
    calls.answered(0.0)
    assert began < back <= told(postgres_store, here)


def test_answers_as_quick_as_ever_change_nothing(postgres_store: Store) -> None:
    here = SharedBudget()
    calls = taken(postgres_store, here, calls=2)
    for _ in range(2):
        calls.begins()
    calls.answered(60.0)
    began = told(postgres_store, here)
    calls.answered(60.0)
    assert told(postgres_store, here) == began


def test_two_workers_late_with_their_heartbeat_do_not_wait_for_each_other(postgres_store: Store) -> None:
    first, second = Worker(postgres_store, "first"), Worker(postgres_store, "second")
    for worker in (first, second):
        worker.join()
    with postgres_store.write() as conn:
        late = round(2 * HEARTBEAT / timedelta(milliseconds=1))
        conn.execute(text("UPDATE lease SET expires_at = expires_at - :late"), {"late": late})
    with postgres_store.write() as one, postgres_store.write() as other:
        for conn in (one, other):
            conn.execute(text("SET LOCAL lock_timeout = '2s'"))
        assert first.beat(one)
        assert second.beat(other)
        first.recover(one, timedelta(seconds=120))
        second.recover(other, timedelta(seconds=120))
    with postgres_store.read() as conn:
        assert set(conn.execute(select(LEASES.c.owner)).scalars()) == {"first", "second"}
