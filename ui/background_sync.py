"""The timer of the background sync, so that it goes on while the window is open."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, QTimer, Slot

from broadcaster.background_sync import LOOK_SECONDS, sync_due
from ui.tasks import Tasks, Work

if TYPE_CHECKING:
    from broadcaster.workspace import Workspace


class BackgroundSync(QObject):
    """Looks every 15 s whether a Page is due; one round at a time, trouble only in the log."""

    def __init__(self, workspace: Workspace, tasks: Tasks, parent: QObject) -> None:
        super().__init__(parent)
        self._workspace, self._tasks = workspace, tasks
        self._busy = False
        self._timer = QTimer(self)
        self._timer.setInterval(round(1000 * LOOK_SECONDS))
        self._timer.timeout.connect(self.look)
        self._timer.start()

    @Slot()
    def look(self) -> None:
        """Sync every Page that is due, off the window's thread."""
        if not self._busy:
            self._busy = True
            workspace = self._workspace

            def run(work: Work) -> None:
                sync_due(workspace, work.cancelled)

            self._tasks.run(self, run, self._done, self._done)

    def _done(self, _outcome: object) -> None:
        self._busy = False
