"""The practice campaign's guide: steps run one by one, faults stop it, pages follow."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QLabel
from pytestqt.qtbot import QtBot

from broadcaster.errors import EnvironmentFault
from tests.ui.conftest import Show
from ui.guide import Guide
from ui.tasks import Tasks


@dataclass(frozen=True)
class Step:
    title: str
    text: str
    run: Callable[[], str]


def words(guide: Guide) -> str:
    return " ".join(label.text() for label in guide.findChildren(QLabel))


def test_one_press_does_one_step_and_tells_what_came_out(qtbot: QtBot, tasks: Tasks) -> None:
    guide = Guide([Step("Sync", "why", lambda: "12 people"), Step("Send", "why", lambda: "sent")], tasks)
    qtbot.addWidget(guide)
    guide.show()
    qtbot.mouseClick(guide.next_button, Qt.MouseButton.LeftButton)
    qtbot.waitUntil(lambda: guide.done == 1)
    assert "12 people" in words(guide)
    assert "sent" not in words(guide)


def test_do_all_goes_to_the_end(qtbot: QtBot, tasks: Tasks) -> None:
    guide = Guide([Step(str(n), "", lambda: "done") for n in range(4)], tasks)
    qtbot.addWidget(guide)
    guide.show()
    qtbot.mouseClick(guide.all_button, Qt.MouseButton.LeftButton)
    qtbot.waitUntil(lambda: guide.done == 4)
    assert not guide.next_button.isEnabled()


def test_a_fault_stops_it_and_the_step_can_be_done_again(qtbot: QtBot, tasks: Tasks) -> None:
    outcomes = [EnvironmentFault("The port is taken.", "Choose another."), None]

    def step() -> str:
        fault = outcomes.pop(0)
        if fault is not None:
            raise fault
        return "listening"

    guide = Guide([Step("Listen", "", step), Step("Next", "", lambda: "next")], tasks)
    qtbot.addWidget(guide)
    guide.show()
    guide.do_all()
    qtbot.waitUntil(lambda: guide.next_button.isEnabled())
    assert "The port is taken. Choose another." in words(guide)
    assert guide.done == 0
    qtbot.mouseClick(guide.next_button, Qt.MouseButton.LeftButton)
    qtbot.waitUntil(lambda: guide.done == 1)


def test_the_window_follows_the_guide(qtbot: QtBot, people: int, show: Show) -> None:
    window = show("home")
    window.show_guide([Step("Listen", "", lambda: "ok"), Step("Sync", "", lambda: "ok")])
    assert window.guide is not None
    window.guide.do_next()
    qtbot.waitUntil(lambda: window.guide is not None and window.guide.done == 1)
    assert window.current == "settings"
