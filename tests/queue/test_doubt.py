"""Doubt: every cause of it is a state of its own, never retried blindly, settled by proof or by a person."""

from __future__ import annotations

import random
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import update

from broadcaster.errors import BadInput
from broadcaster.queue import control, receipts
from broadcaster.queue.facts import EchoFact
from broadcaster.queue.ledger import ROWS
from broadcaster.queue.progress import doubts
from broadcaster.queue.settle import MAX_READS
from broadcaster.sandbox import Fault
from broadcaster.states import CampaignState
from tests.queue.conftest import PEOPLE
from tests.queue.floor import Floor, Held, Inline

CAUSES = {
    "time-out": (Fault("slow", seconds=0.6), 10, "no answer within 0.3 s"),
    "connection lost": (Fault("drop"), 10, "the connection was lost before the answer came"),
    "5xx without an error": (Fault("http_error", status=502), 10, "HTTP 502 without a reason"),
    "null in a batch": (Fault("null"), 100, "not completed in its batch"),
    "1/1357046": (Fault("invalid_json"), 10, "Answer of Meta unreadable (1/1357046)"),
}


def in_doubt(floor: Floor, made: int) -> Any:
    return next((row for row in floor.rows(made) if row.state == "unconfirmed"), None)


def order(floor: Floor, cause: str, accepted: bool) -> tuple[int, str]:
    """A campaign with one message in doubt for that cause."""
    fault, throttle, words = CAUSES[cause]
    floor.timeout = 0.3
    given = Fault(fault.kind, psid=floor.psid(0), count=1, accepted=accepted, seconds=fault.seconds)
    given.status = fault.status
    floor.sandbox.faults.order(given)
    made = floor.campaign(throttle_per_second=throttle)
    floor.until(lambda: in_doubt(floor, made) is not None, each=timedelta(milliseconds=100))
    return made, words


@pytest.mark.parametrize("accepted", [True, False], ids=["arrived", "did not"])
@pytest.mark.parametrize("cause", CAUSES)
def test_each_cause_of_doubt_is_settled_by_reading_the_conversation(
    floor: Floor, cause: str, accepted: bool
) -> None:
    if cause == "1/1357046":
        accepted = True  # so it is always there
    made, words = order(floor, cause, accepted)
    row = in_doubt(floor, made)
    assert (row.reason, row.attempt, row.psid) == (words, 1, floor.psid(0))
    floor.turns(4, timedelta(milliseconds=100))
    assert in_doubt(floor, made).attempt == 1  # nothing is tried before it is known
    floor.finish(made)
    row = next(row for row in floor.rows(made) if row.psid == floor.psid(0))
    assert (row.state, row.attempt) == ("sent", 1 if accepted else 2)
    assert row.message_id in {entry.mid for entry in floor.sandbox.ledger()}
    assert floor.reached().count(floor.psid(0)) == 1
    assert floor.counts(made).sent == PEOPLE


@pytest.mark.parametrize("arrived", [True, False])
def test_a_crash_between_intent_and_result(floor: Floor, arrived: bool) -> None:
    floor.lanes = held = Held()
    made = floor.campaign()
    floor.until(lambda: len(held.jobs) == PEOPLE, each=timedelta(milliseconds=100))
    if arrived:
        held.go()
    floor.crash()
    floor.lanes = Inline()
    assert floor.engine.on_the_wire == 0
    assert "12 messages are in doubt and looked up, 0 wait again" in str(floor.engine.took_over)
    rows = floor.rows(made)
    assert {row.state for row in rows} == {"unconfirmed"}
    assert {row.reason for row in rows} == {"The program ended while the message was on its way."}
    floor.finish(made, most=2000)
    assert {row.attempt for row in floor.rows(made)} == {1 if arrived else 2}
    assert sorted(floor.reached()) == sorted({row.psid for row in rows})


def all_in_doubt(floor: Floor) -> None:
    """Twelve messages whose sender died between intent and call."""
    floor.lanes = held = Held()
    floor.campaign()
    floor.until(lambda: len(held.jobs) == PEOPLE, each=timedelta(milliseconds=100))
    floor.crash()


@pytest.mark.parametrize("seed", range(5))
def test_readings_that_begin_late_keep_the_platforms_pace(floor: Floor, seed: int) -> None:
    all_in_doubt(floor)
    floor.lanes, chance = Held(), random.Random(seed)
    read = floor.sandbox.page.limits.meters["conversations"]
    for _ in range(1500):
        floor.turns(1, timedelta(milliseconds=20))
        if chance.random() < 0.04:
            floor.lanes.go()
    assert read.peak == 2
    assert floor.sandbox.page.limits.limited_until == 0


def test_what_a_killed_sender_read_just_now_counts_in_the_platforms_second(floor: Floor) -> None:
    all_in_doubt(floor)
    floor.lanes = Inline()
    read = floor.sandbox.page.limits.meters["conversations"]
    for _ in range(4):
        floor.until(lambda: read.count() == 2, each=timedelta(milliseconds=20))
        floor.crash()
        floor.turns(60, timedelta(milliseconds=20))
    assert read.peak == 2


def test_an_echo_settles_it_at_once_without_reading(floor: Floor) -> None:
    floor.settle_seconds = 3600.0
    made, _ = order(floor, "connection lost", True)
    entry = next(entry for entry in floor.sandbox.ledger() if entry.psid == floor.psid(0))
    with floor.store.write() as conn:
        receipts.apply(conn, 1, [EchoFact(entry.metadata, entry.mid, entry.accepted_at, entry.psid)])
    assert in_doubt(floor, made) is None
    assert floor.row(made, 0).message_id
    floor.finish(made)


def test_a_missing_echo_proves_nothing(floor: Floor) -> None:
    floor.sandbox.faults.order(Fault("error", target="conversations", code=100))
    made, _ = order(floor, "connection lost", False)
    floor.finish(made, most=4000)
    row = in_doubt(floor, made)
    assert (row.attempt, row.settle_at, row.settle_reads) == (1, None, MAX_READS)
    assert floor.counts(made).unconfirmed == 1
    assert floor.psid(0) not in floor.reached()
    assert row.reason  # and says why it stayed open


def test_a_network_that_is_gone_uses_up_no_reading(floor: Floor) -> None:
    made, _ = order(floor, "connection lost", True)
    there, floor.url = floor.url, "http://127.0.0.1:9"
    floor.forget_clients()
    floor.turns(600, timedelta(seconds=2))
    row = in_doubt(floor, made)
    assert row.settle_reads == 0 and row.settle_at is not None
    assert "does not answer" in str(floor.engine.silence)
    floor.url = there
    floor.forget_clients()
    floor.finish(made)
    assert floor.engine.silence is None
    assert floor.counts(made).sent == PEOPLE


def test_a_platform_that_answers_nothing_sensible_does_not_put_everybody_in_doubt(floor: Floor) -> None:
    floor.sandbox.faults.order(Fault("http_error", status=502, count=8))
    made = floor.campaign(throttle_per_second=10)
    floor.turns(10, timedelta(milliseconds=200))
    assert floor.counts(made).unconfirmed <= 6
    assert "HTTP 502" in str(floor.engine.silence)
    floor.finish(made, most=2000)
    assert floor.counts(made).sent == PEOPLE == len(set(floor.reached())) == len(floor.reached())


# -- what a person decides


def left_open(floor: Floor) -> tuple[int, int]:
    floor.sandbox.faults.order(Fault("error", target="conversations", code=100))
    made, _ = order(floor, "connection lost", False)
    floor.until(lambda: in_doubt(floor, made).settle_at is None, most=4000)
    return made, in_doubt(floor, made).id


def decide(floor: Floor, row: int, decision: control.Decision) -> int:
    with floor.store.write() as conn:
        return control.resolve_unconfirmed(conn, [row], decision, "anna", floor.clock.now())


def test_a_person_is_told_what_is_known(floor: Floor) -> None:
    made, row = left_open(floor)
    with floor.store.read() as conn:
        (doubt,) = doubts(conn, made)
    assert (doubt.id, doubt.psid, doubt.looked, doubt.settle_at) == (row, floor.psid(0), MAX_READS, None)
    assert doubt.cause and doubt.intent_at


def test_counted_as_sent(floor: Floor) -> None:
    made, row = left_open(floor)
    assert decide(floor, row, "sent") == 1
    assert floor.counts(made).sent == PEOPLE
    assert decide(floor, row, "sent") == 0  # there is no doubt any more


def test_left_in_doubt_a_late_echo_still_settles_it(floor: Floor) -> None:
    made, row = left_open(floor)
    assert decide(floor, row, "leave") == 1
    assert floor.counts(made).unconfirmed == 1
    key = next(each.wire_key for each in floor.rows(made) if each.id == row)
    with floor.store.write() as conn:
        receipts.apply(conn, 1, [EchoFact(key, "m_late", floor.clock.now(), floor.psid(0))])
    assert floor.counts(made).sent == PEOPLE


def test_sent_again_in_a_running_campaign(floor: Floor) -> None:
    made, _ = order(floor, "connection lost", False)
    row, last = in_doubt(floor, made).id, floor.rows(made)[-1].id
    with floor.store.write() as conn:
        conn.execute(
            update(ROWS).where(ROWS.c.id == last).values(due_at=floor.clock.now() + timedelta(days=1))
        )
    assert decide(floor, row, "again") == 1
    floor.until(lambda: next(each.state for each in floor.rows(made) if each.id == row) == "sent")
    assert next(each.attempt for each in floor.rows(made) if each.id == row) == 2
    assert floor.get(made).state == CampaignState.RUNNING


def test_sent_again_after_the_end_makes_a_new_campaign(floor: Floor) -> None:
    made, row = left_open(floor)
    floor.sandbox.faults.clear()
    floor.finish(made)
    assert decide(floor, row, "again") == 1
    assert floor.counts(made).failed == 1
    again = control.retry_failed(floor.store, made, "Again", "anna", floor.clock.now())
    assert floor.get(again).state == CampaignState.DRAFT
    assert floor.get(again).parent_id == made
    with pytest.raises(BadInput):
        control.retry_failed(floor.store, made, "Again 2", "anna", floor.clock.now(), codes=[(551, None)])


def test_what_is_proven_absent_after_a_cancel_is_cancelled(floor: Floor) -> None:
    made, _ = order(floor, "connection lost", False)
    control.cancel(floor.store, made, "anna", floor.clock.now())
    floor.until(lambda: in_doubt(floor, made) is None)
    assert next(row.state for row in floor.rows(made) if row.psid == floor.psid(0)) == "cancelled"
    assert floor.psid(0) not in floor.reached()
