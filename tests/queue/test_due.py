"""When campaigns begin: late ones ask, series go on, local time holds in every zone and season."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import select

from broadcaster.campaigns import lifecycle
from broadcaster.errors import IllegalMove
from broadcaster.queue import control
from broadcaster.queue.due import start_due
from broadcaster.queue.idle import is_idle, next_due
from broadcaster.queue.ledger import CAMPAIGNS
from broadcaster.queue.recurring import plan_next
from broadcaster.states import CampaignState, PauseCause
from tests.queue.conftest import PEOPLE
from tests.queue.floor import NOW, Floor

LATE = timedelta(hours=3, minutes=12)


def start(floor: Floor) -> list[int]:
    return start_due(floor.store, floor.clock, floor.hub)


def names(floor: Floor) -> dict[str, str]:
    with floor.store.read() as conn:
        return dict(conn.execute(select(CAMPAIGNS.c.name, CAMPAIGNS.c.state).order_by(CAMPAIGNS.c.id)).all())


# -- late


@pytest.mark.parametrize("policy", ["ask", "send"])
def test_a_window_bound_campaign_never_fires_late_by_itself(any_floor: Floor, policy: str) -> None:
    made = any_floor.campaign(launched=False, late_policy=policy)
    any_floor.change_people(range(3), last_interaction_at=NOW - timedelta(hours=22))
    any_floor.move(LATE)
    assert start(any_floor) == []
    row = any_floor.get(made)
    assert row.state == CampaignState.MISSED
    assert row.pause_text == "Missed by 3 h 12 min; 9 of 12 still reachable."
    any_floor.turns(3)
    assert any_floor.reached() == []


def test_a_campaign_without_a_window_may_be_sent_late(floor: Floor) -> None:
    with floor.store.write() as conn:
        conn.exec_driver_sql(
            "INSERT INTO template (page_id, name, language, status, parameter_format, components, synced_at) "
            "VALUES (1, 'ready', 'en', 'APPROVED', 'POSITIONAL', '[]', 0)"
        )
    message = {"template": "ready", "language": "en", "parameters": {}}
    made = floor.campaign(launched=False, permission="utility", message=message, late_policy="send")
    floor.move(LATE)
    assert start(floor) == [made]


def test_one_that_shall_not_be_sent_late_is_cancelled_with_the_figures(floor: Floor) -> None:
    made = floor.campaign(launched=False, late_policy="skip")
    floor.move(LATE)
    start(floor)
    row = floor.get(made)
    assert (row.state, row.pause_text) == ("cancelled", "Missed by 3 h 12 min; 12 of 12 still reachable.")


def test_a_quarter_of_an_hour_is_not_late(floor: Floor) -> None:
    made = floor.campaign(launched=False)
    floor.move(timedelta(minutes=14))
    assert start(floor) == [made]


def test_a_missed_one_is_sent_moved_or_cancelled_by_a_person(floor: Floor) -> None:
    sent, moved, dropped, again = (floor.campaign(f"C{n}", launched=False) for n in range(4))
    floor.move(LATE)
    start(floor)
    at = floor.clock.now()
    with pytest.raises(IllegalMove, match="schedule for now"):
        control.resume(floor.store, floor.clock, again, "anna")
    control.send_missed_now(floor.store, floor.clock, sent, "anna")
    control.cancel(floor.store, dropped, "anna", at)
    with floor.store.write() as conn:
        lifecycle.schedule(conn, moved, at + timedelta(hours=1), actor="anna", at=at)
        lifecycle.schedule(conn, again, at, actor="anna", at=at)
    assert start(floor) == [again]
    floor.finish(sent, again)
    assert names(floor) == {"C0": "finished", "C1": "scheduled", "C2": "cancelled", "C3": "finished"}


def test_sending_a_missed_one_now_accepts_the_audience_that_is_left(floor: Floor) -> None:
    made = floor.campaign(launched=False, drift_limit_percent=5)
    floor.change_people(range(6), last_interaction_at=NOW - timedelta(hours=22))
    floor.move(LATE)
    start(floor)
    control.send_missed_now(floor.store, floor.clock, made, "anna")
    floor.finish(made)
    assert floor.counts(made).sent == PEOPLE - 6


# -- held before the launch


def test_an_audience_that_drifted_stops_and_asks(any_floor: Floor) -> None:
    made = any_floor.campaign(launched=False, drift_limit_percent=20)
    any_floor.change_people(range(3), opted_out=True)
    assert start(any_floor) == []
    row = any_floor.get(made)
    assert (row.state, row.pause_cause, row.launched_at) == ("paused", PauseCause.DRIFT, None)
    assert "would reach 9 people, 12 when it was approved: 25 % more or fewer, 20 % are allowed" in str(
        row.pause_text
    )
    control.resume(any_floor.store, any_floor.clock, made, "anna")
    any_floor.finish(made)
    assert any_floor.counts(made).sent == 9


def test_a_small_drift_is_no_reason_to_ask(floor: Floor) -> None:
    made = floor.campaign(launched=False, drift_limit_percent=20)
    floor.change_people(range(2), opted_out=True)
    assert start(floor) == [made]


def test_nothing_starts_on_a_page_that_may_not_send(any_floor: Floor) -> None:
    made = any_floor.campaign(launched=False)
    any_floor.change_page(state="token_invalid", state_text="The token is dead. Connect the Page again.")
    assert start(any_floor) == []
    row = any_floor.get(made)
    assert (row.state, row.pause_cause, row.launched_at) == ("paused", PauseCause.PAGE, None)
    assert "Connect the Page again." in str(row.pause_text)
    any_floor.change_page(state="ready", state_text=None)
    control.resume(any_floor.store, any_floor.clock, made, "anna")
    any_floor.finish(made)
    assert any_floor.counts(made).sent == PEOPLE


# -- series


def series(floor: Floor, **repeat: Any) -> int:
    return floor.campaign("Tip", launched=False, repeat={"every": "day", **repeat})


def pass_days(floor: Floor, days: int) -> None:
    for _ in range(days):
        start(floor)
        floor.turns(12, timedelta(milliseconds=200))
        floor.move(timedelta(days=1) - timedelta(seconds=2.4))
        floor.change_people(range(PEOPLE), last_interaction_at=floor.clock.now() - timedelta(hours=1))
        for person in range(PEOPLE):
            floor.sandbox.person(person).last_interaction_ms = floor.sandbox.clock.ms()


def test_a_series_ends_after_so_many_times(floor: Floor) -> None:
    series(floor, times=3)
    pass_days(floor, 5)
    assert names(floor) == {"Tip": "finished", "Tip (2)": "finished", "Tip (3)": "finished"}
    assert len(floor.reached()) == 3 * PEOPLE


def test_a_series_ends_on_its_day(floor: Floor) -> None:
    series(floor, until="2026-11-21")
    pass_days(floor, 4)
    assert names(floor) == {"Tip": "finished", "Tip (2)": "finished"}


def test_a_series_goes_on_when_one_is_missed_and_does_not_pile_up(any_floor: Floor) -> None:
    series(any_floor, times=3)
    any_floor.move(timedelta(days=4, hours=1))  # asleep meanwhile
    start(any_floor)
    start(any_floor)
    assert names(any_floor) == {"Tip": "missed", "Tip (2)": "scheduled"}
    assert any_floor.get("Tip (2)").start_at == NOW + timedelta(days=5)


def test_a_series_goes_on_when_one_is_held_or_left_out(floor: Floor) -> None:
    floor.campaign("Skips", launched=False, repeat={"every": "day", "times": 2}, late_policy="skip")
    floor.move(timedelta(hours=1))
    start(floor)
    assert names(floor) == {"Skips": "cancelled", "Skips (2)": "scheduled"}
    series(floor, times=2)
    floor.change_page(state="restricted", state_text="Wait.")
    start(floor)
    assert floor.get("Tip").state == "paused"
    assert floor.get("Tip (2)").state == "scheduled"


def test_a_series_survives_a_crash_around_its_launch(floor: Floor) -> None:
    made = series(floor, times=2)
    assert plan_next(floor.store, floor.clock, made) is not None  # and here the program died
    start(floor)
    assert names(floor) == {"Tip": "running", "Tip (2)": "scheduled"}


def test_workers_that_look_at_once_plan_and_start_one(shared_floor: Floor) -> None:
    made = series(shared_floor, times=2)
    with ThreadPoolExecutor(4) as workers:
        started = [one for found in workers.map(lambda _: start(shared_floor), range(4)) for one in found]
    assert started == [made]
    assert names(shared_floor) == {"Tip": "running", "Tip (2)": "scheduled"}


def test_the_wall_time_of_a_series_stays_over_the_end_of_summer_time(floor: Floor) -> None:
    floor.clock.set_wall(datetime(2026, 10, 24, 7, 0, tzinfo=UTC))
    floor.campaign(
        "Tip", launched=False, repeat={"every": "day", "times": 3}, wall="2026-10-24T09:00", zone="Europe/Berlin"
    )  # fmt: skip
    start(floor)
    following = floor.get("Tip (2)")
    assert following.start_wall == "2026-10-25T09:00"
    assert following.start_at == datetime(2026, 10, 25, 8, 0, tzinfo=UTC)


def test_the_31st_comes_back_after_a_short_month(floor: Floor) -> None:
    floor.clock.set_wall(datetime(2027, 1, 31, 9, 0, tzinfo=UTC))
    floor.campaign("Tip", launched=False, repeat={"every": "month", "times": 3})
    start(floor)
    assert str(floor.get("Tip (2)").start_wall).startswith("2027-02-28")
    floor.clock.set_wall(datetime(2027, 2, 28, 9, 0, tzinfo=UTC))
    start(floor)
    assert str(floor.get("Tip (3)").start_wall).startswith("2027-03-31")


# -- the recipient's own time

ZONES = ("Asia/Tokyo", "Europe/Berlin", "America/New_York")


def local(floor: Floor, wall: str) -> int:
    for place, zone in enumerate(ZONES):
        floor.change_people(range(place * 4, place * 4 + 4), timezone=zone)
    begins = datetime.fromisoformat(wall).replace(tzinfo=ZoneInfo("Europe/Berlin"))
    return floor.campaign(
        launched=False, recipient_local=True, start=begins.astimezone(UTC), wall=wall, zone="Europe/Berlin"
    )  # fmt: skip


def due_times(floor: Floor, made: int) -> dict[str, datetime]:
    due = {row.psid: row.due_at for row in floor.rows(made)}
    return {zone: due[floor.psid(place * 4)] for place, zone in enumerate(ZONES)}


def test_everybody_gets_it_at_the_same_wall_time(floor: Floor) -> None:
    floor.clock.set_wall(datetime(2026, 11, 20, 12, 0, tzinfo=UTC))
    made = local(floor, "2026-11-21T09:00")
    with floor.store.read() as conn:
        assert next_due(conn, floor.clock.now()) == datetime(2026, 11, 20, 19, 0, tzinfo=UTC)
    floor.move(timedelta(hours=8))
    assert start(floor) == [made]
    assert due_times(floor, made) == {
        "Asia/Tokyo": datetime(2026, 11, 21, 0, 0, tzinfo=UTC),
        "Europe/Berlin": datetime(2026, 11, 21, 8, 0, tzinfo=UTC),
        "America/New_York": datetime(2026, 11, 21, 14, 0, tzinfo=UTC),
    }
    with floor.store.read() as conn:
        assert is_idle(conn, floor.clock.now())
    floor.turns(2)
    assert floor.reached() == []
    floor.move(timedelta(hours=4))
    floor.turns(12)
    assert set(floor.reached()) == {floor.psid(index) for index in range(4)}


@pytest.mark.parametrize(
    ("wall", "berlin", "new_york"),
    [
        ("2027-03-28T02:30", datetime(2027, 3, 28, 1, 30, tzinfo=UTC), datetime(2027, 3, 28, 6, 30, tzinfo=UTC)),
        ("2026-10-25T02:30", datetime(2026, 10, 25, 0, 30, tzinfo=UTC), datetime(2026, 10, 25, 6, 30, tzinfo=UTC)),
        ("2026-11-01T01:30", datetime(2026, 11, 1, 0, 30, tzinfo=UTC), datetime(2026, 11, 1, 5, 30, tzinfo=UTC)),
    ],
    ids=["an hour that does not exist", "an hour that comes twice", "twice in New York"],
)  # fmt: skip
def test_an_hour_missing_or_doubled_gives_one_instant(
    any_floor: Floor, wall: str, berlin: datetime, new_york: datetime
) -> None:
    any_floor.clock.set_wall(datetime.fromisoformat(wall).replace(tzinfo=UTC) - timedelta(hours=14))
    any_floor.change_people(range(PEOPLE), last_interaction_at=any_floor.clock.now())
    made = local(any_floor, wall)
    start(any_floor)
    found = due_times(any_floor, made)
    assert (found["Europe/Berlin"], found["America/New_York"]) == (berlin, new_york)


def test_people_whose_window_shuts_before_their_hour_are_skipped_with_the_rule(floor: Floor) -> None:
    made = local(floor, "2026-11-21T09:00")
    floor.move(timedelta(hours=7))
    assert start(floor) == [made]
    floor.until(lambda: floor.get(made).state == CampaignState.FINISHED, each=timedelta(minutes=20))
    far = {floor.psid(index) for index in range(8, 12)}  # New York gets there after 24 hours
    assert {row.psid: row.reason for row in floor.rows(made) if row.state == "skipped"} == dict.fromkeys(
        far, "outside_24h"
    )
    assert floor.counts(made).sent == PEOPLE - 4
