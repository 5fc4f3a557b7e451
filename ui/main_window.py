"""The frame: rail, top bar, banner, pages built when first shown, status bar, tasks, palette. No business."""

from __future__ import annotations

import importlib
import sys
from collections.abc import Sequence
from functools import partial
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

from PySide6.QtCore import QByteArray, QProcess, QTimer, QTimeZone, Slot
from PySide6.QtGui import QCloseEvent, QKeySequence, QResizeEvent, QShortcut
from PySide6.QtWidgets import QHBoxLayout, QMainWindow, QStackedWidget, QVBoxLayout, QWidget

from broadcaster.errors import BroadcasterError
from broadcaster.events import Changed
from ui import theme
from ui.bridge import Bridge
from ui.guide import Guide, Step
from ui.i18n import tr
from ui.pages import PAGES, PageView
from ui.preferences import Preferences
from ui.tasks import Tasks
from ui.widgets.banner import Banner
from ui.widgets.notice import Notice
from ui.widgets.palette import Command, Palette
from ui.widgets.rail import Rail, page_titles
from ui.widgets.states import StatePane
from ui.widgets.statusbar import StatusBar
from ui.widgets.topbar import TopBar
from ui.widgets.tray import Tray
from ui.zones import ZoneDialog

if TYPE_CHECKING:
    from broadcaster.workspace import Workspace
    from ui.status import Status

STATUS_MS = 5_000
FIRST_SHARE = 0.9
"""Of the screen, when the window is opened for the first time."""
FRAME_KINDS = frozenset({"page", "campaign", "delivery", "webhook"})


class MainWindow(QMainWindow):
    """Shown before the workspace is open; ``attach`` gives it one."""

    def __init__(self, preferences: Preferences) -> None:
        super().__init__()
        self.preferences = preferences
        self.workspace: Workspace | None = None
        self.bridge: Bridge | None = None
        self.tasks = Tasks(self)
        self.page_id: int | None = None
        self.zone = _zone(preferences.text("zone"))
        self._pages: dict[str, PageView] = {}
        self._current = "home"
        self._known: Sequence[Any] = ()
        self.guide: Guide | None = None
        self._build()
        self.setWindowTitle("Broadcaster")
        scale = theme.current().scale
        self.setMinimumSize(round(theme.size("dialog") / scale), round(theme.size("sentence") / scale))
        if geometry := preferences.text("geometry"):
            self.restoreGeometry(QByteArray.fromBase64(geometry.encode()))
        else:
            self.resize(self.screen().availableSize() * FIRST_SHARE)
        self._status_timer = QTimer(self)
        self._status_timer.setInterval(STATUS_MS)
        self._status_timer.timeout.connect(self.refresh_status)

    # -- building the frame

    def _build(self) -> None:
        frame = QWidget()
        frame.setObjectName("frame")
        self.topbar, self.rail, self.banner = TopBar(), Rail(), Banner()
        self.statusbar_, self.notice, self.pane = StatusBar(), Notice(), StatePane()
        self.stack = QStackedWidget()
        self.stack.addWidget(self.pane)
        middle = QHBoxLayout()
        middle.setSpacing(0)
        content = QVBoxLayout()
        content.setSpacing(0)
        content.addWidget(self.notice)
        content.addWidget(self.stack, 1)
        middle.addWidget(self.rail)
        middle.addLayout(content, 1)
        self._middle = middle
        column = QVBoxLayout(frame)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(0)
        column.addWidget(self.banner)
        column.addWidget(self.topbar)
        column.addLayout(middle, 1)
        column.addWidget(self.statusbar_)
        self.setCentralWidget(frame)
        self.tray = Tray(frame)
        self.tray.watch(self.tasks)
        self._connect()
        self.pane.loading(tr("Opening the workspace…"))

    def _connect(self) -> None:
        self.rail.chosen.connect(self.go)
        self.topbar.palette_asked.connect(self.open_palette)
        self.topbar.page_chosen.connect(self.use_page)
        self.topbar.connect_asked.connect(partial(self.go, "settings", "pages"))
        self.topbar.zone_asked.connect(self.choose_zone)
        self.topbar.show_zone(self.zone.key)
        self.statusbar_.asked.connect(self._status_asked)
        self.tray.count_changed.connect(self._tasks_changed)
        self.tasks.failed.connect(self.notice.error)
        shortcut = QShortcut(QKeySequence("Ctrl+K"), self)
        shortcut.activated.connect(self.open_palette)

    # -- the workspace

    def attach(self, workspace: Workspace) -> None:
        """Take the open workspace and show the page that was shown last."""
        self.workspace = workspace
        self.bridge = Bridge(workspace.hub, self)
        self.bridge.changed.connect(self._changed)
        self.read_pages()
        self.refresh_status()
        self._status_timer.start()
        kept = self.preferences.text("page", "home")
        self.go(kept if kept in PAGES else "home")
        self.rail.button(self._current).setFocus()

    def show_guide(self, steps: Sequence[Step]) -> None:
        """Show the practice campaign's guide at the trailing edge."""
        self.guide = Guide(steps, self.tasks)
        self.guide.went.connect(self.go)
        self._middle.addWidget(self.guide)

    def show_error(self, error: BroadcasterError) -> None:
        """The workspace cannot be opened: say why, in place of everything."""
        self.pane.error(error)

    def read_pages(self) -> None:
        """Read which Pages are connected; keeps the one in use, else takes the first."""
        from broadcaster.pages import listing

        if self.workspace is None:
            return
        with self.workspace.store.read() as conn:
            self._known = listing.pages(conn)
        ids = [page.id for page in self._known]
        kept = self.page_id if self.page_id is not None else int(self.preferences.number("page_id", -1))
        chosen = kept if kept in ids else ids[0] if ids else None
        changed = chosen != self.page_id
        self.page_id = chosen
        self._show_page_in_use()
        if changed:
            for page in self._pages.values():
                page.use_page(chosen)

    def use_page(self, page_id: int) -> None:
        self.page_id = page_id
        self.preferences.keep("page_id", page_id)
        self._show_page_in_use()
        for page in self._pages.values():
            page.use_page(page_id)
        self.refresh_status()

    def _show_page_in_use(self) -> None:
        if self.workspace is None:
            return
        self.topbar.show_pages(self._known, self.page_id)
        page = next((page for page in self._known if page.id == self.page_id), None)
        address = page.graph_url if page else self.workspace.settings.graph_url
        foreign = None if address.rstrip("/") == _meta_address() else address
        self.banner.say(bool(page and page.practice), foreign)
        name = f"{page.name} – Broadcaster" if page else "Broadcaster"
        self.setWindowTitle(f"{name} [{address}]" if foreign else name)

    # -- pages

    @Slot(str)
    def go(self, name: str, argument: object = None) -> None:
        """Show a page, building it on first use; ``argument`` goes to its ``open``.

        ``practice`` opens the practice Page in a window and workspace of its own.
        """
        if name == "practice":
            QProcess.startDetached(sys.executable, ["-m", "ui.start", "practice"])
            return
        if self.workspace is None:
            return
        page = self._pages.get(name) or self._build_page(name)
        self._current = name
        self.rail.show_current(name)
        self.stack.setCurrentWidget(page)
        self.preferences.keep("page", name)
        if argument is not None:
            page.open(argument)

    def page(self, name: str) -> PageView:
        """The page, built if need be."""
        return self._pages.get(name) or self._build_page(name)

    @property
    def current(self) -> str:
        return self._current

    def _build_page(self, name: str) -> PageView:
        module = importlib.import_module(f"ui.pages.{name}")
        page: PageView = getattr(module, f"{name.capitalize()}Page")(self.workspace, self.bridge, self.tasks)
        page.preferences = self.preferences
        page.use_zone(self.zone)
        page.use_page(self.page_id)
        page.navigate.connect(self.go)
        if hasattr(page, "look_changed"):
            page.look_changed.connect(self.rebuild)
        self._pages[name] = page
        self.stack.addWidget(page)
        return page

    @Slot()
    def rebuild(self) -> None:
        """After the look changed: frame and pages are made anew, since lengths are set when they are built."""
        for page in self._pages.values():
            self.stack.removeWidget(page)
            page.deleteLater()
        self._pages.clear()
        if self.guide is not None:
            self.guide.setParent(self)
        self._build()
        if self.guide is not None:
            self._middle.addWidget(self.guide)
        if self.workspace is not None:
            self._show_page_in_use()
            self.refresh_status()
            self.go(self._current)

    # -- status, events

    @Slot()
    def refresh_status(self) -> None:
        """Ask the core what the status bar says."""
        from ui.status import read_status

        if self.workspace is not None:
            workspace, page_id, zone = self.workspace, self.page_id, self.zone
            self.tasks.run(
                self, lambda _work: read_status(workspace, page_id, zone), self._show_status, key="status"
            )

    def _show_status(self, status: Status) -> None:
        for name, line in status.lines.items():
            self.statusbar_.say(name, line.words, line.tone, line.tip)

    def _changed(self, changes: frozenset[Changed]) -> None:
        kinds = {change.kind for change in changes}
        if "page" in kinds:
            self.read_pages()
        if kinds & FRAME_KINDS:
            self.refresh_status()

    def _tasks_changed(self, _count: int) -> None:
        self.statusbar_.say("tasks", self.tray.words())

    @Slot(str)
    def _status_asked(self, name: str) -> None:
        if name == "tasks":
            self.tray.setVisible(not self.tray.isVisible())
            self.tray.place()
            self.tray.raise_()
        else:
            target = {
                "queue": ("queue", None),
                "webhooks": ("settings", "webhooks"),
                "sync": ("contacts", None),
            }
            self.go(*target[name])

    # -- palette and zone

    @Slot()
    def open_palette(self) -> None:
        """Everything that can be done, by its name."""
        self.palette_ = Palette(self, self.commands(), self._find)
        self.palette_.show_over(self)

    def commands(self) -> list[Command]:
        titles = page_titles()
        found = [Command(titles[name], partial(self.go, name), name) for name in PAGES]
        if self.workspace is not None:
            for page in self._pages.values():
                found += [Command(words, run) for words, run in page.commands()]
        for page in self._known:
            found.append(
                Command(tr("Use Page {page}", page=page.name), partial(self.use_page, page.id), "page")
            )
        found.append(Command(tr("Connect a Page"), partial(self.go, "settings", "pages"), "connect"))
        found.append(Command(tr("Import contacts"), partial(self.go, "contacts", {"import": True}), "import"))
        found.append(Command(tr("New audience"), partial(self.go, "audiences", {"new": True}), "audiences"))
        found.append(Command(tr("New campaign"), partial(self.go, "campaigns", {"new": True}), "campaigns"))
        found.append(Command(tr("Open the practice Page"), partial(self.go, "practice"), "practice"))
        found.append(Command(tr("Change the time zone"), self.choose_zone, "clock"))
        return found

    def _find(self, typed: str, found: Any) -> None:
        """Look people and campaigns up for the palette."""
        from ui.finding import find

        if self.workspace is None:
            return
        workspace, page_id = self.workspace, self.page_id

        def show(hits: list[Any]) -> None:
            found([Command(hit.words, partial(self.go, hit.page, hit.argument), hit.icon) for hit in hits])

        self.tasks.run(self.palette_, lambda _work: find(workspace, page_id, typed), show, key="find")

    @Slot()
    def choose_zone(self) -> None:
        dialog = ZoneDialog(self.zone.key, self)
        dialog.chosen.connect(self.use_zone)
        dialog.open()

    @Slot(str)
    def use_zone(self, key: str) -> None:
        self.zone = _zone(key)
        self.preferences.keep("zone", key)
        self.topbar.show_zone(self.zone.key)
        for page in self._pages.values():
            page.use_zone(self.zone)
        self.refresh_status()

    # -- Qt

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        compact = self.width() < theme.size("dialog") + theme.size("rail")
        self.rail.set_compact(compact)
        self.topbar.set_compact(compact)
        self.statusbar_.set_compact(compact)
        if self.tray.isVisible():
            self.tray.place()

    def closeEvent(self, event: QCloseEvent) -> None:
        self._status_timer.stop()
        self.preferences.keep("geometry", bytes(self.saveGeometry().toBase64().data()).decode())
        self.preferences.save()
        if self.bridge is not None:
            self.bridge.close()
        self.tasks.close()
        super().closeEvent(event)


def _zone(key: str) -> ZoneInfo:
    """The zone by name; the system's when it is empty or unknown, UTC as the last resort."""
    for candidate in (key, bytes(QTimeZone.systemTimeZoneId().data()).decode(), "UTC"):
        try:
            if candidate:
                return ZoneInfo(candidate)
        except (KeyError, ValueError, OSError):
            continue
    return ZoneInfo("UTC")


def _meta_address() -> str:
    from broadcaster.settings import META_GRAPH_URL

    return META_GRAPH_URL
