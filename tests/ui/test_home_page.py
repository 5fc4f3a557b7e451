"""Home: cards for the empty workspace, figures, curve, decisions."""

from __future__ import annotations

from datetime import timedelta

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QLabel, QPushButton
from pytestqt.qtbot import QtBot

from broadcaster.states import PageState
from broadcaster.store.tables import Page
from broadcaster.workspace import Workspace
from tests.ui.conftest import Show, calm
from ui.pages.home import HomePage
from ui.widgets.labels import Figure


def opened(window: object) -> HomePage:
    page = window.page("home")  # type: ignore[attr-defined]
    assert isinstance(page, HomePage)
    return page


def words(page: HomePage) -> str:
    return " ".join(label.text() for label in page.findChildren(QLabel) if label.isVisible())


def test_an_empty_workspace_offers_three_ways_to_begin(qtbot: QtBot, show: Show) -> None:
    window = show("home")
    page = opened(window)
    assert "Three ways to begin" in words(page)
    connect = next(b for b in page.start.findChildren(QPushButton) if b.text() == "Connect a Page")
    qtbot.mouseClick(connect, Qt.MouseButton.LeftButton)
    assert window.current == "settings"


def test_a_page_without_people_offers_the_import(page_id: int, show: Show) -> None:
    assert "Nobody is known yet" in words(opened(show("home")))


def test_reachable_people_by_way_to_send(people: int, show: Show) -> None:
    page = opened(show("home"))
    figures = {figure.accessibleName() for figure in page.findChildren(Figure)}
    # hours 0 … 23 are inside the window less the margin's minute; 6, 13 and 20 opted out
    assert "Standard message: 21" in figures


def test_the_curve_has_a_table_behind_it_and_speaks(people: int, show: Show) -> None:
    page = opened(show("home"))
    table = page.chart.as_table()
    assert len(table) == 26
    assert table[1][1] == "21"
    assert "21 at today" in page.chart.accessibleDescription()


def test_a_stopped_page_and_an_ending_token_need_a_decision(
    qtbot: QtBot, people: int, space: Workspace, show: Show
) -> None:
    with space.store.session() as session:
        page = session.get(Page, people)
        assert page is not None
        page.state = PageState.TOKEN_INVALID
        page.state_text = "The token was revoked. Connect the Page again."
        page.token_expires_at = space.clock.now() + timedelta(days=2)
        session.add(page)
    window = show("home")
    said = words(opened(window))
    assert "The token was revoked." in said
    assert "The Page's token ends" in said


def test_events_of_the_core_bring_new_figures(
    qtbot: QtBot, people: int, space: Workspace, show: Show
) -> None:
    from broadcaster.contacts import opt_out

    window = show("home")
    page = opened(window)
    with space.store.write() as conn:
        opt_out.opt_out(conn, 1, source="hand", reason="asked", actor="tester", at=space.clock.now())
    space.hub.post("contact", 1)
    qtbot.waitUntil(
        lambda: "Standard message: 20" in {f.accessibleName() for f in page.findChildren(Figure)},
        timeout=5000,
    )
    calm(qtbot, window)
