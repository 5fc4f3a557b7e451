"""The threads that carry calls: HTTP only, results through a callback, no database.

Daemon threads of our own instead of an executor: at the end of the program nobody waits for a call
that hangs; its row is in doubt then, which is exactly the truth.
"""

from __future__ import annotations

import logging
import math
import threading
import time
from collections import deque
from collections.abc import Callable
from typing import Protocol

log = logging.getLogger(__name__)

SOON = 0.1
"""Seconds that a job may wait for a thread. Threads that take turns of one interpreter cost more than the calls
themselves, so no more are at work than that needs."""

FIRST_GUESS, NEWEST = 0.4, 0.2
"""Seconds that a job takes before any has ended, and how much the newest one changes that."""

Job = Callable[[], None]


class Lanes(Protocol):
    def submit(self, job: Job) -> None: ...
    def close(self) -> None: ...


class ThreadLanes:
    """Jobs in the order they came, at most ``most`` at once, and only as many as keep the others from waiting.

    One thread without work keeps watch while jobs wait: whatever those at work hang on, a job that waited
    ``SOON`` seconds is begun.
    """

    def __init__(self, most: int) -> None:
        self._most = most
        self._jobs: deque[tuple[float, Job]] = deque()
        self._changed = threading.Condition()
        self._threads = 0
        self._at_work = 0
        self._watched = False
        self._closed = False
        self._seconds = FIRST_GUESS

    def submit(self, job: Job) -> None:
        with self._changed:
            self._jobs.append((time.monotonic(), job))
            if not self._watched or self._at_work < self._wanted():
                self._bring_in()

    def close(self) -> None:
        """Let every thread end when nothing is left to begin."""
        with self._changed:
            self._closed = True
            self._changed.notify_all()

    def _wanted(self) -> int:
        """Threads that begin what waits soon enough, as long as jobs take what they took lately."""
        return max(1, math.ceil(len(self._jobs) * self._seconds / SOON))

    def _bring_in(self) -> None:
        if self._threads > self._at_work + self._watched:
            self._changed.notify()
        elif self._threads < self._most:
            self._threads += 1
            name = f"call-{self._threads}"
            threading.Thread(target=self._run, name=name, daemon=True).start()

    def _next(self) -> Job | None:
        """The next job, once it is this thread's to do; None at the end."""
        while True:
            late = self._jobs and time.monotonic() - self._jobs[0][0] >= SOON
            if self._jobs and (late or self._at_work < self._wanted()):
                return self._jobs.popleft()[1]
            if self._closed and not self._jobs:
                return None
            if self._jobs and not self._watched:
                self._watched = True
                self._changed.wait(SOON)
                self._watched = False
            else:
                self._changed.wait()

    def _run(self) -> None:
        while True:
            with self._changed:
                job = self._next()
                if job is None:
                    self._threads -= 1
                    self._changed.notify_all()
                    return
                self._at_work += 1
                if self._jobs and not self._watched:
                    self._bring_in()
            began = time.monotonic()
            try:
                job()
            except Exception:
                log.exception("a call failed in an unforeseen way")
            with self._changed:
                self._at_work -= 1
                self._seconds += NEWEST * (time.monotonic() - began - self._seconds)
