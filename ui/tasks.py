"""One-off work off the window's thread: progress, result, error, cancel, newest wins, owner gone → dropped."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

import shiboken6
from PySide6.QtCore import QObject, Qt, Signal, Slot

from broadcaster.errors import BroadcasterError
from ui.i18n import tr

log = logging.getLogger(__name__)

PROGRESS_SECONDS = 0.1
WORKERS = 6


class Cancelled(Exception):
    """The work stopped because it was told to."""


class Work:
    """What the function running off-thread holds: is it still wanted, and how far is it?

    ``cancelled`` is a ``threading.Event`` to hand to core functions; ``check()`` raises Cancelled.
    """

    def __init__(self, title: str | None, report: Callable[[Work], None]) -> None:
        self.title = title
        self.cancelled = threading.Event()
        self.done = 0
        self.total: int | None = None
        self.text = ""
        self.started = time.monotonic()
        self._report = report
        self._reported = 0.0
        self._stoppers: list[Callable[[], None]] = []

    def progress(self, done: int, total: int | None = None, text: str = "") -> None:
        """Say how far it is; told to the window at most ten times a second."""
        self.done, self.total, self.text = done, total, text
        now = time.monotonic()
        if now - self._reported >= PROGRESS_SECONDS:
            self._reported = now
            self._report(self)

    def check(self) -> None:
        if self.cancelled.is_set():
            raise Cancelled

    def on_cancel(self, stop: Callable[[], None]) -> None:
        """Call ``stop`` (for instance a query's interrupt) when the work is cancelled."""
        self._stoppers.append(stop)
        if self.cancelled.is_set():
            stop()

    def cancel(self) -> None:
        """Ask it to stop; its result will be dropped."""
        self.cancelled.set()
        for stop in list(self._stoppers):
            stop()

    @property
    def per_second(self) -> float:
        return self.done / max(0.001, time.monotonic() - self.started)

    @property
    def seconds_left(self) -> float | None:
        """None while nothing can be said."""
        if not self.total or not self.done:
            return None
        return (self.total - self.done) / max(0.001, self.per_second)


@dataclass(frozen=True, slots=True)
class _Wanted:
    """Who wants the result of a piece of work, and how they hear of it."""

    owner: QObject
    key: str | None
    done: Callable[[Any], None] | None
    failed: Callable[[BroadcasterError], None] | None
    keep: bool


class Tasks(QObject):
    """Runs functions in threads and brings their results back to the window's thread.

    ``run(owner, work, done)``: ``work(handle)`` runs off-thread; ``done(result)`` and
    ``failed(error)`` run in the window's thread, and only while ``owner`` lives and nothing newer
    with the same ``key`` of that owner was started. With a ``title`` it stands in the task tray.
    """

    started = Signal(object)
    progressed = Signal(object)
    ended = Signal(object)
    """Of titled work: the ``Work``; ``ended`` comes in every case."""
    failed = Signal(object)
    """Errors nobody asked for: a BroadcasterError."""
    _finished = Signal(object)

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._pool = ThreadPoolExecutor(WORKERS, thread_name_prefix="window-work")
        self._live: dict[Work, _Wanted] = {}
        self._closed = False
        self._finished.connect(self._deliver, Qt.ConnectionType.QueuedConnection)

    def run(
        self,
        owner: QObject,
        work: Callable[[Work], Any],
        done: Callable[[Any], None] | None = None,
        failed: Callable[[BroadcasterError], None] | None = None,
        *,
        key: str | None = None,
        title: str | None = None,
        keep: bool = False,
    ) -> Work:
        """Start ``work``; returns its handle. ``keep``: ``done`` hears the result of cancelled work too."""
        if key is not None:
            self.cancel(owner, key)
        handle = Work(title, self.progressed.emit if title else _unheard)
        if self._closed:
            handle.cancel()
            return handle
        self._live[handle] = _Wanted(owner, key, done, failed, keep)
        if title:
            self.started.emit(handle)
        self._pool.submit(self._perform, handle, work)
        return handle

    def cancel(self, owner: QObject, key: str | None = None) -> None:
        """Cancel the owner's work (all of it, or that under ``key``)."""
        for handle, wanted in list(self._live.items()):
            if wanted.owner is owner and key in (None, wanted.key):
                handle.cancel()

    @property
    def running(self) -> list[Work]:
        return list(self._live)

    def close(self) -> None:
        """Cancel everything and wait for the threads; nothing starts any more."""
        self._closed = True
        for handle in list(self._live):
            handle.cancel()
        self._pool.shutdown(wait=True, cancel_futures=True)
        self._live.clear()

    def _perform(self, handle: Work, work: Callable[[Work], Any]) -> None:
        try:
            handle.check()
            outcome: object = work(handle)
            error = None
        except Cancelled:
            outcome, error = None, None
            handle.cancelled.set()
        except BroadcasterError as known:
            outcome, error = None, known
        except Exception as bug:  # a thread's top: nothing may vanish here
            outcome, error = None, unexpected(bug) if not handle.cancelled.is_set() else None
        self._finished.emit((handle, outcome, error))

    @Slot(object)
    def _deliver(self, finished: tuple[Work, object, BroadcasterError | None]) -> None:
        handle, outcome, error = finished
        wanted = self._live.pop(handle, None)
        if handle.title:
            self.ended.emit(handle)
        if wanted is None or not shiboken6.isValid(wanted.owner):
            return
        if handle.cancelled.is_set() and not (wanted.keep and outcome is not None):
            return
        if error is not None:
            (wanted.failed or self.failed.emit)(error)
        elif wanted.done is not None:
            wanted.done(outcome)


def unexpected(bug: BaseException) -> BroadcasterError:
    """A fault of ours as something that can be shown; the details go to the log."""
    log.error("unexpected error in the window", exc_info=bug)
    return BroadcasterError(
        tr("Something unexpected happened: {what}.", what=type(bug).__name__),
        tr("Nothing was changed. Details are in the log file in the workspace's folder."),
    )


def _unheard(_work: Work) -> None:
    return
