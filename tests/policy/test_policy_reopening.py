"""The estimate of re-openings from the Page's own hourly history."""

from __future__ import annotations

from datetime import datetime, timedelta

from sqlalchemy import Connection, insert

from broadcaster.policy.forecast import forecast, quiet_spans
from broadcaster.policy.reopening import expected_reach, reopenings
from broadcaster.store import Store
from broadcaster.store.tables import Interaction
from tests.policy.people import AT, add_page, add_person, ask

WEEK = timedelta(days=7)
HOUR = timedelta(hours=1)


def acts(conn: Connection, page: int, person: int, at: datetime, kind: str = "message") -> None:
    row = {"page_id": page, "contact_id": person, "kind": kind, "at": at, "source": "webhook"}
    conn.execute(insert(Interaction.__table__).values(**row))


def test_the_same_hour_of_the_weeks_before_gives_the_figure_and_its_band(store: Store) -> None:
    with store.write() as conn:
        page = add_page(conn)
        people = [add_person(conn, page, str(number)) for number in range(6)]
        for week, count in ((4, 1), (3, 2), (2, 3), (1, 6)):
            for person in people[:count]:
                acts(conn, page, person, AT - week * WEEK + 90 * timedelta(minutes=1))
        acts(conn, page, people[0], AT - 4 * WEEK)
        found = reopenings(conn, ask(page), AT, 3)
    assert found.weeks == 4
    second = found.hours[1]
    assert (second.at, second.expected, second.low, second.high) == (AT + HOUR, 2.75, 0, 6)


def test_only_actions_that_open_a_shut_window_count(store: Store) -> None:
    with store.write() as conn:
        page = add_page(conn)
        person = add_person(conn, page, "1")
        first = AT - WEEK + 30 * timedelta(minutes=1)
        acts(conn, page, person, AT - WEEK - 30 * HOUR)
        acts(conn, page, person, first)
        acts(conn, page, person, first + HOUR)
        acts(conn, page, person, first + 2 * HOUR, "comment")
        acts(conn, page, person, first + 3 * HOUR, "import")
        found = reopenings(conn, ask(page), AT, 5)
    assert [hour.expected for hour in found.hours] == [1.0, 0.0, 0.0, 0.0, 0.0]


def test_without_a_week_of_history_there_is_no_estimate(store: Store) -> None:
    with store.write() as conn:
        page = add_page(conn)
        acts(conn, page, add_person(conn, page, "1"), AT - timedelta(days=3))
        found = reopenings(conn, ask(page), AT, 5)
    assert (found.weeks, found.hours) == (0, [])


def test_the_estimate_adds_to_the_exact_curve_for_as_long_as_a_window(store: Store) -> None:
    with store.write() as conn:
        page = add_page(conn)
        sure = add_person(conn, page, "sure", last_interaction_at=AT - 2 * HOUR)
        add_person(conn, page, "back", last_interaction_at=AT - WEEK + HOUR / 2)
        acts(conn, page, sure, AT - WEEK - 30 * HOUR)
        acts(conn, page, sure, AT - WEEK + HOUR / 2)
        q = ask(page)
        exact, again = forecast(conn, q, AT, 40), reopenings(conn, q, AT, 40)
    found = expected_reach(exact, again, 24)
    assert [hour.at for hour in found] == [at for at, _ in exact.hours]
    assert [hour.expected for hour in found[:2]] == [1, 2]
    assert [hour.expected for hour in found[22:27]] == [1, 1, 1, 0, 0]
    assert found[1].low == found[1].high == 2


def test_quiet_hours_hold_back_those_who_come_back_too(store: Store) -> None:
    with store.write() as conn:
        page = add_page(conn)
        person = add_person(conn, page, "1", last_interaction_at=AT - HOUR)
        acts(conn, page, person, AT - WEEK - 30 * HOUR)
        acts(conn, page, person, AT - WEEK + HOUR / 2)
        quiet = {"from": "14:00", "to": "16:00", "timezone": "UTC"}
        q = ask(page, quiet_hours=quiet)
        exact, again = forecast(conn, q, AT, 6), reopenings(conn, q, AT, 6)
    assert [hour.expected for hour in expected_reach(exact, again, 24)] == [1, 2, 0, 0, 2, 2]
    assert quiet_spans(exact) == [(AT + 2 * HOUR, AT + 4 * HOUR)]
