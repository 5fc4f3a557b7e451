"""The sandbox's own wall clock: real time plus an offset, or frozen and stepped by hand."""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta


def to_ms(instant: datetime) -> int:
    """Milliseconds since 1970 of an aware instant; ValueError for one without an offset."""
    if instant.tzinfo is None:
        raise ValueError("the time has no offset")
    return round(instant.timestamp() * 1000)


def from_ms(value: int) -> datetime:
    return datetime.fromtimestamp(value / 1000, UTC)


class SandboxClock:
    """Tells the platform side's time. Starts at ``now`` when given (still ticking), else at real time."""

    def __init__(self, now: datetime | None = None) -> None:
        self._offset_ms = 0
        self._frozen_ms: int | None = None
        self._listeners: list[Callable[[], None]] = []
        if now is not None:
            self.set(now)

    def ms(self) -> int:
        """Now, in milliseconds since 1970."""
        if self._frozen_ms is not None:
            return self._frozen_ms
        return time.time_ns() // 1_000_000 + self._offset_ms

    def now(self) -> datetime:
        """Now, aware, UTC."""
        return from_ms(self.ms())

    @property
    def frozen(self) -> bool:
        return self._frozen_ms is not None

    def set(self, now: datetime) -> None:
        """Jump to an instant; ticks on from there unless frozen."""
        self._shift(to_ms(now) - self.ms())

    def move(self, delta: timedelta) -> None:
        """Let this much time pass at once (or turn the clock back)."""
        self._shift(round(delta.total_seconds() * 1000))

    def freeze(self) -> None:
        """Stop ticking; ``move`` still steps."""
        self._frozen_ms = self.ms()

    def resume(self) -> None:
        """Tick on from where it stands."""
        if self._frozen_ms is not None:
            self._offset_ms = self._frozen_ms - time.time_ns() // 1_000_000
            self._frozen_ms = None

    def on_change(self, listener: Callable[[], None]) -> None:
        """Call ``listener`` after every jump, so that what has become due happens."""
        self._listeners.append(listener)

    def _shift(self, milliseconds: int) -> None:
        if self._frozen_ms is not None:
            self._frozen_ms += milliseconds
        else:
            self._offset_ms += milliseconds
        for listener in self._listeners:
            listener()
