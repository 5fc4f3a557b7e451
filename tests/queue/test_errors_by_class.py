"""What a refusal concerns decides what stops: the person, the message, the Page, nobody, or only the pace."""

from __future__ import annotations

from datetime import timedelta

import pytest
from sqlalchemy import func, select

from broadcaster.errors import RefusedByPolicy
from broadcaster.graph.errors import ErrorKind, classify
from broadcaster.graph.outcomes import Refusal
from broadcaster.pages.health import check_page
from broadcaster.queue import control
from broadcaster.queue.ledger import CONTACTS
from broadcaster.sandbox import Fault
from broadcaster.states import CampaignState, PauseCause
from tests.queue.conftest import PEOPLE
from tests.queue.floor import Floor


def unreachable(floor: Floor) -> int:
    with floor.store.read() as conn:
        return conn.execute(select(func.count()).where(CONTACTS.c.unreachable)).scalar_one()


# -- person


def test_a_person_fails_alone_and_is_marked_unreachable(any_floor: Floor) -> None:
    any_floor.sandbox.person(2).blocked = True
    first = any_floor.campaign("First")
    any_floor.finish(first)
    failed = [row for row in any_floor.rows(first) if row.state == "failed"]
    assert [(row.psid, row.error_code, row.attempt) for row in failed] == [(any_floor.psid(2), 551, 1)]
    assert failed[0].error_text
    assert unreachable(any_floor) == 1
    second = any_floor.campaign("Second")
    assert any_floor.get(second).reasons_at_launch == {"unreachable": 1}
    any_floor.finish(second)
    assert any_floor.counts(second).sent == PEOPLE - 1


# -- content


def test_the_same_failure_of_the_message_five_times_pauses_the_campaign(floor: Floor) -> None:
    floor.sandbox.faults.order(Fault("error", code=100, subcode=2018109))
    made = floor.campaign(throttle_per_second=10)
    floor.until(lambda: floor.get(made).state == CampaignState.PAUSED)
    row = floor.get(made)
    assert row.pause_cause == PauseCause.CONTENT
    assert "The same failure 5 times in a row: " in str(row.pause_text)
    counts = floor.counts(made)
    assert counts.failed == 5
    assert counts.waiting == PEOPLE - 5
    floor.sandbox.faults.clear()
    control.resume(floor.store, floor.clock, made, "anna")
    floor.finish(made)
    assert floor.counts(made).sent == PEOPLE - 5


def test_failures_of_the_message_that_are_not_in_a_row_pause_nothing(floor: Floor) -> None:
    for index in range(0, PEOPLE, 2):
        floor.sandbox.faults.order(Fault("error", code=100, subcode=2018109, psid=floor.psid(index)))
    made = floor.campaign(throttle_per_second=10)
    floor.finish(made)
    assert floor.counts(made).failed == PEOPLE // 2


# -- Page, token, app


@pytest.mark.parametrize(
    ("code", "subcode", "state"),
    [(190, 460, "token_invalid"), (10, 1893063, "restricted"), (3, None, "permission_missing")],
    ids=["token", "page", "app"],
)
def test_the_first_refusal_stops_every_campaign_of_the_page(
    any_floor: Floor, code: int, subcode: int | None, state: str
) -> None:
    assert classify(Refusal(code, subcode)).kind in (ErrorKind.TOKEN, ErrorKind.PAGE, ErrorKind.APP)
    any_floor.add_page(2, 3)
    one, two = any_floor.campaign("One"), any_floor.campaign("Two")
    elsewhere = any_floor.campaign("Elsewhere", page=2)
    fault = any_floor.sandbox.faults.order(Fault("error", code=code, subcode=subcode, psid=any_floor.psid(0)))
    any_floor.until(lambda: any_floor.get(one).state == any_floor.get(two).state == CampaignState.PAUSED)
    assert fault.met == 1
    page = any_floor.page()
    assert page.state == state
    for made in (one, two):
        row = any_floor.get(made)
        assert row.pause_cause == PauseCause.PAGE
        assert row.pause_text == page.state_text
        assert any_floor.counts(made).failed == 0
    any_floor.finish(elsewhere)
    with pytest.raises(RefusedByPolicy, match="may not send"):
        control.resume(any_floor.store, any_floor.clock, one, "anna")


def test_after_mending_it_goes_on_and_nobody_is_lost(floor: Floor) -> None:
    made = floor.campaign()
    floor.turns(1)
    floor.sandbox.revoke_token()
    floor.until(lambda: floor.get(made).state == CampaignState.PAUSED)
    told = str(floor.get(made).pause_text)
    assert told.endswith(".") and "onnect" in told  # the way out: connect it again
    floor.sandbox.run(lambda: floor.sandbox._world.renew(floor.sandbox.page_id))
    floor.forget_clients()
    check_page(floor.store, floor.client(), floor.clock, 1)
    assert floor.page().state == "ready"
    control.resume(floor.store, floor.clock, made, "anna")
    floor.finish(made)
    assert floor.counts(made).sent == PEOPLE == len(set(floor.reached())) == len(floor.reached())


def test_a_restriction_found_in_a_batch_stops_the_page(floor: Floor) -> None:
    made = floor.campaign(throttle_per_second=100)
    floor.sandbox.restrict()
    floor.until(lambda: floor.get(made).state == CampaignState.PAUSED)
    counts = floor.counts(made)
    assert (counts.waiting, counts.failed, counts.unconfirmed) == (PEOPLE, 0, 0)


# -- platform


def test_the_platforms_own_trouble_is_tried_again_later_and_not_for_ever(floor: Floor) -> None:
    floor.sandbox.faults.order(Fault("error", code=2, psid=floor.psid(0)))
    floor.sandbox.faults.order(Fault("error", code=2, psid=floor.psid(1), count=2))
    made = floor.campaign()
    waits: list[timedelta] = []
    while floor.get(made).state != CampaignState.FINISHED:
        at = floor.clock.now()
        floor.turns(1)
        row = next(row for row in floor.rows(made) if row.psid == floor.psid(0))
        if row.due_at and row.due_at > at and (not waits or row.retries > len(waits)):
            waits.append(row.due_at - at)
    rows = {row.psid: row for row in floor.rows(made)}
    gone, back = rows[floor.psid(0)], rows[floor.psid(1)]
    assert (gone.state, gone.retries, gone.attempt) == ("failed", 5, 6)
    assert (back.state, back.attempt) == ("sent", 3)
    assert len(set(waits)) == len(waits) >= 3  # each wait is drawn by chance
    assert all(wait <= timedelta(seconds=64) for wait in waits)


def test_what_the_platform_calls_transient_decides_first() -> None:
    lasting = Refusal(551, None, "x", is_transient=False)
    passing = Refusal(551, None, "x", is_transient=True)
    assert classify(lasting).kind is ErrorKind.PERSON and classify(lasting).unreachable
    assert classify(passing).kind is ErrorKind.PLATFORM and not classify(passing).unreachable
    assert classify(Refusal(190, 460, "x", is_transient=True)).kind is ErrorKind.PLATFORM
    assert classify(Refusal(613, None, "x", is_transient=True)).kind is ErrorKind.RATE
    assert classify(Refusal(1, 1357046, "x", is_transient=True)).kind is ErrorKind.DOUBT
    assert classify(Refusal(2, None, "x", is_transient=False)).retry == "once"


# -- rate


def test_a_rate_limit_waits_as_long_as_it_is_told_and_nobody_fails(any_floor: Floor) -> None:
    fault = any_floor.sandbox.faults.order(Fault("limit", code=613, minutes=7, count=1))
    made = any_floor.campaign()
    any_floor.until(lambda: fault.met == 1)
    any_floor.turns(1)
    until = any_floor.page().blocked_until
    assert until is not None
    assert timedelta(minutes=6, seconds=58) <= until - any_floor.clock.now() <= timedelta(minutes=7)
    sent = len(any_floor.reached())
    any_floor.turns(100, timedelta(seconds=4))
    assert len(any_floor.reached()) == sent
    any_floor.finish(made)
    row = next(row for row in any_floor.rows(made) if row.attempt == 2)
    assert (row.retries, any_floor.counts(made).failed, any_floor.counts(made).sent) == (0, 0, PEOPLE)


@pytest.mark.parametrize("header", ["app_usage", "page_usage"])
@pytest.mark.parametrize(("percent", "slower"), [(79, False), (90, True)])
def test_it_slows_from_eighty_percent_of_the_quota(
    floor: Floor, header: str, percent: int, slower: bool
) -> None:
    getattr(floor.sandbox.page.limits, header).call_count = percent
    made = floor.campaign(throttle_per_second=4)
    began = floor.clock.now()
    floor.until(lambda: len(floor.reached()) == PEOPLE, each=timedelta(milliseconds=50))
    took = (floor.clock.now() - began).total_seconds()
    assert (took > 4.5) == slower
    floor.finish(made)


def test_a_quota_used_up_waits_as_the_header_says(floor: Floor) -> None:
    limits = floor.sandbox.page.limits
    limits.page_usage.call_count, limits.regain_minutes = 100, 3
    limits.limited_until = floor.clock.monotonic() + 5
    made = floor.campaign(throttle_per_second=2)
    floor.turns(2)
    until = floor.page().blocked_until
    assert until is not None and until - floor.clock.now() > timedelta(minutes=2, seconds=50)
    limits.page_usage.call_count = 0
    floor.finish(made, most=2000)
    assert floor.counts(made).sent == PEOPLE
