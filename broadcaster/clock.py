"""The one clock: aware UTC for instants, a monotonic count for pacing. Tests inject their own."""

from __future__ import annotations

import threading
import time
from datetime import UTC, datetime, timedelta
from typing import Protocol


class Clock(Protocol):
    def now(self) -> datetime:
        """The instant, aware, UTC."""
        ...

    def monotonic(self) -> float:
        """Seconds that never go back; only differences mean something."""
        ...

    def wait(self, condition: threading.Condition, seconds: float | None) -> bool:
        """Wait on a held condition at most ``seconds`` of this clock; False when the time ran out."""
        ...


class SystemClock:
    """The computer's clocks."""

    def now(self) -> datetime:
        return datetime.now(UTC)

    def monotonic(self) -> float:
        return time.monotonic()

    def wait(self, condition: threading.Condition, seconds: float | None) -> bool:
        return condition.wait(seconds)


class ManualClock:
    """A clock that moves only when told to; waiting returns at once after moving it."""

    def __init__(self, now: datetime) -> None:
        self._now = now.astimezone(UTC)
        self._monotonic = 0.0

    def now(self) -> datetime:
        return self._now

    def monotonic(self) -> float:
        return self._monotonic

    def wait(self, condition: threading.Condition, seconds: float | None) -> bool:  # noqa: ARG002
        self.move(timedelta(seconds=seconds or 0))
        return False

    def move(self, delta: timedelta) -> None:
        """Let time pass on both clocks."""
        self._now += delta
        self._monotonic += max(0.0, delta.total_seconds())

    def set_wall(self, now: datetime) -> None:
        """Set the wall clock alone, as a person or a time server would."""
        self._now = now.astimezone(UTC)


def parse_instant(text: str) -> datetime:
    """Read ISO 8601 with an offset or ``Z``; ValueError when it has none or cannot be read."""
    instant = datetime.fromisoformat(text.strip())
    if instant.tzinfo is None:
        raise ValueError("the time has no offset")
    return instant.astimezone(UTC)


def iso(instant: datetime) -> str:
    """ISO 8601 in UTC with ``Z``, to the second unless it has a fraction."""
    return instant.astimezone(UTC).isoformat().replace("+00:00", "Z")


def epoch_ms(instant: datetime) -> int:
    """Whole milliseconds since 1970 (UTC): how instants stand in the database."""
    return (instant - _EPOCH) // _MILLISECOND


def from_epoch_ms(value: int) -> datetime:
    return _EPOCH + timedelta(milliseconds=value)


_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MILLISECOND = timedelta(milliseconds=1)
