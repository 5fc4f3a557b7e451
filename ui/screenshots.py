"""A picture of every page with the practice data: ``python -m ui.screenshots FOLDER``."""

from __future__ import annotations

import gc
import os
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import QSize
from PySide6.QtWidgets import QApplication

from ui.app import application, dress
from ui.main_window import MainWindow
from ui.pages import PAGES
from ui.preferences import Preferences

if TYPE_CHECKING:
    from broadcaster.practice import Practice
    from broadcaster.workspace import Workspace

SIZES = ((1280, 800), (1920, 1080))
SCHEMES = ("light", "dark")
PATIENCE_SECONDS = 20.0
CALM_TURNS = 30
"""A page is drawn when no work of the window has run for so many turns of its loop."""
TURN_SECONDS = 0.01
PLANNED_IN = timedelta(hours=3)


def pictures(
    workspace: Workspace,
    folder: Path,
    schemes: Sequence[str] = ("light",),
    sizes: Sequence[tuple[int, int]] = SIZES[:1],
) -> list[Path]:
    """Every page of the open workspace as PNG files; returns their paths."""
    folder.mkdir(parents=True, exist_ok=True)
    app = application()
    gc.disable()  # other threads must not free widgets
    try:
        return _all(app, workspace, folder, schemes, sizes)
    finally:
        gc.collect()
        gc.enable()


def _all(
    app: QApplication,
    workspace: Workspace,
    folder: Path,
    schemes: Sequence[str],
    sizes: Sequence[tuple[int, int]],
) -> list[Path]:
    made: list[Path] = []
    with tempfile.TemporaryDirectory(prefix="broadcaster-pictures-") as kept:
        for scheme in schemes:
            preferences = Preferences(Path(kept))
            preferences.keep("theme", scheme)
            dress(app, preferences)
            for size in sizes:
                made += _of_one_look(app, workspace, preferences, folder, scheme, size)
    return made


def _of_one_look(
    app: QApplication,
    workspace: Workspace,
    preferences: Preferences,
    folder: Path,
    scheme: str,
    size: tuple[int, int],
) -> Iterator[Path]:
    window = MainWindow(preferences)
    window.show()
    window.attach(workspace)
    window.resize(QSize(*size))
    for place, name in enumerate(PAGES, 1):
        window.go(name)
        yield _picture(app, window, folder / f"{place}-{name}-{scheme}-{size[0]}x{size[1]}.png")
    draft = _newest_draft(workspace)
    if draft is not None:
        window.go("campaigns", draft)
        yield _picture(app, window, folder / f"4-composer-{scheme}-{size[0]}x{size[1]}.png")
    window.close()
    window.deleteLater()
    app.processEvents()


def _picture(app: QApplication, window: MainWindow, out: Path) -> Path:
    settle(app, window)
    window.grab().save(str(out))
    return out


def _newest_draft(workspace: Workspace) -> int | None:
    from broadcaster.campaigns import catalogue
    from broadcaster.states import CampaignState

    with workspace.store.read() as conn:
        drafts = catalogue.listing(conn, CampaignState.DRAFT)
    return drafts[0].id if drafts else None


def settle(app: QApplication, window: MainWindow, patience: float = PATIENCE_SECONDS) -> None:
    """Let the window work until nothing has run for a number of turns of its loop."""
    end = time.monotonic() + patience
    calm = 0
    while time.monotonic() < end and calm < CALM_TURNS:
        app.processEvents()
        calm = 0 if window.tasks.running else calm + 1
        time.sleep(TURN_SECONDS)


def _plan_more(practice: Practice) -> None:
    """A draft, one that waits for review and one that is planned: pages show more than what is over."""
    from broadcaster.campaigns import catalogue, lifecycle

    space = practice.workspace
    now = space.clock.now()
    with space.store.write() as conn:
        done = catalogue.get(conn, practice.campaign)
        for name, planner in (
            ("Winter tyres are here", 0),
            ("Opening hours at Christmas", 1),
            ("Ride-out on Sunday", 2),
        ):
            made = catalogue.duplicate(conn, done.id, name, actor="planner", at=now)
            if planner:
                lifecycle.submit(conn, made, actor="planner", at=now)
            if planner > 1:
                lifecycle.approve(conn, made, actor="reviewer", at=now, note="")
                lifecycle.schedule(conn, made, now + PLANNED_IN, actor="planner", at=now)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the practice campaign and leave the pictures in the folder given."""
    from broadcaster.practice import Practice
    from broadcaster.settings import load

    given = list(sys.argv[1:] if arguments is None else arguments)
    folder = Path(given[0] if given else "screenshots")
    os.environ.setdefault("BROADCASTER_SECRETS", "file")
    with tempfile.TemporaryDirectory(prefix="broadcaster-practice-") as home:
        practice = Practice(load(home=home))
        try:
            for step in practice.steps():
                step.run()
            _plan_more(practice)
            made = pictures(practice.workspace, folder, SCHEMES, SIZES)
        finally:
            practice.close()
    print(f"{len(made)} pictures are in {folder}.")
    return 0


if __name__ == "__main__":
    os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")
    sys.exit(main())
