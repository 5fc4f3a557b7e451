"""What every page is: a widget that refreshes when shown or when what it watches has changed."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, ClassVar
from zoneinfo import ZoneInfo

from PySide6.QtCore import QTimer, Signal, Slot
from PySide6.QtGui import QShowEvent
from PySide6.QtWidgets import QVBoxLayout, QWidget

from broadcaster.errors import BroadcasterError
from broadcaster.events import Changed
from ui import theme
from ui.bridge import Bridge
from ui.tasks import Tasks, Work
from ui.widgets.fields import inset_numbers
from ui.widgets.notice import Notice

if TYPE_CHECKING:
    from broadcaster.workspace import Workspace
    from ui.preferences import Preferences


REST_MS = 700
"""While the core is busy a page reads again at most this often; what a person does shows at once."""


class PageView(QWidget):
    """See ``ui.pages``. Subclasses set ``name`` and ``watches`` and override ``refresh`` and ``open``."""

    navigate = Signal(str, object)
    """Page name and argument: the window goes there."""
    name: ClassVar[str] = ""
    watches: ClassVar[frozenset[str]] = frozenset()

    def __init__(self, workspace: Workspace, bridge: Bridge, tasks: Tasks) -> None:
        super().__init__()
        self.setObjectName("page")
        self.workspace, self.bridge, self.tasks = workspace, bridge, tasks
        self.page_id: int | None = None
        self.zone = ZoneInfo("UTC")
        self.preferences: Preferences | None = None
        self.notice = Notice()
        self._stale = True
        self.body = QVBoxLayout(self)
        self.body.setContentsMargins(*(theme.space("xl"), theme.space("l")) * 2)
        self.body.setSpacing(theme.space("m"))
        self.body.addWidget(self.notice)
        self._rest = QTimer(self)
        self._rest.setSingleShot(True)
        self._rest.setInterval(REST_MS)
        self._rest.timeout.connect(self._rested)
        bridge.changed.connect(self._changed)

    def refresh(self) -> None:
        """Read again what is shown."""

    def open(self, argument: object) -> None:
        """Go to what ``argument`` names."""

    def commands(self) -> list[tuple[str, Callable[[], Any]]]:
        """What the palette offers of this page: words and deed."""
        return []

    def use_page(self, page_id: int | None) -> None:
        """The Page in use changed."""
        self.page_id = page_id
        self.mark_stale()

    def use_zone(self, zone: ZoneInfo) -> None:
        self.zone = zone
        self.mark_stale()

    def now(self) -> datetime:
        return self.workspace.clock.now().astimezone(UTC)

    def mark_stale(self) -> None:
        """Refresh now if it can be seen, else when it is next shown."""
        self._stale = True
        if self.isVisible():
            self._refresh_now()

    def read(
        self,
        work: Callable[[Any], Any],
        done: Callable[[Any], None],
        key: str,
        failed: Callable[[BroadcasterError], None] | None = None,
        wide: bool = False,
    ) -> Work:
        """Run ``work(conn)`` on a read connection off-thread; the newest of each ``key`` wins, and the
        query of an older one is interrupted. ``wide``: it counts everybody and may use two cores."""
        from broadcaster.store.interrupt import interruptible

        store = self.workspace.store

        def run(handle: Work) -> Any:
            with store.read(wide) as conn, interruptible(conn) as stop:
                handle.on_cancel(stop)
                handle.check()
                return work(conn)

        return self.tasks.run(self, run, done, failed or self.notice.error, key=key)

    def showEvent(self, event: QShowEvent) -> None:
        super().showEvent(event)
        inset_numbers(self)
        if self._stale:
            self._refresh_now()

    def _changed(self, changes: frozenset[Changed]) -> None:
        if not any(change.kind in self.watches for change in changes):
            return
        if self._rest.isActive():
            self._stale = True
        else:
            self.mark_stale()

    @Slot()
    def _rested(self) -> None:
        if self._stale and self.isVisible():
            self._refresh_now()

    def _refresh_now(self) -> None:
        self._stale = False
        self._rest.start()
        self.refresh()
