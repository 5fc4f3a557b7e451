"""The threads that carry calls: HTTP only, results through a callback, no database.

Daemon threads of our own instead of an executor: at the end of the program nobody waits for a call
that hangs; its row is in doubt then, which is exactly the truth.
"""

from __future__ import annotations

import logging
import queue
import threading
from collections.abc import Callable
from typing import Protocol

log = logging.getLogger(__name__)

Job = Callable[[], None]


class Lanes(Protocol):
    def submit(self, job: Job) -> None: ...
    def close(self) -> None: ...


class ThreadLanes:
    """Starts threads as jobs come, at most ``most``."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._jobs: queue.SimpleQueue[Job | None] = queue.SimpleQueue()
        self._lock = threading.Lock()
        self._threads = 0
        self._idle = 0

    def submit(self, job: Job) -> None:
        with self._lock:
            self._jobs.put(job)
            if self._idle >= self._jobs.qsize() or self._threads == self._most:
                return
            self._threads += 1
            name = f"call-{self._threads}"
        threading.Thread(target=self._run, name=name, daemon=True).start()

    def close(self) -> None:
        """Let every thread end after its present call."""
        with self._lock:
            for _ in range(self._threads):
                self._jobs.put(None)

    def _run(self) -> None:
        while True:
            with self._lock:
                self._idle += 1
            job = self._jobs.get()
            with self._lock:
                self._idle -= 1
            if job is None:
                return
            try:
                job()
            except Exception:
                log.exception("a call failed in an unforeseen way")
