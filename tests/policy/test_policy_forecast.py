"""The forecast: every hour equals the decision at that hour; what a pace makes of the windows."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from random import Random

import pytest

from broadcaster.cli.campaign import forecast_words
from broadcaster.policy import decide
from broadcaster.policy.forecast import Forecast, QueueFit, forecast, queue_aware
from broadcaster.policy.question import Question
from broadcaster.policy.reopening import Reopening, Reopenings
from broadcaster.store import Store
from tests.conftest import NOW
from tests.policy.people import AT, add_page, add_person, ask

HOUR = timedelta(hours=1)
ZONES = (None, "Europe/Berlin", "Asia/Tokyo", "America/New_York", "+05:30", "Nowhere/Land")
QUIET = {"from": "21:00", "to": "08:00", "timezone": "recipient"}


def crowd(store: Store, count: int = 300, seed: int = 1) -> int:
    """People with last actions up to nine days back and two hours ahead."""
    random = Random(seed)
    with store.write() as conn:
        page = add_page(conn)
        for number in range(count):
            last = (
                AT - timedelta(minutes=random.randint(-120, 9 * 24 * 60)) if random.random() > 0.05 else None
            )
            add_person(
                conn,
                page,
                str(number),
                last_interaction_at=last,
                ad_window_until=last + 168 * HOUR if last and random.random() < 0.3 else None,
                opted_out=random.random() < 0.1,
                timezone=random.choice(ZONES),
            )
    return page


@pytest.mark.parametrize("permission", ["standard", "human_agent", "utility"])
@pytest.mark.parametrize("quiet", [None, QUIET])
def test_every_hour_is_what_a_check_at_that_hour_says(
    store: Store, permission: str, quiet: dict | None
) -> None:
    page = crowd(store)
    q = ask(page, permission, quiet_hours=quiet, template_approved=True)
    with store.read() as conn:
        found = forecast(conn, q, AT, 60)
        for at, count in found.hours[::7]:
            assert count == decide.check(conn, q.at_time(at)).eligible, at


def test_the_ad_window_may_be_counted_in(store: Store) -> None:
    page = crowd(store)
    q = ask(page, possible_ad_window=True)
    with store.read() as conn:
        found = forecast(conn, q, AT, 170)
        for at, count in found.hours[::13]:
            assert count == decide.check(conn, q.at_time(at)).eligible, at


def test_a_retirement_inside_the_forecast_ends_it(sqlite_store: Store) -> None:
    with sqlite_store.write() as conn:
        page = add_page(conn)
        add_person(conn, page, "in", last_interaction_at=AT)
        start = datetime(2026, 4, 26, 21, 30, tzinfo=UTC)
        found = forecast(conn, ask(page, "account_update", at=start), start, 6)
    assert [count for _, count in found.hours] == [1, 1, 1, 0, 0, 0]
    assert found.lost_per_hour == [0, 0, 1, 0, 0, 0]


def test_losses_and_the_half_follow_the_windows(sqlite_store: Store) -> None:
    with sqlite_store.write() as conn:
        page = add_page(conn)
        for hours in (1, 2, 2, 5):
            add_person(
                conn, page, f"{hours} {Random().random()}", last_interaction_at=AT - (24 - hours) * HOUR
            )
        found = forecast(conn, ask(page, margin_seconds=0), AT, 8)
    assert [count for _, count in found.hours] == [4, 3, 1, 1, 1, 0, 0, 0]
    assert found.lost_per_hour == [1, 2, 0, 0, 1, 0, 0, 0]
    assert found.half_gone_at == AT + 2 * HOUR
    assert found.best == (AT, 4)


def test_the_best_hour_keeps_the_quiet_hours(sqlite_store: Store) -> None:
    with sqlite_store.write() as conn:
        page = add_page(conn)
        add_person(conn, page, "in", last_interaction_at=AT, timezone="Europe/Berlin")
        quiet = {"from": "12:00", "to": "15:00", "timezone": "Europe/Berlin"}
        found = forecast(conn, ask(page, quiet_hours=quiet), AT, 10)
    assert found.best == (AT + 2 * HOUR, 1)


def test_nobody_means_no_best_hour(sqlite_store: Store) -> None:
    with sqlite_store.write() as conn:
        found = forecast(conn, ask(add_page(conn)), AT, 3)
    assert (found.best, found.half_gone_at, found.lost_per_hour) == (None, None, [0, 0, 0])


def closing_in(store: Store, seconds: list[int]) -> Question:
    with store.write() as conn:
        page = add_page(conn)
        for number, wait in enumerate(seconds):
            last = AT - 24 * HOUR + timedelta(seconds=wait)
            add_person(conn, page, str(number), last_interaction_at=last)
    return ask(page, margin_seconds=0)


def test_whose_turn_comes_after_their_window_misses_it(store: Store) -> None:
    q = closing_in(store, [10] * 30 + [100])
    with store.read() as conn:
        fit = queue_aware(conn, q, AT, 1.0)
    assert (fit.people, fit.misses) == (31, 20)


def test_the_needed_speed_saves_everybody_and_less_does_not(store: Store) -> None:
    q = closing_in(store, [10] * 30 + [100])
    with store.read() as conn:
        fit = queue_aware(conn, q, AT, 1.0)
        assert fit.needed_per_second is not None
        assert queue_aware(conn, q, AT, fit.needed_per_second).misses == 0
        assert queue_aware(conn, q, AT, fit.needed_per_second - 0.1).misses > 0


def test_the_latest_start_saves_everybody_and_a_second_later_does_not(store: Store) -> None:
    q = closing_in(store, [600] * 30)
    with store.read() as conn:
        fit = queue_aware(conn, q, AT, 1.0)
        assert fit.misses == 0
        assert fit.latest_start is not None
        assert queue_aware(conn, q, fit.latest_start, 1.0).misses == 0
        assert queue_aware(conn, q, fit.latest_start + timedelta(seconds=1), 1.0).misses == 1


def test_without_a_window_nothing_is_missed(sqlite_store: Store) -> None:
    page = crowd(sqlite_store, 50)
    with sqlite_store.read() as conn:
        fit = queue_aware(conn, ask(page, "utility", template_approved=True), AT, 1.0)
    assert (fit.misses, fit.latest_start, fit.needed_per_second) == (0, None, None)


def test_the_forecast_is_told_in_sentences() -> None:
    hours = [(NOW, 900), (NOW + timedelta(hours=1), 800)]
    found = Forecast(hours, [900, 800], hours[0], [100], None)
    late = QueueFit(900, 40, NOW - timedelta(hours=2), 12.34, NOW + timedelta(minutes=5))
    again = Reopenings([Reopening(NOW, 2.5, 1, 4), Reopening(NOW + timedelta(hours=1), 1.5, 0, 3)], 3)
    best, pace, estimate = forecast_words(found, late, 10.0, again)
    assert best == "Best hour: 2026-11-20T12:00:00Z with 900 people."
    assert "40 of 900 would miss their window" in pace
    assert "start by 2026-11-20T10:00:00Z, or send 12.3 a second" in pace
    assert "about 4 windows may open again" in estimate and "(1 to 7)" in estimate and "3 weeks" in estimate


def test_nobody_at_any_hour_is_said() -> None:
    found = Forecast([(NOW, 0)], [0], None, [], None)
    words = forecast_words(found, QueueFit(0, 0, None, None, NOW), 10.0, Reopenings([], 0))
    assert words[0] == "Nobody can be reached at any of these hours."
    assert len(words) == 2
