"""The pace: exact in every one-second window, even, and slower under the platform's quota."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from broadcaster.queue.pacing import (
    ANSWERED_WITHIN,
    BEGINS_WITHIN,
    STRETCH,
    Grant,
    Line,
    Pacer,
    cost_of,
    page_limit,
    slowed,
)

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


LATE = st.lists(
    st.tuples(st.floats(0.0, 0.4), st.integers(1, 50), st.floats(0.0, 2.5)), min_size=1, max_size=120
)


@given(limit=st.sampled_from([7.5, 40.0, 300.0]), steps=LATE)
def test_calls_that_begin_late_do_not_meet_those_after_them(
    limit: float, steps: list[tuple[float, int, float]]
) -> None:
    pacer, line, now, cost = Pacer(), Line(), 0.0, cost_of(limit, False)
    planned: list[tuple[float, int, Grant]] = []
    begun: list[tuple[float, int]] = []

    def begin_until(instant: float) -> None:
        for one in sorted((one for one in planned if one[0] <= instant), key=lambda one: one[0]):
            planned.remove(one)
            line.begins(one[2], one[0])
            line.answered(one[2], one[0], 0.0)
            begun.append(one[:2])

    for pause, wanted, late in steps:
        now += pause
        begin_until(now)
        room = pacer.room(now, cost, wanted)
        if room:
            planned.append((now + late, room, pacer.take(now, cost, room, 1)))
    begin_until(float("inf"))
    for start, _ in begun:
        assert sum(count for at, count in begun if start <= at < start + 1.0) <= limit


ON_THE_WAY = st.lists(
    st.tuples(st.floats(0.0, 0.4), st.integers(1, 50), st.floats(0.0, 4.9)), min_size=1, max_size=60
)
BACK = 0.005
"""Seconds from arriving at the platform to the answer."""


@given(limit=st.sampled_from([7.5, 40.0, 300.0]), steps=ON_THE_WAY)
def test_calls_that_arrive_late_do_not_meet_those_after_them(
    limit: float, steps: list[tuple[float, int, float]]
) -> None:
    """Begun at once, then held up on the way; the first one shows how quick the line is."""
    pacer, line, now, cost = Pacer(), Line(), 0.0, cost_of(limit, False)
    under_way: list[tuple[float, float, Grant]] = []
    arrived: list[tuple[float, int]] = []
    for pause, wanted, late in [(0.0, 1, 0.0), *steps]:
        now += pause
        for one in sorted((one for one in under_way if one[1] <= now), key=lambda one: one[1]):
            under_way.remove(one)
            began, back, grant = one
            line.answered(grant, back, back - began)
        room = pacer.room(now, cost, wanted)
        if room:
            grant = pacer.take(now, cost, room, 1)
            line.begins(grant, now)
            arrived.append((now + late, room))
            under_way.append((now, now + late + BACK, grant))
    for start, _ in arrived:
        assert sum(count for at, count in arrived if start <= at < start + 1.0) <= limit


def test_the_first_answer_counts_from_when_it_came() -> None:
    """A process that has just started is slow with its first call, and nothing tells yet where it was so."""
    line, first, second = Line(), Grant(0.0, 1.0, 1), Grant(1.0, 1.0, 1)
    line.answered(first, 0.5, 0.5)
    assert first.at == 0.5
    line.answered(second, 1.2, 0.1)
    assert second.at == pytest.approx(1.1)


def test_a_call_that_is_not_answered_holds_its_share_for_a_while() -> None:
    pacer, line = Pacer(), Line()
    line.begins(pacer.take(0.0, 0.1, 10, 1), 0.0)
    assert pacer.room(ANSWERED_WITHIN - 0.1, 0.1, 10) == 0
    assert 0.0 < pacer.wait(ANSWERED_WITHIN - 0.1) < 0.1, "asked again soon, but not without a pause"
    assert pacer.room(ANSWERED_WITHIN + 0.1, 0.1, 10) == 10


def test_answers_that_always_take_longer_than_a_second_are_not_waited_for() -> None:
    pacer, line = Pacer(), Line()
    line.answered(Grant(-2.0, 1.0, 1), 0.0, 2.0)
    line.begins(pacer.take(0.0, 0.1, 10, 1), 0.0)
    assert pacer.wait(0.0) == pytest.approx(STRETCH)
    assert pacer.room(STRETCH, 0.1, 10) == 10


def test_a_call_that_never_begins_does_not_hold_the_page() -> None:
    pacer = Pacer()
    pacer.take(0.0, 0.1, 10, 1)
    assert pacer.room(BEGINS_WITHIN - 0.1, 0.1, 10) == 0
    assert pacer.room(BEGINS_WITHIN + 0.1, 0.1, 10) == 10


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


def test_taking_nothing_changes_nothing() -> None:
    pacer = Pacer()
    pacer.take(0.0, 2.0, 0)
    assert pacer.room(0.1, 2.0, 5) == 1
