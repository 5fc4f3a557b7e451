"""Start of the desktop app: the window first, the heavy imports and the database in a thread."""

from __future__ import annotations

import gc
import logging
import sys
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from PySide6.QtCore import QObject, QTimer, Slot
from PySide6.QtWidgets import QApplication

from broadcaster.errors import BroadcasterError
from broadcaster.settings import Settings
from ui import i18n, theme
from ui.main_window import MainWindow
from ui.preferences import Preferences
from ui.tasks import Work, unexpected

if TYPE_CHECKING:
    from broadcaster.practice import Practice
    from broadcaster.workspace import Workspace

log = logging.getLogger(__name__)

SWITCH_SECONDS = 0.0005
"""A busy worker thread then holds the window up by at most half a millisecond at a time."""
COLLECT_MS = 1_000


class MainThreadCollector(QObject):
    """Collects garbage in the window's thread only: widgets freed by another thread can dead-lock Qt."""

    def __init__(self, parent: QObject) -> None:
        super().__init__(parent)
        gc.disable()
        self._timer = QTimer(self)
        self._timer.timeout.connect(self._collect)
        self._timer.start(COLLECT_MS)

    @Slot()
    def _collect(self) -> None:
        thresholds, counts = gc.get_threshold(), gc.get_count()
        for generation in (2, 1, 0):
            if counts[generation] > thresholds[generation]:
                gc.collect(generation)
                return


class Start(QObject):
    """Opens the workspace off-thread, gives it to the window, and starts sending."""

    def __init__(self, settings: Settings, window: MainWindow) -> None:
        super().__init__(window)
        self._settings, self._window = settings, window
        self._close: Callable[[], None] | None = None
        window.tasks.run(self, self._open, self._opened, window.show_error)

    def _open(self, _work: Work) -> Workspace:
        from broadcaster.workspace import Workspace

        workspace = Workspace.open(self._settings)
        self._close = workspace.close
        return workspace

    def _opened(self, workspace: Workspace) -> None:
        self._attach(workspace)

        def start_sending(_work: Work) -> None:
            workspace.start_sending()

        self._window.tasks.run(self, start_sending, _leave_out, self._window.notice.error)

    def _attach(self, workspace: Workspace) -> None:
        """Give the workspace to the window."""
        # loaded here: it stands on the database's modules, which must not come before the window
        from ui.background_sync import BackgroundSync

        self._window.attach(workspace)
        BackgroundSync(workspace, self._window.tasks, self)
        _leave_out()

    def close(self) -> None:
        """Close what was opened; after the window's threads have ended."""
        if self._close is not None:
            self._close()


class PracticeStart(Start):
    """Starts the simulated Page, opens the workspace on it, and shows the guide beside the pages."""

    def __init__(self, settings: Settings, contacts: int, window: MainWindow) -> None:
        self._contacts = contacts
        super().__init__(settings, window)

    def _open(self, _work: Work) -> Practice:
        from broadcaster.practice import Practice

        practice = Practice(self._settings, self._contacts)
        self._close = practice.close
        return practice

    def _opened(self, practice: Practice) -> None:
        self._attach(practice.workspace)
        self._window.show_guide(practice.steps())


def _leave_out(_done: object = None) -> None:
    """What was imported by now is never garbage: leave it out of every later search for it."""
    gc.collect()
    gc.freeze()


def application(arguments: list[str] | None = None) -> QApplication:
    """The one QApplication, made if there is none."""
    existing = QApplication.instance()
    if isinstance(existing, QApplication):
        return existing
    app = QApplication(arguments or ["broadcaster"])
    app.setApplicationName("Broadcaster")
    app.setDesktopFileName("broadcaster")
    return app


def dress(app: QApplication, preferences: Preferences) -> None:
    """Language and look as the person chose them; follows the system's light and dark."""
    app.setProperty("translator", i18n.install(preferences.text("language") or None))
    theme.apply(app, preferences.text("theme", "system"), preferences.number("text_size", 1.0))


def open_window(settings: Settings) -> int:
    """Show the desktop app and stay until it is closed; returns the exit code."""
    return _run(settings, lambda window: Start(settings, window))


def open_practice(settings: Settings, contacts: int) -> int:
    """The same on a practice Page with that many people, and a guide through one campaign."""
    return _run(settings, lambda window: PracticeStart(settings, contacts, window))


def _run(settings: Settings, begin: Callable[[MainWindow], Start]) -> int:
    sys.setswitchinterval(SWITCH_SECONDS)
    app = application()
    preferences = Preferences(settings.home)
    dress(app, preferences)
    window = MainWindow(preferences)
    sys.excepthook = _excepthook(window)
    follower = _Follower(app, preferences, window)
    app.styleHints().colorSchemeChanged.connect(follower.scheme_changed)
    MainThreadCollector(window)
    window.show()
    start = begin(window)
    try:
        return app.exec()
    finally:
        start.close()


class _Follower(QObject):
    """Follows the system from light to dark while the person has not chosen."""

    def __init__(self, app: QApplication, preferences: Preferences, window: MainWindow) -> None:
        super().__init__(window)
        self._app, self._preferences = app, preferences

    @Slot()
    def scheme_changed(self) -> None:
        if self._preferences.text("theme", "system") == "system":
            dress(self._app, self._preferences)


def _excepthook(window: MainWindow) -> Callable[..., Any]:
    """Exceptions in slots end here: logged, and shown without ending the program."""

    def hook(kind: type[BaseException], bug: BaseException, trace: Any) -> None:
        if isinstance(bug, KeyboardInterrupt):
            sys.__excepthook__(kind, bug, trace)
            return
        known = bug if isinstance(bug, BroadcasterError) else unexpected(bug)
        window.notice.error(known)

    return hook
