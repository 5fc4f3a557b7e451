"""Which numbers came before, in any order and in little memory."""

from __future__ import annotations

import random
from collections.abc import Iterator

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from broadcaster.contacts import seen as module
from broadcaster.contacts.seen import Seen

KEYS = st.one_of(st.integers(1, 60), st.integers(2**64 - 3, 2**64 + 3))


@pytest.fixture(params=[(250_000, 4_000_000, 97), (3, 10, 13), (1, 1, 2)], ids=["as it is", "small", "least"])
def sizes(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    for name, size in zip(("FRESH", "LONGEST", "SIEVE"), request.param, strict=True):
        monkeypatch.setattr(module, name, size)
    yield


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(keys=st.lists(KEYS, max_size=200))
def test_numbers_that_came_before_are_known(sizes: None, keys: list[int]) -> None:
    seen, before = Seen(), set[int]()
    for key in keys:
        assert seen.add(key) == (key not in before)
        before.add(key)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(pieces=st.lists(st.lists(KEYS, min_size=1)))
def test_rising_numbers_are_kept_together_or_not_at_all(sizes: None, pieces: list[list[int]]) -> None:
    seen, before = Seen(), list[int]()
    for piece in pieces:
        highest = max((key for key in before if key < 2**64), default=0)
        rising = piece == sorted(set(piece)) and highest < piece[0] and piece[-1] < 2**64
        if rising and all(key < 2**64 for key in before):
            assert seen.add_rising(piece)
        elif seen.add_rising(piece):
            assert not set(piece) & set(before) and len(set(piece)) == len(piece)
        else:
            for key in piece:
                assert seen.add(key) == (key not in before)
                before.append(key)
            continue
        before += piece


def test_numbers_in_no_order_take_little_more_than_their_eight_bytes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "FRESH", 500)
    keys = random.Random(1).sample(range(10**17, 10**18), 50_000)
    seen = Seen()
    assert all(seen.add(key) for key in keys)
    assert not any(seen.add(key) for key in keys)
    assert len(seen._fresh) < 500
    assert len(seen._runs) <= 8
