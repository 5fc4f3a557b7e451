"""The list and the calendar of campaigns, and what can be done from there."""

from __future__ import annotations

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QPushButton
from pytestqt.qtbot import QtBot

from broadcaster.states import CampaignState
from broadcaster.workspace import Workspace
from tests.ui import campaigning
from tests.ui.conftest import Show, calm
from ui.main_window import MainWindow
from ui.pages.campaigns import CampaignsPage


def opened(window: MainWindow) -> CampaignsPage:
    page = window.page("campaigns")
    assert isinstance(page, CampaignsPage)
    return page


def press(qtbot: QtBot, window: MainWindow, button: QPushButton) -> None:
    qtbot.mouseClick(button, Qt.MouseButton.LeftButton)
    calm(qtbot, window)


def test_no_campaign_yet_offers_the_first(qtbot: QtBot, people: int, show: Show) -> None:
    window = show("campaigns")
    page = opened(window)
    assert "No campaign yet" in page.stage.pane.accessibleName()
    offer = next(each for each in page.stage.pane.findChildren(QPushButton) if each.text() == "New campaign")
    press(qtbot, window, offer)
    assert page.composer is not None


def test_states_are_words_in_the_list(space: Workspace, people: int, show: Show) -> None:
    campaigning.draft(space, people, "One")
    campaigning.scheduled(space, people, "Two")
    model = opened(show("campaigns")).model
    shown = {model.index(n, 0).data(): model.index(n, 1).data() for n in range(model.rowCount())}
    assert shown == {"One": "Draft", "Two": "Scheduled"}
    assert model.index(0, 4).data() == "Standard message"


def test_return_opens_the_composer_and_back_leaves_it(
    qtbot: QtBot, space: Workspace, people: int, show: Show
) -> None:
    campaigning.draft(space, people, "One")
    window = show("campaigns")
    page = opened(window)
    page.table.selectRow(0)
    qtbot.keyClick(page.table, Qt.Key.Key_Return)
    calm(qtbot, window)
    assert page.composer is not None and page.composer.name.text() == "One"
    press(qtbot, window, page.composer.back)
    assert page.composer is None


def test_the_calendar_shows_a_campaign_on_its_day(
    qtbot: QtBot, space: Workspace, people: int, show: Show
) -> None:
    made = campaigning.scheduled(space, people, "Two")
    window = show("campaigns")
    page = opened(window)
    press(qtbot, window, page.as_calendar)
    assert page.calendar.title == "November 2026"
    entry = next(b for b in page.calendar.findChildren(QPushButton) if b.accessibleName().startswith("Two,"))
    press(qtbot, window, entry)
    assert page.composer is not None and page.composer.row is not None
    assert page.composer.row.id == made


def test_searching_narrows_the_list(qtbot: QtBot, space: Workspace, people: int, show: Show) -> None:
    for name in ("Spring", "Summer", "Winter"):
        campaigning.draft(space, people, name)
    page = opened(show("campaigns"))
    qtbot.keyClicks(page.search, "mm")
    assert [page.model.index(n, 0).data() for n in range(page.model.rowCount())] == ["Summer"]


def test_a_scheduled_campaign_is_cancelled_after_a_question(
    qtbot: QtBot, space: Workspace, people: int, show: Show
) -> None:
    made = campaigning.scheduled(space, people, "Two")
    window = show("campaigns")
    page = opened(window)
    page._cancel(made)
    dialog = next(child for child in page.children() if child.metaObject().className() == "Dialog")
    deed = next(each for each in dialog.findChildren(QPushButton) if each.text() == "Cancel it")
    press(qtbot, window, deed)
    assert campaigning.get(space, made).state == CampaignState.CANCELLED


def test_a_test_that_cannot_be_sent_says_why(qtbot: QtBot, space: Workspace, people: int, show: Show) -> None:
    window = show("campaigns", campaigning.draft(space, people, "One"))
    page = opened(window)
    assert page.composer is not None
    press(qtbot, window, page.composer.test)
    qtbot.keyClicks(page.trial.psid, "1000000")
    press(qtbot, window, page.trial.send)
    assert "Connect the Page again." in page.trial.outcome.text()
    page.trial.close()


def test_a_copy_says_the_same_under_another_name(
    qtbot: QtBot, space: Workspace, people: int, show: Show
) -> None:
    made = campaigning.scheduled(space, people, "Two")
    window = show("campaigns")
    page = opened(window)
    page._copy(made)
    deed = next(each for each in page.copying.findChildren(QPushButton) if each.text() == "Make the copy")
    press(qtbot, window, deed)
    copy = campaigning.get(space, "Two (copy)")
    assert (copy.state, copy.message) == (CampaignState.DRAFT, campaigning.get(space, made).message)
    assert page.composer is not None and page.composer.name.text() == "Two (copy)"
