"""What wakes the work: the only file that knows APScheduler.

The rows say when; a job here only looks and kicks, so a job that is lost, late or run twice loses
nothing. Jobs live in memory and are derived from the rows anew.
"""

from __future__ import annotations

import logging
import threading
from datetime import UTC, datetime, timedelta

from apscheduler.events import (
    EVENT_JOB_ERROR,
    EVENT_JOB_MAX_INSTANCES,
    EVENT_JOB_MISSED,
    JobEvent,
    JobExecutionEvent,
)
from apscheduler.executors.pool import ThreadPoolExecutor
from apscheduler.jobstores.base import JobLookupError
from apscheduler.jobstores.memory import MemoryJobStore
from apscheduler.schedulers.background import BackgroundScheduler
from apscheduler.schedulers.base import STATE_STOPPED
from apscheduler.triggers.date import DateTrigger
from apscheduler.triggers.interval import IntervalTrigger

from broadcaster.clock import Clock
from broadcaster.errors import EnvironmentFault
from broadcaster.events import EventHub
from broadcaster.queue.due import coming_starts, start_due
from broadcaster.queue.sender import Sender
from broadcaster.queue.trouble import Trouble
from broadcaster.store import Store

log = logging.getLogger(__name__)

TICK_SECONDS = 2
PLAN_AHEAD = timedelta(days=1)
WATCH_SECONDS = 5.0
JUMP_SECONDS = 4.0
"""A wall clock that moved so much against the monotonic one was set, or the computer slept."""

FAULT_INSIDE = "Starting due campaigns stumbled over a fault in the program; it is tried again. See the log."

DEFAULTS = {"misfire_grace_time": None, "coalesce": True, "max_instances": 1}


class _Scheduler(BackgroundScheduler):  # type: ignore[misc]
    """One that may be shut down while a one-shot job begins.

    APScheduler 3.11 takes such a job away after it was handed over; when another thread stops the
    scheduler in between, it looks in the wrong place and its thread dies of a ``JobLookupError``.
    """

    def _process_jobs(self) -> float | None:
        try:
            return super()._process_jobs()  # type: ignore[no-any-return]
        except JobLookupError:
            if self.state != STATE_STOPPED:
                raise
            return None


class Wake:
    """Starts due campaigns and ticks the sender; a watchdog replaces a scheduler that died or overslept.

    ``trouble``: what keeps due campaigns from being started.
    """

    def __init__(self, store: Store, sender: Sender, clock: Clock, hub: EventHub) -> None:
        self._store = store
        self._sender = sender
        self._clock = clock
        self._hub = hub
        self._stop = threading.Event()
        self._busy = threading.Lock()
        self._ticked = clock.monotonic()
        self._scheduler: BackgroundScheduler | None = None
        self._watchdog: threading.Thread | None = None
        self._planned: set[datetime] = set()
        self.trouble = Trouble()

    def start(self) -> None:
        self._scheduler = self._new_scheduler()
        self._watchdog = threading.Thread(target=self._watch, name="wake-watchdog", daemon=True)
        self._watchdog.start()
        self._tick()

    def stop(self) -> None:
        """First of all to stop: nothing is started any more."""
        self._stop.set()
        if self._watchdog is not None:  # before the scheduler, which it might replace meanwhile
            self._watchdog.join()
            self._watchdog = None
        if self._scheduler is not None:
            self._scheduler.shutdown(wait=True)
            self._scheduler = None

    def _new_scheduler(self) -> BackgroundScheduler:
        scheduler = _Scheduler(
            timezone=UTC,
            jobstores={"default": MemoryJobStore()},
            executors={"default": ThreadPoolExecutor(2)},
            job_defaults=DEFAULTS,
        )
        scheduler.add_listener(self._heard, EVENT_JOB_MISSED | EVENT_JOB_ERROR | EVENT_JOB_MAX_INSTANCES)
        scheduler.add_job(
            self._tick, IntervalTrigger(seconds=TICK_SECONDS, timezone=UTC), id="tick", **DEFAULTS
        )
        scheduler.start()
        self._planned = set()
        return scheduler

    def _tick(self) -> None:
        """Start what is due, plan what comes, kick the sender. Never raises, never overlaps."""
        if self._stop.is_set() or not self._busy.acquire(blocking=False):
            return
        trouble: str | None = None
        try:
            start_due(self._store, self._clock, self._hub)
            self._plan()
        except EnvironmentFault as fault:
            trouble = str(fault)
        except Exception:
            log.exception("a scheduled look failed")
            trouble = FAULT_INSIDE
        finally:
            self._ticked = self._clock.monotonic()
            if self.trouble.note(trouble, self._ticked):
                log.warning("the scheduler: %s", trouble or "works again")
                self._hub.post("setting")
            self._busy.release()
            self._sender.kick()

    def _plan(self) -> None:
        """One job per start within the next day, so that a campaign begins on its second."""
        with self._store.read() as conn:
            starts = set(coming_starts(conn, self._clock.now(), PLAN_AHEAD))
        scheduler = self._scheduler
        if scheduler is None:
            return
        for start in starts - self._planned:
            scheduler.add_job(self._tick, DateTrigger(start, timezone=UTC), **DEFAULTS)
        self._planned = starts

    def _heard(self, event: JobEvent) -> None:
        """A job that was missed or failed loses nothing: whoever looks next finds the same rows."""
        if isinstance(event, JobExecutionEvent) and event.exception is not None:
            log.error("a scheduled look failed", extra={"job": event.job_id}, exc_info=event.exception)
        else:
            log.warning("a scheduled look was missed", extra={"job": event.job_id})
        self._sender.kick()

    def _watch(self) -> None:
        wall, mono = self._clock.now(), self._clock.monotonic()
        while not self._stop.wait(WATCH_SECONDS):
            now, ticks = self._clock.now(), self._clock.monotonic()
            jump = (now - wall).total_seconds() - (ticks - mono)
            wall, mono = now, ticks
            scheduler = self._scheduler
            dead = scheduler is None or not _alive(scheduler) or ticks - self._ticked > 4 * WATCH_SECONDS
            if abs(jump) > JUMP_SECONDS or dead:
                log.warning("the scheduler is made anew", extra={"clock_jump_seconds": round(jump, 1)})
                try:
                    self._renew()
                except Exception:
                    log.exception("the scheduler could not be made anew; tried again")

    def _renew(self) -> None:
        old = self._scheduler
        self._scheduler = self._new_scheduler()
        if old is not None:
            try:
                old.shutdown(wait=False)
            except Exception:
                log.exception("the old scheduler did not end")
        self._tick()


def _alive(scheduler: BackgroundScheduler) -> bool:
    """``running`` stays true when the thread died of an error, so the thread itself is asked."""
    thread = scheduler._thread
    return thread is not None and thread.is_alive()
