"""The pace: exact in every one-second window, even, and slower under the platform's quota."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from broadcaster.queue.pacing import Pacer, cost_of, page_limit, slowed

STEPS = st.lists(st.tuples(st.floats(0.0, 0.4), st.integers(1, 50)), min_size=1, max_size=120)


@given(limit=st.sampled_from([1.0, 7.5, 10.0, 40.0, 300.0]), steps=STEPS)
def test_no_one_second_window_holds_more_than_the_limit(limit: float, steps: list[tuple[float, int]]) -> None:
    pacer, now, granted = Pacer(), 0.0, []
    for pause, wanted in steps:
        now += pause
        room = pacer.room(now, cost_of(limit, False), wanted)
        if room:
            pacer.take(now, cost_of(limit, False), room)
            granted.append((now, room))
    for start, _ in granted:
        assert sum(count for at, count in granted if start <= at < start + 1.0) <= limit


@pytest.mark.parametrize("limit", [10.0, 40.0, 300.0])
def test_the_pace_is_kept_when_there_is_enough_to_send(limit: float) -> None:
    pacer, now, sent = Pacer(), 0.0, 0
    while now < 60.0:
        room = pacer.room(now, cost_of(limit, False), 50)
        if room:
            pacer.take(now, cost_of(limit, False), room)
            sent += room
        now += max(pacer.wait(now), 0.001)
    assert sent / 60 >= 0.95 * limit


def test_media_cost_the_slower_limit() -> None:
    pacer, cost = Pacer(), cost_of(300.0, True)
    assert pacer.room(0.0, cost, 50) == 10


def test_a_shared_pace_survives_being_stored() -> None:
    pacer = Pacer()
    pacer.take(5.0, cost_of(10.0, False), 4)
    again = Pacer.load(pacer.dump(5.0))
    assert again.room(5.1, 0.1, 50) == pacer.room(5.1, 0.1, 50) == 0
    assert again.wait(5.1) == pytest.approx(pacer.wait(5.1))


@pytest.mark.parametrize(("usage", "share"), [(0, 1.0), (79, 1.0), (90, 0.55), (100, 0.1), (250, 0.1)])
def test_slower_from_eighty_percent_of_the_quota_on(usage: int, share: float) -> None:
    assert slowed(10.0, usage) == pytest.approx(10.0 * share)


def test_a_page_follows_its_campaigns_unless_it_was_set() -> None:
    assert page_limit(10.0, [100.0, 20.0]) == 100.0
    assert page_limit(5.0, [100.0]) == 5.0
    assert page_limit(10.0, [5000.0]) == 300.0
