"""The window's tests run offscreen, with the real look applied, driven by keys and clicks."""

from __future__ import annotations

import gc
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from PySide6.QtCore import QEvent, QTimer
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from broadcaster.clock import ManualClock
from broadcaster.contacts import importing
from broadcaster.events import EventHub
from broadcaster.settings import Settings
from broadcaster.store.tables import Page
from broadcaster.workspace import Workspace
from ui import i18n, theme
from ui.bridge import Bridge
from ui.main_window import MainWindow
from ui.preferences import Preferences
from ui.tasks import Tasks


@pytest.fixture(scope="session", autouse=True)
def dressed(qapp: QApplication) -> QApplication:
    i18n.install("en")
    theme.apply(qapp, "light")
    gc.freeze()
    return qapp


@pytest.fixture(autouse=True)
def collected_in_the_main_thread(dressed: QApplication) -> Iterator[None]:
    """As in the app: widgets freed by the garbage collector of another thread crash Qt."""
    gc.disable()
    yield
    dressed.sendPostedEvents(None, QEvent.Type.DeferredDelete)
    gc.collect()
    gc.freeze()  # what outlives a test is modules and caches: not searched again
    gc.enable()


@pytest.fixture
def tasks(qapp: QApplication) -> Iterator[Tasks]:
    made = Tasks()
    yield made
    made.close()


@pytest.fixture
def hub() -> EventHub:
    return EventHub()


@pytest.fixture
def bridge(qapp: QApplication, hub: EventHub) -> Iterator[Bridge]:
    made = Bridge(hub)
    yield made
    made.close()


@pytest.fixture
def preferences(tmp_path: Path) -> Preferences:
    return Preferences(tmp_path)


PEOPLE = 60


def contacts_csv(now: datetime, people: int = PEOPLE) -> str:
    """People whose windows opened 0, 1, 2 … hours ago; every seventh opted out, every tenth nameless."""
    lines = ["psid,first_name,last_name,locale,timezone,last_interaction_at,opted_out,labels,city,visits"]
    for n in range(people):
        name = ("", "") if n % 10 == 9 else (f"First{n}", f"Last{n:03}")
        at = (now - timedelta(hours=n)).isoformat()
        city, label = ("Berlin", "VIP") if n % 2 else ("Lisboa", "")
        opted = "true" if n % 7 == 6 else "false"
        lines.append(
            f"{1000000 + n},{name[0]},{name[1]},de_DE,Europe/Berlin,{at},{opted},{label},{city},{n % 5}"
        )
    return "\n".join(lines) + "\n"


@pytest.fixture
def space(tmp_path: Path, clock: ManualClock) -> Iterator[Workspace]:
    settings = Settings(
        home=tmp_path,
        database_url=f"sqlite:///{tmp_path / 'broadcaster.db'}",
        graph_url="http://127.0.0.1:9",
        actor="tester",
    )
    with Workspace.open(settings, clock) as opened:
        yield opened


@pytest.fixture
def page_id(space: Workspace) -> int:
    with space.store.session() as session:
        page = Page(
            graph_id="104",
            name="Spoke & Chain",
            platform="messenger",
            graph_url="http://127.0.0.1:9",
            graph_version="v26.0",
            practice=True,
            connected_at=space.clock.now(),
        )
        session.add(page)
        session.flush()
        return int(page.id or 0)


@pytest.fixture
def people(space: Workspace, page_id: int, tmp_path: Path) -> int:
    """The Page knows 60 people; gives the Page's id."""
    file = tmp_path / "people.csv"
    file.write_text(contacts_csv(space.clock.now()), "utf-8")
    importing.import_contacts(space.store, space.clock, page_id, file)
    return page_id


Show = Callable[..., MainWindow]


@pytest.fixture
def show(qtbot: QtBot, space: Workspace, preferences: Preferences) -> Iterator[Show]:
    """``show("contacts")`` opens the window there and waits until it is calm."""
    opened: list[MainWindow] = []

    def at(name: str, argument: object = None) -> MainWindow:
        window = MainWindow(preferences)
        opened.append(window)
        window.resize(1280, 800)
        window.show()
        window.attach(space)
        window.go(name, argument)
        calm(qtbot, window)
        return window

    yield at
    for window in opened:
        window.close()
        window.deleteLater()


LAYOUT_MS = 20
"""Fresh widgets become visible in the next turns of the loop."""
SHORT_MS = 200
"""Timers of this length or shorter are about to start work; longer ones only watch."""


def calm(qtbot: QtBot, window: MainWindow) -> None:
    """Wait until no work of the window runs and no timer of a page is about to start some."""
    qtbot.waitUntil(lambda: not _busy(window), timeout=10_000)
    qtbot.wait(LAYOUT_MS)


def _busy(window: MainWindow) -> bool:
    return bool(window.tasks.running) or any(
        timer.isActive() and timer.isSingleShot() and timer.interval() <= SHORT_MS
        for timer in window.findChildren(QTimer)
    )
