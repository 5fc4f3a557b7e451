"""When quiet hours flip, by the clock on the wall."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from broadcaster.errors import BadInput
from broadcaster.policy.quiet import QuietHours


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


@pytest.mark.parametrize(
    ("begins", "ends", "now", "flips"),
    [
        ("21:00", "08:00", "2026-11-20T12:07", "2026-11-20T20:00"),
        ("21:00", "08:00", "2026-11-20T20:00", "2026-11-21T07:00"),
        ("21:10", "08:00", "2026-11-20T12:00", "2026-11-20T20:10"),
        ("02:00", "02:30", "2026-10-25T00:40", "2026-10-25T01:00"),
        ("02:00", "02:30", "2026-03-29T00:59", "2026-03-30T00:00"),
    ],
)
def test_the_next_flip_follows_the_wall_clock(begins: str, ends: str, now: str, flips: str) -> None:
    quiet = QuietHours.parse({"from": begins, "to": ends, "timezone": "Europe/Berlin"})
    assert quiet.flips_at(None, at(now)) == at(flips)


def test_equal_times_are_never_quiet() -> None:
    quiet = QuietHours.parse({"from": "08:00", "to": "08:00", "timezone": "UTC"})
    assert quiet.flips_at(None, at("2026-11-20T08:00")) is None


@pytest.mark.parametrize(
    "given", [{}, {"from": "25:00", "to": "1"}, {"from": "21:00", "to": "08:00", "timezone": "Mars"}]
)
def test_what_cannot_be_read_is_refused(given: dict[str, str]) -> None:
    with pytest.raises(BadInput):
        QuietHours.parse(given)
