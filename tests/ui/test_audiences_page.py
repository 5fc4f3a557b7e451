"""Audiences: the builder, its live count, saving."""

from __future__ import annotations

import pytest
from PySide6.QtCore import Qt
from PySide6.QtGui import QGuiApplication
from pytestqt.qtbot import QtBot

from broadcaster.audiences import saved
from broadcaster.workspace import Workspace
from tests.ui.conftest import PEOPLE, Show, calm
from ui.pages.audiences import AudiencesPage
from ui.pages.audiences.builder import ConditionRow, GroupEditor
from ui.pages.audiences.values import TextValue

NESTED = {
    "all": [
        {"field": "attribute.city", "op": "eq", "value": "Berlin"},
        {
            "any": [
                {"field": "attribute.visits", "op": "gte", "value": 3},
                {"field": "label", "op": "has_label", "value": "VIP"},
            ]
        },
        {"not": {"any": [{"field": "opted_out", "op": "eq", "value": True}]}},
        {"field": "last_interaction_at", "op": "within_last", "value": "24h"},
        {"field": "last_interaction_at", "op": "before", "value": "2026-11-20T13:00:00+00:00"},
        {"field": "locale", "op": "in", "value": ["de_DE", "en_US"]},
        {"field": "timezone", "op": "is_set"},
        {"field": "random", "op": "lt", "value": {"percent": 50.0, "seed": 3}},
    ]
}


def opened(window: object) -> AudiencesPage:
    page = window.page("audiences")  # type: ignore[attr-defined]
    assert isinstance(page, AudiencesPage)
    return page


def figure(page: AudiencesPage) -> str:
    return page.result._figure.text()


def test_a_new_audience_is_everyone(people: int, show: Show) -> None:
    assert figure(opened(show("audiences"))) == str(PEOPLE)


def test_a_condition_added_by_keys_and_clicks_counts_at_once(qtbot: QtBot, people: int, show: Show) -> None:
    window = show("audiences")
    page = opened(window)
    root = page.builder.root
    assert root is not None
    qtbot.mouseClick(root._add_row, Qt.MouseButton.LeftButton)
    row = root.parts[0]
    assert isinstance(row, ConditionRow)
    row.field.setCurrentIndex(row.field.findData("attribute.city"))
    assert isinstance(row.editor, TextValue)
    qtbot.keyClicks(row.editor.edit, "Berlin")
    qtbot.waitUntil(lambda: figure(page) == "30")
    assert page.result._words.text() == "city is “Berlin”"


def test_a_row_without_a_value_is_marked_and_not_counted(qtbot: QtBot, people: int, show: Show) -> None:
    window = show("audiences")
    page = opened(window)
    root = page.builder.root
    assert root is not None
    qtbot.mouseClick(root._add_row, Qt.MouseButton.LeftButton)
    row = root.parts[0]
    assert isinstance(row, ConditionRow)
    row.field.setCurrentIndex(row.field.findData("first_name"))
    calm(qtbot, window)
    assert "still needs a value" in page.result._note.text()
    assert figure(page) == "–"


def test_a_filter_comes_out_of_the_builder_as_it_went_in(people: int, show: Show) -> None:
    page = opened(show("audiences"))
    page.builder.show_filter(NESTED, page._around())
    assert page.builder.filter() == NESTED


def test_groups_nest_and_can_be_removed(qtbot: QtBot, people: int, show: Show) -> None:
    page = opened(show("audiences"))
    root = page.builder.root
    assert root is not None
    qtbot.mouseClick(root._add_group, Qt.MouseButton.LeftButton)
    inner = root.parts[0]
    assert isinstance(inner, GroupEditor)
    inner.kind.setFocus()
    qtbot.keyClick(inner.kind, Qt.Key.Key_Down)
    assert inner.kind.currentData() == "none"
    inner.removed.emit()
    assert root.parts == []


def test_saving_keeps_it_under_its_name(qtbot: QtBot, people: int, space: Workspace, show: Show) -> None:
    window = show("audiences")
    page = opened(window)
    page.builder.show_filter({"all": [NESTED["all"][0]]}, page._around())
    qtbot.keyClicks(page.name_edit, "Berliners")
    qtbot.mouseClick(page.save_button, Qt.MouseButton.LeftButton)
    calm(qtbot, window)
    with space.store.read() as conn:
        assert saved.get(conn, "Berliners").filter == {"all": [NESTED["all"][0]]}
    assert page.list.currentItem().text() == "Berliners"
    assert figure(page) == "30"


def test_without_a_name_nothing_is_saved(qtbot: QtBot, people: int, space: Workspace, show: Show) -> None:
    page = opened(show("audiences"))
    qtbot.mouseClick(page.save_button, Qt.MouseButton.LeftButton)
    with space.store.read() as conn:
        assert saved.listing(conn) == []
    assert page.name_edit.property("invalid")


def test_an_audience_asked_for_is_shown(qtbot: QtBot, people: int, space: Workspace, show: Show) -> None:
    with space.store.write() as conn:
        first = saved.save(conn, people, "A", {"all": []}, now=space.clock.now())
        second = saved.save(conn, people, "B", {"all": [NESTED["all"][0]]}, now=space.clock.now())
    window = show("audiences", second.id)
    page = opened(window)
    assert page.name_edit.text() == "B"
    page.open(first.id)
    calm(qtbot, window)
    assert page.name_edit.text() == "A"


def test_the_json_goes_to_the_clipboard(people: int, show: Show) -> None:
    page = opened(show("audiences"))
    page.copy_json()
    assert QGuiApplication.clipboard().text() == '{\n  "all": []\n}'


@pytest.mark.parametrize(
    ("given", "fault"), [("{", "Not JSON"), ('{"field": "nope", "op": "eq", "value": 1}', "nope")]
)
def test_wrong_json_says_where(qtbot: QtBot, people: int, show: Show, given: str, fault: str) -> None:
    page = opened(show("audiences"))
    page.edit_json()
    from ui.pages.audiences import JsonDialog

    dialog = page.findChild(JsonDialog)
    assert dialog is not None
    dialog.edit.setPlainText(given)
    dialog._take()
    assert fault in dialog._field._below.text()
    dialog.reject()
