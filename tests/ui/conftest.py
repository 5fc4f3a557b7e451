"""The window's tests run offscreen, with the real look applied, driven by keys and clicks."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from PySide6.QtWidgets import QApplication

from broadcaster.events import EventHub
from ui import theme
from ui.bridge import Bridge
from ui.preferences import Preferences
from ui.tasks import Tasks


@pytest.fixture(scope="session", autouse=True)
def dressed(qapp: QApplication) -> QApplication:
    theme.apply(qapp, "light")
    return qapp


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
