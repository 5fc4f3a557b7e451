"""Core events → one coalesced Qt signal: the only door from other threads to the window."""

from __future__ import annotations

import threading

from PySide6.QtCore import QObject, Qt, QTimer, Signal, Slot

from broadcaster.events import Changed, EventHub

COALESCE_MS = 150


class Bridge(QObject):
    """Collects what the core says has changed and tells the window at most every 150 ms.

    ``changed`` carries a ``frozenset[Changed]`` and is emitted in the window's thread.
    """

    changed = Signal(object)
    _woken = Signal()

    def __init__(self, hub: EventHub, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._lock = threading.Lock()
        self._collected: set[Changed] = set()
        self._timer = QTimer(self)
        self._timer.setSingleShot(True)
        self._timer.setInterval(COALESCE_MS)
        self._timer.timeout.connect(self._deliver)
        self._woken.connect(self._start, Qt.ConnectionType.QueuedConnection)
        self._leave = hub.subscribe(self._collect)

    def close(self) -> None:
        """Hear no more events."""
        self._leave()
        self._timer.stop()

    def _collect(self, event: Changed) -> None:
        """Runs in the thread that posted: remember it, wake the window once per batch."""
        with self._lock:
            first = not self._collected
            self._collected.add(event)
        if first:
            self._woken.emit()

    @Slot()
    def _start(self) -> None:
        if not self._timer.isActive():
            self._timer.start()

    @Slot()
    def _deliver(self) -> None:
        with self._lock:
            collected, self._collected = frozenset(self._collected), set()
        if collected:
            self.changed.emit(collected)
