"""The policy in the whole engine: dates that pass while it sends, the margin, and what changed since approval."""

from __future__ import annotations

from collections import Counter
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import insert

from broadcaster.audit import log
from broadcaster.campaigns import lifecycle
from broadcaster.campaigns.check import check_campaign
from broadcaster.errors import RefusedByPolicy
from broadcaster.queue.due import start_due
from broadcaster.queue.launch import launch
from broadcaster.reports.campaign_report import campaign_json, report_tables
from broadcaster.reports.figures import status
from broadcaster.sandbox.clock import to_ms
from broadcaster.states import PauseCause
from broadcaster.store.tables import Setting
from tests.queue.conftest import PEOPLE
from tests.queue.floor import NOW, Floor

RETIRED = datetime(2026, 4, 27, tzinfo=UTC)


def go_to(floor: Floor, instant: datetime, acted: timedelta = timedelta(hours=1)) -> None:
    """Both clocks at ``instant``; everybody acted so long before."""
    floor.clock.set_wall(instant)
    floor.sandbox.clock.set(instant)
    floor.change_people(range(PEOPLE), last_interaction_at=instant - acted)
    for index in range(PEOPLE):
        person = floor.sandbox.person(index)
        person.last_interaction_ms = person.last_message_ms = to_ms(instant - acted)


def ends(floor: Floor, made: int) -> Counter[tuple[str, Any]]:
    return Counter((row.state, row.reason) for row in floor.rows(made))


def drifted(floor: Floor, gone: int, **options: Any) -> int:
    """A campaign approved for all twelve, of whom some opt out before its start."""
    made = floor.campaign(launched=False, **options)
    floor.change_people(range(gone), opted_out=True)
    start_due(floor.store, floor.clock, floor.hub)
    return made


# -- 26 and 27 April 2026


def test_a_retired_tag_is_sent_until_its_last_second_and_never_after(any_floor: Floor) -> None:
    floor = any_floor
    go_to(floor, RETIRED - timedelta(seconds=2))
    made = floor.campaign(permission="account_update", throttle_per_second=2)
    floor.until(lambda: not {"waiting", "leased", "sending"} & {row.state for row in floor.rows(made)})
    found = ends(floor, made)
    assert set(found) == {("sent", None), ("skipped", "permission_retired")}
    assert sum(found.values()) == PEOPLE
    assert all(entry.accepted_ms < to_ms(RETIRED) for entry in floor.sandbox.ledger())


def test_a_retired_tag_cannot_be_scheduled_past_its_end(floor: Floor) -> None:
    go_to(floor, RETIRED - timedelta(hours=2))
    made = floor.campaign(launched=False, permission="account_update")
    with floor.store.write() as conn, pytest.raises(RefusedByPolicy, match="27 Apr 2026"):
        lifecycle.schedule(conn, made, RETIRED, actor="anna", at=floor.clock.now())
    with floor.store.write() as conn:
        lifecycle.schedule(conn, made, RETIRED - timedelta(seconds=1), actor="anna", at=floor.clock.now())


# -- the margin


@pytest.mark.parametrize(("margin", "reached"), [(60, 0), (0, PEOPLE)])
def test_the_margin_is_a_setting_and_holds_at_the_launch(floor: Floor, margin: int, reached: int) -> None:
    go_to(floor, NOW, acted=timedelta(hours=23, minutes=59, seconds=30))
    with floor.store.write() as conn:
        conn.execute(insert(Setting.__table__).values(key="margin_seconds", value=margin))
    made = floor.campaign(throttle_per_second=40)
    assert floor.get(made).eligible_at_launch == reached


def test_a_window_that_shuts_between_decision_and_call_is_kept(floor: Floor) -> None:
    go_to(floor, NOW, acted=timedelta(hours=23, minutes=59, seconds=58))
    with floor.store.write() as conn:
        conn.execute(insert(Setting.__table__).values(key="margin_seconds", value=0))
    made = floor.campaign(throttle_per_second=2)
    floor.until(lambda: not {"waiting", "leased", "sending"} & {row.state for row in floor.rows(made)})
    assert set(ends(floor, made)) == {("sent", None), ("skipped", "outside_24h")}
    assert all(entry.accepted_ms < to_ms(NOW + timedelta(seconds=2)) for entry in floor.sandbox.ledger())


def test_whoever_wrote_again_is_sent_to_past_the_window_of_the_launch(floor: Floor) -> None:
    go_to(floor, NOW, acted=timedelta(hours=23, minutes=58))
    made = floor.campaign()
    go_to(floor, NOW + timedelta(minutes=5))
    floor.finish(made)
    assert floor.counts(made).sent == PEOPLE


def test_nothing_goes_out_once_quiet_hours_have_begun(floor: Floor) -> None:
    go_to(floor, NOW.replace(hour=20, minute=59, second=58))
    quiet = {"from": "21:00", "to": "22:00", "timezone": "UTC"}
    made = floor.campaign(throttle_per_second=2, quiet_hours=quiet)
    floor.turns(12)
    early = floor.sandbox.ledger()
    assert 0 < len(early) < PEOPLE
    assert all(entry.accepted_ms < to_ms(NOW.replace(hour=21)) for entry in early)
    floor.move(timedelta(hours=1))
    floor.finish(made)
    assert floor.counts(made).sent == PEOPLE


# -- times that cannot be


def test_times_in_the_future_stop_people_and_are_told(floor: Floor) -> None:
    made = floor.campaign(launched=False)
    floor.change_people(range(3), last_interaction_at=NOW + timedelta(days=400))
    with floor.store.read() as conn:
        found = check_campaign(conn, floor.get(made), NOW)
    assert found.as_json()["reasons"] == {"interaction_in_future": 3}
    assert "3 of the audience acted last at a time after" in found.warnings[0].reason
    launch(floor.store, floor.clock, made, "anna")
    floor.finish(made)
    assert sorted(floor.reached()) == sorted(floor.psid(index) for index in range(3, PEOPLE))


def test_without_a_window_times_in_the_future_are_told_all_the_same(floor: Floor) -> None:
    made = floor.campaign(launched=False)
    floor.change_people(range(3), last_interaction_at=NOW + timedelta(days=400))
    with floor.store.read() as conn:
        found = check_campaign(conn, floor.get(made), NOW, "news").as_json()
    assert (found["eligible"], found["future_times"]) == (PEOPLE, 3)
    assert "time_in_future" in [warning["rule"] for warning in found["warnings"]]


def test_a_campaign_dated_before_every_interaction_reaches_nobody(floor: Floor) -> None:
    made = floor.campaign(launched=False)
    with floor.store.read() as conn:
        found = check_campaign(conn, floor.get(made), NOW - timedelta(days=30))
    assert found.as_json()["reasons"] == {"interaction_in_future": PEOPLE}


# -- since the approval


def test_an_audience_that_grew_too_much_stops_and_asks_as_well(floor: Floor) -> None:
    floor.change_people(range(6), opted_out=True)
    made = floor.campaign(launched=False, drift_limit_percent=20)
    floor.change_people(range(6), opted_out=False)
    assert start_due(floor.store, floor.clock, floor.hub) == []
    row = floor.get(made)
    assert row.pause_cause == PauseCause.DRIFT
    assert "would reach 12 people, 6 when it was approved: 100 % more or fewer" in str(row.pause_text)
    assert floor.rows(made) == []
    assert floor.reached() == []


def test_a_held_campaign_tells_the_difference_before_anybody_decides(floor: Floor) -> None:
    made = drifted(floor, 3, drift_limit_percent=20)
    with floor.store.read() as conn:
        found = status(conn, floor.get(made), floor.clock.now()).as_json()
    assert (found["eligible_at_approval"], found["since_approval"]) == (12, -3)
    assert "25 %" in found["pause"]


def test_a_difference_within_the_limit_is_in_status_report_and_audit_log(floor: Floor) -> None:
    made = drifted(floor, 2, drift_limit_percent=20)
    floor.finish(made)
    row = floor.get(made)
    with floor.store.read() as conn:
        document = campaign_json(conn, row, floor.clock.now())
        figures = dict(report_tables(conn, "campaign", row, floor.clock.now())[0].rows)
        launched = [entry for entry in log.entries(conn) if entry.action == "launched"]
    assert (document["eligible_at_approval"], document["eligible"], document["since_approval"]) == (
        12,
        10,
        -2,
    )
    assert (figures["eligible when approved"], figures["more or fewer since then"]) == (12, "-2")
    assert launched[0].detail["eligible_at_approval"] == 12


def test_who_falls_out_between_launch_and_their_turn_is_skipped_with_the_rule(floor: Floor) -> None:
    made = floor.campaign(throttle_per_second=2)
    floor.turns(2)
    late = [row.psid for row in floor.rows(made) if row.state == "waiting"]
    floor.change_people([index for index in range(PEOPLE) if floor.psid(index) in late[:4]], opted_out=True)
    floor.finish(made)
    assert ends(floor, made)[("skipped", "opted_out")] == 4
    assert not set(late[:4]) & set(floor.reached())


# -- the wrong message


def test_customer_feedback_reaches_nobody_with_another_message(floor: Floor) -> None:
    made = floor.campaign(launched=False)
    with floor.store.read() as conn:
        found = check_campaign(conn, floor.get(made), NOW, "customer_feedback").as_json()
    assert found["reasons"] == {"template_not_approved": PEOPLE}
