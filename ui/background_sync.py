"""Conversations read in the background while no webhook arrives, at the interval kept in the settings."""

from __future__ import annotations

import logging
from datetime import timedelta
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, QTimer, Slot

from broadcaster.errors import BroadcasterError
from broadcaster.states import PageState
from ui.tasks import Tasks, Work

if TYPE_CHECKING:
    from broadcaster.workspace import Workspace

log = logging.getLogger(__name__)

LOOK_MS = 15_000


class BackgroundSync(QObject):
    """Looks every 15 s whether a Page is due; one round at a time, trouble only in the log."""

    def __init__(self, workspace: Workspace, tasks: Tasks, parent: QObject) -> None:
        super().__init__(parent)
        self._workspace, self._tasks = workspace, tasks
        self._busy = False
        self._timer = QTimer(self)
        self._timer.setInterval(LOOK_MS)
        self._timer.timeout.connect(self.look)
        self._timer.start()

    @Slot()
    def look(self) -> None:
        """Sync every Page that is due, off the window's thread."""
        if not self._busy:
            self._busy = True
            workspace = self._workspace

            def run(work: Work) -> None:
                sync_due(workspace, work)

            self._tasks.run(self, run, self._done, self._done)

    def _done(self, _outcome: object) -> None:
        self._busy = False


def sync_due(workspace: Workspace, work: Work) -> list[int]:
    """Sync the Pages whose last word is older than the interval; returns their ids."""
    from broadcaster.contacts.sync import sync_contacts

    synced = []
    for page_id in due_pages(workspace):
        work.check()
        try:
            client = workspace.graph_client(page_id)
            sync_contacts(workspace.store, workspace.clock, client, page_id, cancelled=work.cancelled)
        except BroadcasterError as error:
            log.info("background sync of a Page did not work: %s", error.text)
            continue
        workspace.hub.post("contact")
        workspace.hub.post("page", page_id)
        synced.append(page_id)
    return synced


def due_pages(workspace: Workspace) -> list[int]:
    """Ready Pages of which neither a webhook nor a sync told anything within the interval; none at 0."""
    from broadcaster.pages import listing
    from broadcaster.store import values

    now = workspace.clock.now()
    with workspace.store.read() as conn:
        minutes = int(values.value(conn, "sync_minutes", 0))
        pages = listing.pages(conn) if minutes else []
    long_ago = now - timedelta(minutes=minutes)
    heard = {
        page.id: max(filter(None, (page.last_sync_at, page.last_webhook_at)), default=None) for page in pages
    }
    return [
        page.id
        for page in pages
        if page.state == PageState.READY and ((last := heard[page.id]) is None or last <= long_ago)
    ]
