"""The thread that applies stored events: woken after each commit, retried when the machine is in the way."""

from __future__ import annotations

import logging
import threading
import time
from datetime import datetime, timedelta

from broadcaster.clock import Clock
from broadcaster.errors import EnvironmentFault
from broadcaster.events import EventHub
from broadcaster.store import Store
from broadcaster.webhooks.applying import apply_pending
from broadcaster.webhooks.inbox import tidy

log = logging.getLogger(__name__)
RETRY_SECONDS = 1.0
GATHER_SECONDS = 0.1
"""What comes within this time is applied together: a run costs the same ten statements for one or many."""
MANY, MANY_GATHER_SECONDS = 100, 0.25
"""So long after a run of so many: what pours in leaves the processor to those who take it."""


class Applier:
    """Owns its thread from ``start`` (which also takes up what an earlier run left) to ``stop``."""

    def __init__(self, store: Store, clock: Clock, hub: EventHub) -> None:
        self._store = store
        self._clock = clock
        self._hub = hub
        self._condition = threading.Condition()
        self._work = True
        self._going = True
        self._idle = False
        self._gather = GATHER_SECONDS
        self._tidied: datetime | None = None
        self._thread = threading.Thread(target=self._run, name="webhook-applier", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def kick(self) -> None:
        """There is something new to apply."""
        with self._condition:
            self._work = True
            self._idle = False
            self._condition.notify_all()

    def stop(self) -> None:
        """End after the work at hand; what is left is taken up at the next start."""
        with self._condition:
            self._going = False
            self._condition.notify_all()
        self._thread.join()

    def settle(self, timeout: float) -> bool:
        """Wait until nothing is left to apply."""
        deadline = time.monotonic() + timeout
        with self._condition:
            while not self._idle and (left := deadline - time.monotonic()) > 0:
                self._condition.wait(left)
            return self._idle

    def _run(self) -> None:
        while self._wait():
            try:
                applied = apply_pending(self._store, self._clock, self._hub)
                self._gather = MANY_GATHER_SECONDS if applied >= MANY else GATHER_SECONDS
                self._tidy()
            except EnvironmentFault as fault:
                log.warning("webhook events wait: %s", fault.text)
                self._rest()
            except Exception:
                log.exception("webhook events could not be applied")
                self._rest()

    def _wait(self) -> bool:
        """Sleep until there is work; False at the end (after a last round)."""
        with self._condition:
            while self._going and not self._work:
                self._idle = True
                self._condition.notify_all()
                self._condition.wait()
            gathered = time.monotonic() + self._gather
            while self._going and (left := gathered - time.monotonic()) > 0:
                self._condition.wait(left)
            last = self._work
            self._work = False
            return self._going or last

    def _tidy(self) -> None:
        """Once a day, and at the start."""
        now = self._clock.now()
        if self._tidied is None or now - self._tidied >= timedelta(days=1):
            with self._store.write() as conn:
                tidy(conn, now)
            self._tidied = now

    def _rest(self) -> None:
        with self._condition:
            if self._going:
                self._condition.wait(RETRY_SECONDS)
                self._work = True
