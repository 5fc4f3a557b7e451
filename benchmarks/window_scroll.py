"""How long the window's thread is kept by each step through a table of a million people.

    QT_QPA_PLATFORM=offscreen python -m benchmarks.window_scroll [--contacts 1000000] [--folder DIR]

Wheel, page and random jumps on the real contacts page; each step is timed with the painting it causes. Beside it
stands a plain ``QTableView`` over rows that are already in memory: what Qt itself takes.
"""

from __future__ import annotations

import argparse
import gc
import random
import statistics
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from PySide6.QtCore import QAbstractTableModel, Qt
from PySide6.QtWidgets import QApplication, QTableView

from benchmarks import contacts_made as made
from benchmarks.contacts_million import _page
from broadcaster.clock import ManualClock
from broadcaster.contacts.importing import import_contacts
from broadcaster.settings import Settings
from broadcaster.workspace import Workspace
from ui import i18n, theme
from ui.main_window import MainWindow
from ui.pages.contacts import ContactsPage
from ui.preferences import Preferences

STEPS = 400
COLUMNS = 7


class Ready(QAbstractTableModel):
    """Cells that need no reading."""

    def __init__(self, rows: int) -> None:
        super().__init__()
        self._rows = rows

    def rowCount(self, *_parent: object) -> int:  # noqa: N802
        return self._rows

    def columnCount(self, *_parent: object) -> int:  # noqa: N802
        return COLUMNS

    def data(self, index: object, role: int = 0) -> object:
        return "Some text" if role == Qt.ItemDataRole.DisplayRole else None


def main() -> None:
    given = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    given.add_argument("--contacts", type=int, default=1_000_000)
    given.add_argument("--folder", type=Path)
    asked = given.parse_args()
    application = QApplication([])
    i18n.install("en")
    theme.apply(application, "light")
    with tempfile.TemporaryDirectory() as temporary:
        folder = asked.folder or Path(temporary)
        folder.mkdir(parents=True, exist_ok=True)
        database = folder / f"scroll-{asked.contacts}.db"
        fresh = not database.exists()
        settings = Settings(home=folder, database_url=f"sqlite:///{database}")
        clock = ManualClock(made.AT)
        with Workspace.open(settings, clock) as space:
            if fresh:
                file = made.write(folder / "scroll.csv", asked.contacts)
                import_contacts(space.store, clock, _page(space.store), file)
            window = MainWindow(Preferences(folder))
            window.resize(1280, 800)
            window.show()
            window.attach(space)
            window.go("contacts")
            page = window.page("contacts")
            assert isinstance(page, ContactsPage)
            while page.model.rowCount() < asked.contacts:
                application.processEvents()
            gc.collect()
            gc.freeze()
            measure("contacts page", application, page.table)
            window.close()
    plain = QTableView()
    plain.setModel(Ready(asked.contacts))
    plain.resize(1040, 560)
    plain.show()
    application.processEvents()
    measure("plain QTableView, rows in memory", application, plain)


def measure(name: str, application: QApplication, table: QTableView) -> None:
    bar, chance = table.verticalScrollBar(), random.Random(1)
    ways: dict[str, Callable[[int], int]] = {
        "wheel": lambda at: at + 3,
        "page": lambda at: at + bar.pageStep(),
        "jump": lambda _at: chance.randrange(bar.maximum()),
    }
    for way, following in ways.items():
        bar.setValue(bar.maximum() // 3)
        settle(application)
        taken = []
        for _ in range(STEPS):
            start = time.perf_counter()
            bar.setValue(following(bar.value()))
            table.viewport().repaint()
            application.processEvents()
            taken.append(1000 * (time.perf_counter() - start))
        taken.sort()
        over = sum(one > 16 for one in taken)
        print(
            f"{name:<34}{way:<6}{statistics.median(taken):6.1f} ms   p95 {taken[int(STEPS * 0.95)]:5.1f}"
            f"   most {taken[-1]:5.1f}   over 16: {over} of {STEPS}",
            flush=True,
        )


def settle(application: QApplication) -> None:
    ends = time.monotonic() + 0.5
    while time.monotonic() < ends:
        application.processEvents()


if __name__ == "__main__":
    main()
