"""Contacts: table, search, the person's panel, import."""

from __future__ import annotations

from pathlib import Path

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QLabel
from pytestqt.qtbot import QtBot

from broadcaster.contacts import people as known
from broadcaster.workspace import Workspace
from tests.ui.conftest import PEOPLE, Show, calm, contacts_csv
from ui.pages.contacts import ContactsPage
from ui.pages.contacts.growth import GrowthDialog
from ui.pages.contacts.importing import ImportDialog
from ui.pages.contacts.past_imports import PastImports


def opened(window: object) -> ContactsPage:
    page = window.page("contacts")  # type: ignore[attr-defined]
    assert isinstance(page, ContactsPage)
    return page


def words(widget: object) -> str:
    return " ".join(label.text() for label in widget.findChildren(QLabel) if label.isVisible())  # type: ignore[attr-defined]


def test_everybody_stands_in_the_table_newest_action_first(people: int, show: Show) -> None:
    page = opened(show("contacts"))
    assert page.model.rowCount() == PEOPLE
    assert page.model.index(0, 0).data() == "First0 Last000"
    assert page.count_text.text() == "60 people"


def test_typing_narrows_the_table(qtbot: QtBot, people: int, show: Show) -> None:
    window = show("contacts")
    page = opened(window)
    qtbot.keyClicks(page.search, "last01")
    qtbot.waitUntil(lambda: 0 < page.model.rowCount() < PEOPLE)
    assert page.model.index(0, 0).data().startswith("First1")


def test_nobody_found_offers_everyone_again(qtbot: QtBot, people: int, show: Show) -> None:
    window = show("contacts")
    page = opened(window)
    qtbot.keyClicks(page.search, "nobody at all")
    qtbot.waitUntil(lambda: not page.stage.showing_content)
    calm(qtbot, window)
    assert "Nobody fits" in page.stage.pane.accessibleName()


def test_the_window_is_shown_in_words_too(people: int, show: Show) -> None:
    page = opened(show("contacts"))
    assert page.model.index(1, 1).data() == "Open: 23 h"
    assert page.model.index(22, 1).data() == "Closing: 2 h"
    assert page.model.index(30, 1).data() == "Closed 6 h ago"


def test_quick_filter_shows_only_open_windows(qtbot: QtBot, people: int, show: Show) -> None:
    window = show("contacts")
    page = opened(window)
    page.quick.setFocus()
    qtbot.keyClick(page.quick, Qt.Key.Key_Down)
    qtbot.waitUntil(lambda: page.model.rowCount() in (24, 25))


def test_return_opens_the_person_and_says_why_not(qtbot: QtBot, people: int, show: Show) -> None:
    window = show("contacts")
    page = opened(window)
    page.table.choose(page.model.id_at(40))
    qtbot.keyClick(page.table, Qt.Key.Key_Return)
    calm(qtbot, window)
    assert page.panel.isVisible()
    assert "more than 24 hours before the send time" in words(page.panel)
    assert "Berlin" in words(page.panel) or "Lisboa" in words(page.panel)


def test_somebody_inside_the_window_can_be_reached(qtbot: QtBot, people: int, show: Show) -> None:
    window = show("contacts")
    page = opened(window)
    page.table.choose(page.model.id_at(2))
    qtbot.keyClick(page.table, Qt.Key.Key_Return)
    calm(qtbot, window)
    assert "Yes, by this way to send." in words(page.panel)


def test_an_opt_out_by_hand_is_kept_with_its_reason(
    qtbot: QtBot, people: int, space: Workspace, show: Show
) -> None:
    window = show("contacts")
    page = opened(window)
    contact_id = page.model.id_at(2)
    page.open(contact_id)
    calm(qtbot, window)
    page.panel._opt_out()
    dialog = page.panel.dialog
    qtbot.keyClicks(dialog.why, "told us on the phone")
    qtbot.mouseClick(dialog.note_button, Qt.MouseButton.LeftButton)
    calm(qtbot, window)
    with space.store.read() as conn:
        assert known.person(conn, contact_id).row.opted_out
    assert "Opted out" in words(page.panel)


def test_escape_closes_the_panel(qtbot: QtBot, people: int, show: Show) -> None:
    window = show("contacts")
    page = opened(window)
    page.open(page.model.id_at(2))
    calm(qtbot, window)
    page.panel.way.setFocus()
    qtbot.keyClick(page.panel.way, Qt.Key.Key_Escape)
    assert not page.panel.isVisible()


def test_own_attributes_become_columns_that_can_be_shown(people: int, show: Show) -> None:
    page = opened(show("contacts"))
    assert {"attribute.city", "attribute.visits"} <= {column.key for column in page.model.columns}
    city = next(a for a in page.table.column_menu().actions() if a.text() == "city")
    city.trigger()
    assert "attribute.city" in page.table.shown_columns()


def import_dialog(qtbot: QtBot, window: object, file: Path) -> ImportDialog:
    page = opened(window)
    page.import_file()
    dialog = page.dialog
    qtbot.keyClicks(dialog.file_edit, str(file))
    qtbot.keyClick(dialog.file_edit, Qt.Key.Key_Return)
    qtbot.waitUntil(lambda: dialog.import_button.isEnabled())
    return dialog


def test_an_import_shows_first_what_it_would_do(
    qtbot: QtBot, page_id: int, space: Workspace, tmp_path: Path, show: Show
) -> None:
    file = tmp_path / "new.csv"
    file.write_text(contacts_csv(space.clock.now(), 5) + "broken,,,,,,,,,\n", "utf-8")
    window = show("contacts")
    dialog = import_dialog(qtbot, window, file)
    qtbot.mouseClick(dialog.dry_button, Qt.MouseButton.LeftButton)
    qtbot.waitUntil(lambda: "It would be" in dialog.notice.text)
    assert "5 created" in dialog.notice.text
    assert "1 not taken" in dialog.notice.text
    with space.store.read() as conn:
        assert known.count(conn, page_id) == 0


def test_an_import_takes_people_and_can_be_taken_back(
    qtbot: QtBot, page_id: int, space: Workspace, tmp_path: Path, show: Show
) -> None:
    file = tmp_path / "new.csv"
    file.write_text(contacts_csv(space.clock.now(), 5), "utf-8")
    window = show("contacts")
    page = opened(window)
    dialog = import_dialog(qtbot, window, file)
    qtbot.mouseClick(dialog.import_button, Qt.MouseButton.LeftButton)
    qtbot.waitUntil(lambda: page.model.rowCount() == 5)
    assert "5 created" in page.notice.text
    qtbot.mouseClick(page.notice._action, Qt.MouseButton.LeftButton)
    qtbot.waitUntil(lambda: page.model.rowCount() == 0)


def test_a_file_without_ids_says_so_and_offers_to_map_a_column(
    qtbot: QtBot, page_id: int, tmp_path: Path, show: Show
) -> None:
    file = tmp_path / "new.csv"
    file.write_text("user,first_name\n123456,Ann\n", "utf-8")
    window = show("contacts")
    dialog = import_dialog(qtbot, window, file)
    assert "psid" not in dialog.mapping().values()
    dialog._boxes["user"].setCurrentIndex(dialog._boxes["user"].findData("psid"))
    qtbot.mouseClick(dialog.dry_button, Qt.MouseButton.LeftButton)
    qtbot.waitUntil(lambda: "1 created" in dialog.notice.text)


def test_export_writes_everybody(qtbot: QtBot, people: int, tmp_path: Path, show: Show) -> None:
    window = show("contacts")
    page = opened(window)
    out = tmp_path / "out.csv"
    page.export_to(str(out))
    calm(qtbot, window)
    assert len(out.read_text("utf-8-sig").splitlines()) == PEOPLE + 1


def imported(space: Workspace, page_id: int, folder: Path, text: str) -> int:
    from broadcaster.contacts.importing import import_contacts

    file = folder / "more.csv"
    file.write_text(text)
    made = import_contacts(
        space.store, space.clock, page_id, file, rejects=folder / "more.rejects.csv", actor="anna"
    )
    assert made.import_id is not None
    return made.import_id


def test_a_past_import_is_listed_and_taken_back(
    qtbot: QtBot, people: int, page_id: int, space: Workspace, show: Show, tmp_path: Path
) -> None:
    imported(space, page_id, tmp_path, "psid,first_name\n900001,Zoe\n900002,Yan\nnine,Bad\n")
    window = show("contacts")
    page = opened(window)
    page.show_imports()
    calm(qtbot, window)
    dialog = page.dialog
    assert isinstance(dialog, PastImports)
    row = [dialog.model.index(0, place).data() for place in range(dialog.model.columnCount())]
    assert (row[0], row[2], row[3], row[7], row[8]) == ("more.csv", "Finished", "2", "1", "anna")
    assert dialog.rejects_button.isEnabled()
    qtbot.mouseClick(dialog.undo_button, Qt.MouseButton.LeftButton)
    assert "2 people" in dialog.question.windowTitle()
    dialog.question.accept()
    qtbot.waitUntil(lambda: page.count_text.text() == f"{PEOPLE} people")
    page.show_imports()
    calm(qtbot, window)
    again = page.dialog
    assert isinstance(again, PastImports)
    assert again.model.index(0, 2).data() == "Taken back"
    assert not again.undo_button.isEnabled()


def test_an_import_that_was_used_stays_and_says_why(
    qtbot: QtBot, people: int, page_id: int, space: Workspace, show: Show, tmp_path: Path
) -> None:
    first = imported(space, page_id, tmp_path, "psid,first_name\n900001,Zoe\n")
    imported(space, page_id, tmp_path, "psid,first_name\n900001,Yan\n")
    window = show("contacts")
    page = opened(window)
    page.undo_import(first)
    qtbot.waitUntil(lambda: "a later import has used it" in page.notice.text)
    assert page.count_text.text() == f"{PEOPLE + 1} people"


def test_a_link_with_its_code_follows_the_typing(
    qtbot: QtBot, people: int, page_id: int, show: Show, tmp_path: Path
) -> None:
    window = show("contacts")
    page = opened(window)
    page.show_growth()
    calm(qtbot, window)
    dialog = page.dialog
    assert isinstance(dialog, GrowthDialog)
    qtbot.keyClicks(dialog.ref, "poster-berlin")
    assert dialog.shown.text().endswith("?ref=poster-berlin")
    assert dialog.shown.text().startswith("https://m.me/")
    for name, start in (("code.png", b"\x89PNG"), ("code.svg", b"<?xml")):
        dialog.save_to(str(tmp_path / name))
        assert (tmp_path / name).read_bytes().startswith(start)
    qtbot.keyClicks(dialog.ref, " /")
    assert "characters that a link cannot carry" in dialog.notice.text
    assert not dialog.save_button.isEnabled()


def test_who_came_by_a_link_is_an_audience_away(
    qtbot: QtBot, people: int, page_id: int, space: Workspace, show: Show
) -> None:
    from broadcaster.contacts.interactions import InteractionFact, record
    from broadcaster.states import InteractionKind, Source

    now = space.clock.now()
    with space.store.write() as conn:
        facts = [
            InteractionFact(f"70{n}", InteractionKind.REFERRAL, now, Source.WEBHOOK, f"k{n}", ref="poster")
            for n in range(3)
        ]
        record(conn, page_id, facts)
    window = show("contacts")
    page = opened(window)
    page.show_growth()
    calm(qtbot, window)
    dialog = page.dialog
    assert isinstance(dialog, GrowthDialog)
    assert [dialog.model.index(0, place).data() for place in range(3)] == ["poster", "3", "3 times"]
    dialog.table.choose(0)
    qtbot.keyClick(dialog.table, Qt.Key.Key_Return)
    calm(qtbot, window)
    builder = window.page("audiences").builder
    assert builder.filter() == {"all": [{"field": "entry_ref", "op": "eq", "value": "poster"}]}


def test_the_table_is_sorted_by_an_own_attribute(qtbot: QtBot, people: int, show: Show) -> None:
    window = show("contacts")
    page = opened(window)
    page._sort_asked("attribute.city", False)
    calm(qtbot, window)
    shown = [page._rows([page.model.id_at(place)])[0].attributes.get("city") for place in (0, PEOPLE - 1)]
    assert shown == sorted(shown)
    assert shown[0] != shown[1]
