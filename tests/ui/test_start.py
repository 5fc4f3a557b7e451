"""The start: light until the window stands, closed in order, pictures of every page."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from broadcaster.workspace import Workspace
from ui.pages import PAGES
from ui.screenshots import pictures
from ui.start import has_display

START = """
import sys
from PySide6.QtCore import QTimer
import ui.app as app
from ui.main_window import MainWindow
from ui.start import main
heavy = {"sqlalchemy", "sqlmodel", "requests", "apscheduler", "aiohttp"}
real = MainWindow.show
def show(window):
    print("before the window:", sorted(heavy & set(sys.modules)))
    real(window)
MainWindow.show = show
attach = MainWindow.attach
def attached(window, workspace):
    attach(window, workspace)
    print("open:", window.current)
    QTimer.singleShot(300, window.close)
MainWindow.attach = attached
sys.exit(main(["--home", sys.argv[1]]))
"""


def test_the_window_stands_before_anything_heavy_is_imported_and_closes_cleanly(tmp_path: Path) -> None:
    environ = {**os.environ, "QT_QPA_PLATFORM": "offscreen", "BROADCASTER_SECRETS": "file"}
    done = subprocess.run(
        [sys.executable, "-c", START, str(tmp_path)], env=environ, capture_output=True, text=True, timeout=90
    )
    assert done.returncode == 0, done.stderr
    assert "before the window: []" in done.stdout
    assert "open: home" in done.stdout


def test_pictures_are_made_of_every_page(people: int, space: Workspace, tmp_path: Path) -> None:
    made = pictures(space, tmp_path / "pictures")
    assert [path.name.split("-")[1] for path in made] == list(PAGES)
    assert all(path.stat().st_size > 10_000 for path in made)


def test_without_a_display_server_there_is_no_display() -> None:
    if sys.platform.startswith("linux"):
        assert not has_display({})
        assert has_display({"DISPLAY": ":0"})
