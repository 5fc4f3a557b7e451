"""The first few, a wait, a judgement, a ramp; the time to undo; the test send."""

from __future__ import annotations

from datetime import timedelta

import pytest
from sqlalchemy import func, select

from broadcaster.queue import control, receipts, trial
from broadcaster.queue.canary import RAMP, canary_size
from broadcaster.queue.facts import EchoFact
from broadcaster.queue.launch import launch
from broadcaster.queue.ledger import ROWS
from broadcaster.sandbox import Fault
from broadcaster.states import CampaignState, PauseCause
from broadcaster.store.tables import TestSend
from tests.queue.conftest import PEOPLE
from tests.queue.floor import Floor

FOUR = {"first": 4, "wait_minutes": 10, "max_failure_percent": 25}
MINUTE = timedelta(minutes=1)


@pytest.mark.parametrize(
    ("options", "people", "size"),
    [
        ({"first": 25}, 1000, 25),
        ({"first": 25}, 10, 10),
        ({"percent": 1}, 2398, 24),
        ({"percent": 1}, 30, 1),
    ],
)
def test_how_many_are_the_first_few(options: dict[str, float], people: int, size: int) -> None:
    assert canary_size(options, people) == size


def test_the_first_few_then_a_wait_then_the_rest(any_floor: Floor) -> None:
    made = any_floor.campaign(canary=FOUR)
    any_floor.until(lambda: any_floor.counts(made).sent == 4, each=timedelta(milliseconds=50))
    any_floor.turns(38, timedelta(seconds=14))
    assert len(any_floor.reached()) == 4
    assert any_floor.get(made).canary_passed_at is None
    any_floor.turns(8, timedelta(seconds=14))
    assert any_floor.get(made).canary_passed_at is not None
    any_floor.finish(made)
    assert any_floor.counts(made).sent == PEOPLE


def test_too_many_failures_stop_it_until_a_person_goes_on(floor: Floor) -> None:
    floor.sandbox.faults.order(Fault("error", code=551, count=2))
    made = floor.campaign(canary=FOUR)
    floor.until(lambda: floor.get(made).state == CampaignState.PAUSED, each=MINUTE)
    row = floor.get(made)
    assert row.pause_cause == PauseCause.CANARY
    assert "Of the first messages 50 % failed or are in doubt, more than allowed." in str(row.pause_text)
    assert floor.counts(made).waiting == PEOPLE - 4
    control.resume(floor.store, floor.clock, made, "anna")
    floor.finish(made)
    assert (floor.counts(made).sent, floor.counts(made).failed) == (PEOPLE - 2, 2)


def test_as_many_failures_as_allowed_do_not(floor: Floor) -> None:
    floor.sandbox.faults.order(Fault("error", code=551, count=1))
    made = floor.campaign(canary=FOUR)
    floor.until(lambda: floor.get(made).canary_passed_at is not None, each=MINUTE)
    floor.finish(made)


def test_those_sent_back_are_tried_again_before_anybody_new(floor: Floor) -> None:
    """While the platform stumbles the first few stay the first few, and nothing is judged."""
    floor.sandbox.faults.order(Fault("error", code=2, count=8))
    made = floor.campaign(canary=FOUR)
    floor.turns(60, timedelta(seconds=3))
    tried = {row.psid for row in floor.rows(made) if row.attempt}
    assert len(tried) == 4 == floor.counts(made).sent
    assert floor.get(made).canary_passed_at is None
    floor.until(lambda: floor.get(made).canary_passed_at is not None, each=MINUTE)


def test_doubts_are_waited_for_and_those_left_open_count_against_it(floor: Floor) -> None:
    floor.sandbox.faults.order(Fault("drop", accepted=False))
    floor.sandbox.faults.order(Fault("error", target="conversations", code=100))
    made = floor.campaign(canary=FOUR)
    floor.until(lambda: floor.get(made).state == CampaignState.PAUSED, each=MINUTE)
    assert "100 %" in str(floor.get(made).pause_text)
    assert floor.counts(made).unconfirmed == 4


def test_after_it_the_pace_ramps_up(floor: Floor) -> None:
    made = floor.campaign(canary={**FOUR, "wait_minutes": 0}, throttle_per_second=2)
    floor.until(lambda: floor.get(made).canary_passed_at is not None, each=timedelta(milliseconds=250))
    passed = floor.clock.now()
    floor.until(lambda: len(floor.reached()) == PEOPLE, each=timedelta(milliseconds=250))
    took = (floor.clock.now() - passed).total_seconds()
    assert 8 <= took <= 18  # eight more at a quarter of two a second, growing; four seconds at full pace


def test_failures_while_it_ramps_up_stop_it_too(floor: Floor) -> None:
    made = floor.campaign(canary={**FOUR, "first": 2, "wait_minutes": 0}, throttle_per_second=4)
    floor.until(lambda: floor.get(made).canary_passed_at is not None, each=timedelta(milliseconds=100))
    floor.sandbox.faults.order(Fault("error", code=551))
    floor.until(lambda: floor.get(made).state == CampaignState.PAUSED, each=timedelta(milliseconds=100))
    assert floor.get(made).pause_cause == PauseCause.CANARY
    passed = floor.get(made).canary_passed_at
    assert passed is not None and floor.clock.now() < passed + RAMP


# -- time to undo


def test_nothing_is_called_before_the_time_to_undo_is_over(any_floor: Floor) -> None:
    made = any_floor.campaign(undo_seconds=30)
    any_floor.turns(29, timedelta(seconds=1))
    assert any_floor.reached() == []
    any_floor.turns(3, timedelta(seconds=1))
    assert any_floor.reached()
    any_floor.finish(made)


def test_undoing_in_time_reaches_nobody(floor: Floor) -> None:
    made = floor.campaign(undo_seconds=30)
    floor.turns(20, timedelta(seconds=1))
    control.cancel(floor.store, made, "anna", floor.clock.now())
    floor.turns(30, timedelta(seconds=1))
    assert floor.counts(made).cancelled == PEOPLE
    assert floor.reached() == []


# -- the test send


def test_a_test_send_is_marked_and_outside_every_count(floor: Floor) -> None:
    made = floor.campaign(launched=False)
    result = trial.send_test(floor.store, floor.client(), floor.clock, made, floor.psid(3), actor="anna")
    assert result.outcome == "accepted"
    (entry,) = floor.sandbox.ledger()
    assert entry.metadata == trial.METADATA
    with floor.store.write() as conn:
        receipts.apply(conn, 1, [EchoFact(entry.metadata, entry.mid, floor.clock.now(), entry.psid)])
        assert conn.execute(select(func.count()).select_from(ROWS)).scalar_one() == 0
        kept = conn.execute(select(TestSend.__table__)).one()  # type: ignore[attr-defined]
    assert (kept.psid, kept.message_id, kept.outcome) == (floor.psid(3), entry.mid, "accepted")
    floor.engine.tick()
    control.cancel(floor.store, made, "anna", floor.clock.now())


def test_a_test_send_is_never_taken_for_the_campaigns_message(floor: Floor) -> None:
    """A doubt about the same text to the same person is not settled by the test."""
    made = floor.campaign(launched=False)
    trial.send_test(floor.store, floor.client(), floor.clock, made, floor.psid(0), actor="anna")
    floor.sandbox.faults.order(Fault("drop", psid=floor.psid(0), accepted=False, count=1))
    launch(floor.store, floor.clock, made, "anna")
    floor.finish(made)
    row = next(row for row in floor.rows(made) if row.psid == floor.psid(0))
    assert (row.state, row.attempt) == ("sent", 2)
    assert floor.reached().count(floor.psid(0)) == 2
    assert floor.counts(made).sent == PEOPLE
