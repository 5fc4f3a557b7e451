"""Settings: what is kept, the connect dialog, appearance."""

from __future__ import annotations

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QApplication, QLabel
from pytestqt.qtbot import QtBot

from broadcaster.store import values
from broadcaster.workspace import Workspace
from tests.ui.conftest import Show, calm
from ui import theme
from ui.pages.settings import SettingsPage, section_titles


def opened(window: object) -> SettingsPage:
    page = window.page("settings")  # type: ignore[attr-defined]
    assert isinstance(page, SettingsPage)
    return page


def words(page: SettingsPage) -> str:
    return " ".join(label.text() for label in page.findChildren(QLabel) if label.isVisible())


def test_every_section_opens_without_trouble(qtbot: QtBot, people: int, show: Show) -> None:
    window = show("settings")
    page = opened(window)
    for key in section_titles():
        window.go("settings", key)
        calm(qtbot, window)
        assert not page.notice.isVisible(), page.notice.text


def test_quiet_hours_cap_and_pace_are_kept(qtbot: QtBot, people: int, space: Workspace, show: Show) -> None:
    window = show("settings", "sending")
    section = opened(window).section("sending")
    qtbot.mouseClick(section.quiet, Qt.MouseButton.LeftButton, pos=section.quiet.rect().center() / 4)
    section.quiet.setChecked(True)
    section.cap.setChecked(True)
    section.rate.setValue(25)
    qtbot.mouseClick(section.save_button, Qt.MouseButton.LeftButton)
    calm(qtbot, window)
    with space.store.read() as conn:
        quiet = {"from": "21:00", "to": "08:00", "timezone": "recipient"}
        assert values.value(conn, "quiet_hours") == quiet
        assert values.value(conn, "frequency_cap") == {"max": 2, "per": "7d"}
        assert values.value(conn, "throttle_per_second") == 25


def test_connecting_without_a_token_says_what_is_missing(qtbot: QtBot, show: Show) -> None:
    window = show("settings", "pages")
    section = opened(window).section("pages")
    section.connect_page()
    dialog = section.dialog
    qtbot.mouseClick(dialog.connect_button, Qt.MouseButton.LeftButton)
    assert dialog.token.property("invalid")
    assert dialog.graph_id.property("invalid")
    dialog.reject()


def test_an_address_that_does_not_answer_is_said_in_the_dialog(qtbot: QtBot, show: Show) -> None:
    window = show("settings", "pages")
    section = opened(window).section("pages")
    section.connect_page()
    dialog = section.dialog
    qtbot.keyClicks(dialog.graph_id, "12345")
    qtbot.keyClicks(dialog.token, "EAAB-token")
    qtbot.keyClick(dialog.token, Qt.Key.Key_Return)
    qtbot.waitUntil(lambda: "does not answer" in dialog._notice.text, timeout=10_000)
    dialog.reject()


def test_every_way_to_send_is_listed_with_its_state(qtbot: QtBot, people: int, show: Show) -> None:
    window = show("settings", "policy")
    calm(qtbot, window)
    said = words(opened(window))
    assert "Standard message" in said
    assert "Retired" in said


def test_the_audit_log_can_be_verified(qtbot: QtBot, people: int, show: Show) -> None:
    window = show("settings", "database")
    section = opened(window).section("database")
    qtbot.mouseClick(section.verify_button, Qt.MouseButton.LeftButton)
    qtbot.waitUntil(lambda: "chain whole" in section.audit.text())


def test_the_dark_theme_is_taken_at_once(qapp: QApplication, qtbot: QtBot, people: int, show: Show) -> None:
    window = show("settings", "appearance")
    section = opened(window).section("appearance")
    section.theme_box.setFocus()
    section.theme_box.setCurrentIndex(section.theme_box.findData("dark"))
    try:
        calm(qtbot, window)
        assert theme.current().scheme == "dark"
        assert window.preferences.text("theme") == "dark"
        assert window.current == "settings"
    finally:
        theme.apply(qapp, "light")


def test_new_campaigns_start_from_what_the_settings_say(
    qtbot: QtBot, people: int, space: Workspace, show: Show
) -> None:
    with space.store.write() as conn:
        values.keep(conn, "throttle_per_second", 25)
        values.keep(conn, "frequency_cap", {"max": 3, "per": "7d"})
    window = show("campaigns", {"new": True})
    page = window.page("campaigns")
    qtbot.waitUntil(lambda: page.composer is not None)
    calm(qtbot, window)
    assert page.composer.when.throttle.value() == 25
    assert page.composer.when.rules.frequency_cap() == {"max": 3, "per": "7d"}
