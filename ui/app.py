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
from broadcaster.settings import Settings, load
from ui import i18n, theme
from ui.main_window import MainWindow
from ui.preferences import Preferences
from ui.tasks import Work, unexpected

if TYPE_CHECKING:
    from broadcaster.workspace import Workspace

log = logging.getLogger(__name__)

SWITCH_SECONDS = 0.0005
"""A busy worker thread then holds the window up by at most half a millisecond at a time."""
COLLECT_MS = 1_000
FLAGS = ("--home", "--database", "--as")


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
    """Opens the workspace off-thread and gives it to the window."""

    def __init__(self, settings: Settings, window: MainWindow) -> None:
        super().__init__(window)
        self._settings, self._window = settings, window
        self.workspace: Workspace | None = None
        window.tasks.run(self, self._open, self._opened, self._failed)

    def _open(self, _work: Work) -> Workspace:
        from broadcaster.workspace import Workspace

        return Workspace.open(self._settings)

    def _opened(self, workspace: Workspace) -> None:
        self.workspace = workspace
        self._window.attach(workspace)
        self._window.tasks.run(self, self._start_sending, None, self._window.notice.error)

    def _start_sending(self, _work: Work) -> None:
        if self.workspace is not None:
            self.workspace.start_sending()

    def _failed(self, error: BroadcasterError) -> None:
        self._window.show_error(error)

    def close(self) -> None:
        if self.workspace is not None:
            self.workspace.close()


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
    start = Start(settings, window)
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


def main(arguments: list[str] | None = None) -> int:
    """``broadcaster``: the window at once when nothing but flags is given, else the command line."""
    given = list(sys.argv[1:] if arguments is None else arguments)
    flags = dict(zip(given[::2], given[1::2], strict=False))
    if len(given) % 2 == 0 and all(flag in FLAGS for flag in flags):
        try:
            return open_window(load(flags.get("--home"), flags.get("--database"), flags.get("--as")))
        except BroadcasterError as error:
            print(f"broadcaster: {error}", file=sys.stderr)
            return error.exit_code
    from broadcaster.cli.main import main as command_line

    return command_line(given, open_window=open_window)


if __name__ == "__main__":
    sys.exit(main())
