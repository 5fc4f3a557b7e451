"""What will happen by itself, ordered by the sandbox clock: receipts, answers, template reviews."""

from __future__ import annotations

import heapq
import itertools
from collections.abc import Callable
from typing import Any

from broadcaster.sandbox.clock import SandboxClock


class Agenda:
    """Planned happenings. Nothing runs until somebody calls ``run_due`` or ``run_all``."""

    def __init__(self, clock: SandboxClock) -> None:
        self._clock = clock
        self._heap: list[tuple[int, int, Callable[..., object], tuple[Any, ...]]] = []
        self._numbers = itertools.count()

    def __len__(self) -> int:
        return len(self._heap)

    def plan(self, after_seconds: float, happen: Callable[..., object], *arguments: Any) -> None:
        due = self._clock.ms() + round(after_seconds * 1000)
        heapq.heappush(self._heap, (due, next(self._numbers), happen, arguments))

    def run_due(self, most: int = 2_000) -> int:
        """Let what is due happen, at most ``most`` at once so that callers stay responsive."""
        now, done = self._clock.ms(), 0
        while self._heap and self._heap[0][0] <= now and done < most:
            _, _, happen, arguments = heapq.heappop(self._heap)
            happen(*arguments)
            done += 1
        return done

    def run_all(self) -> int:
        """Let everything happen now, whatever follows from it included, in due order."""
        done = 0
        while self._heap:
            _, _, happen, arguments = heapq.heappop(self._heap)
            happen(*arguments)
            done += 1
        return done
