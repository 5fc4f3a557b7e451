"""The frame: rail, palette, banner, zone, tasks."""

from __future__ import annotations

import pytest
from PySide6.QtCore import QEvent, QObject, Qt
from PySide6.QtWidgets import QApplication, QDialog, QLineEdit, QMainWindow, QMenu, QPushButton, QWidget
from pytestqt.qtbot import QtBot

from broadcaster.workspace import Workspace
from tests.ui.conftest import Show, calm
from ui import theme
from ui.main_window import MainWindow
from ui.pages import PAGES
from ui.preferences import Preferences


def test_the_window_stands_before_a_workspace_is_open(qtbot: QtBot, preferences: Preferences) -> None:
    window = MainWindow(preferences)
    qtbot.addWidget(window)
    window.show()
    assert window.isVisible()
    window.close()


def test_ctrl_and_a_number_goes_to_each_page(qtbot: QtBot, people: int, show: Show) -> None:
    window = show("home")
    for place, name in enumerate(PAGES, 1):
        qtbot.keyClick(window, Qt.Key(Qt.Key.Key_0 + place), Qt.KeyboardModifier.ControlModifier)
        calm(qtbot, window)
        assert window.current == name
        assert window.rail.button(name).isChecked()
        assert not window.notice.isVisible(), window.notice.text


def test_a_click_on_the_rail_goes_there(qtbot: QtBot, people: int, show: Show) -> None:
    window = show("home")
    qtbot.mouseClick(window.rail.button("audiences"), Qt.MouseButton.LeftButton)
    assert window.current == "audiences"


def test_the_palette_finds_a_page_by_typing(qtbot: QtBot, people: int, show: Show) -> None:
    window = show("home")
    qtbot.keyClick(window, Qt.Key.Key_K, Qt.KeyboardModifier.ControlModifier)
    palette = window.palette_
    qtbot.keyClicks(palette.edit, "audi")
    qtbot.keyClick(palette.edit, Qt.Key.Key_Return)
    calm(qtbot, window)
    assert window.current == "audiences"


def test_the_palette_finds_a_person(qtbot: QtBot, people: int, show: Show) -> None:
    window = show("home")
    window.open_palette()
    palette = window.palette_
    qtbot.keyClicks(palette.edit, "Last003")
    qtbot.waitUntil(lambda: palette.list.count() == 1)
    qtbot.keyClick(palette.edit, Qt.Key.Key_Return)
    calm(qtbot, window)
    assert window.current == "contacts"


def test_a_practice_page_shows_the_banner_and_its_name(people: int, show: Show) -> None:
    window = show("home")
    assert window.banner.isVisible()
    assert "Practice Page" in window.banner.text
    assert "Spoke & Chain" in window.windowTitle()


def test_another_zone_is_shown_everywhere(qtbot: QtBot, people: int, show: Show) -> None:
    window = show("contacts")
    window.use_zone("Asia/Tokyo")
    assert window.page("contacts").zone.key == "Asia/Tokyo"
    assert window.preferences.text("zone") == "Asia/Tokyo"


def test_the_status_bar_leads_to_its_places(qtbot: QtBot, people: int, show: Show) -> None:
    window = show("home")
    assert window.statusbar_.button("queue").text() == "Queue: nothing to send"
    qtbot.mouseClick(window.statusbar_.button("webhooks"), Qt.MouseButton.LeftButton)
    assert window.current == "settings"


def test_an_unreadable_workspace_says_what_to_do(qtbot: QtBot, preferences: Preferences) -> None:
    from broadcaster.errors import EnvironmentFault

    window = MainWindow(preferences)
    qtbot.addWidget(window)
    window.show()
    window.show_error(EnvironmentFault("The folder cannot be written.", "Choose another."))
    assert "Choose another." in window.pane.accessibleName()
    window.close()


@pytest.mark.parametrize("name", PAGES)
def test_every_control_has_an_accessible_name(name: str, people: int, show: Show) -> None:
    window = show(name)
    nameless = [
        f"{type(widget).__name__} {widget.objectName()}"
        for kind in (QPushButton, QLineEdit)
        for widget in window.findChildren(kind)
        if widget.isVisible() and not _name(widget) and not widget.objectName().startswith("qt_")
    ]
    assert nameless == []


def _name(widget: QWidget) -> str:
    parent = widget.parentWidget()
    own = widget.accessibleName() or getattr(widget, "text", str)() or widget.toolTip()
    inherited = parent.accessibleName() if parent is not None and widget.focusProxy() is None else ""
    return own or inherited


@pytest.mark.parametrize("name", PAGES)
def test_no_word_is_clipped_at_twice_the_text_size(
    qapp: QApplication, name: str, people: int, show: Show
) -> None:
    theme.apply(qapp, "light", 2.0)
    try:
        window = show(name)
        window.resize(1920, 1080)
        qapp.processEvents()
        clipped = [
            button.text()
            for button in window.page(name).findChildren(QPushButton)
            if button.isVisible() and button.width() < button.sizeHint().width() - theme.space("m")
        ]
        assert clipped == []
    finally:
        theme.apply(qapp, "light")


def test_right_to_left_mirrors_the_frame(
    qapp: QApplication, people: int, show: Show, space: Workspace
) -> None:
    qapp.setLayoutDirection(Qt.LayoutDirection.RightToLeft)
    try:
        window = show("home")
        rail, page = window.rail, window.page("home")
        assert rail.mapTo(window, rail.rect().center()).x() > page.mapTo(window, page.rect().center()).x()
    finally:
        qapp.setLayoutDirection(Qt.LayoutDirection.LeftToRight)


class Flashes(QObject):
    """Widgets shown as windows of their own: made visible before they stand in a layout."""

    def __init__(self) -> None:
        super().__init__()
        self.seen: list[str] = []

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:  # noqa: N802
        shown = event.type() == QEvent.Type.Show and isinstance(watched, QWidget) and watched.isWindow()
        if shown and not isinstance(watched, QMainWindow | QDialog | QMenu):
            self.seen.append(f"{type(watched).__name__} {watched.accessibleName() or watched.objectName()}")
        return False


@pytest.mark.parametrize("name", PAGES)
def test_no_part_flashes_up_as_a_window_of_its_own(
    qapp: QApplication, name: str, people: int, show: Show
) -> None:
    flashes = Flashes()
    qapp.installEventFilter(flashes)
    try:
        show(name)
    finally:
        qapp.removeEventFilter(flashes)
    assert flashes.seen == []
