"""The composer, by keys and clicks: everything it says is the core's answer about what stands there."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

import pytest
from PySide6.QtCore import Qt
from PySide6.QtGui import QTextCharFormat
from PySide6.QtWidgets import QLabel
from pytestqt.qtbot import QtBot
from sqlalchemy import insert, select

from broadcaster.campaigns.question import question_for
from broadcaster.policy import decide
from broadcaster.states import CampaignState
from broadcaster.store.tables import Contact, Interaction
from broadcaster.workspace import Workspace
from tests.ui import campaigning
from tests.ui.conftest import PEOPLE, Show, calm
from ui.pages.campaigns import CampaignsPage
from ui.pages.campaigns.composer import Composer

Compose = Callable[..., Composer]


@pytest.fixture
def compose(qtbot: QtBot, space: Workspace, people: int, show: Show) -> Compose:
    """Opens the composer on a campaign (or a new one) and waits for its answers."""
    campaigning.audience(space, people)

    def at(argument: object = None) -> Composer:
        window = show("campaigns", argument if argument is not None else {"new": True})
        page = window.page("campaigns")
        assert isinstance(page, CampaignsPage)
        qtbot.waitUntil(lambda: page.composer is not None)
        calm(qtbot, window)
        assert page.composer is not None
        return page.composer

    return at


def settle(qtbot: QtBot, composer: Composer) -> None:
    qtbot.wait(250)
    qtbot.waitUntil(lambda: not composer.page.tasks.running, timeout=10_000)
    qtbot.wait(20)  # fresh widgets become visible in the next turns of the loop


def press(qtbot: QtBot, button: object) -> None:
    qtbot.mouseClick(button, Qt.MouseButton.LeftButton)


def write(qtbot: QtBot, composer: Composer, words: str) -> None:
    qtbot.keyClicks(composer.message.text.editor, words)


def choose_audience(qtbot: QtBot, composer: Composer) -> None:
    composer.audience.choice.setFocus()
    qtbot.keyClick(composer.audience.choice, Qt.Key.Key_Down)
    settle(qtbot, composer)


def words(widget: object) -> str:
    return " ".join(label.text() for label in widget.findChildren(QLabel) if label.isVisible())  # type: ignore[attr-defined]


def test_choosing_an_audience_shows_who_can_be_reached(
    qtbot: QtBot, space: Workspace, people: int, compose: Compose
) -> None:
    composer = compose()
    choose_audience(qtbot, composer)
    row = composer.wish().row()
    assert row is not None
    with space.store.read() as conn:
        reach = decide.check(conn, question_for(conn, row, composer.when.at()))
    assert composer.outcome.waterfall.figure == str(reach.eligible)
    assert f"of {PEOPLE} people" in composer.outcome.waterfall.note
    assert "Window closed (24 h)" in [
        button.text() for button in composer.outcome.waterfall.findChildren(type(composer.save))
    ]


def test_what_was_written_is_what_is_stored(qtbot: QtBot, space: Workspace, compose: Compose) -> None:
    composer = compose()
    qtbot.keyClicks(composer.name, "Winter storage")
    choose_audience(qtbot, composer)
    write(qtbot, composer, "Shall we store your bike?")
    press(qtbot, composer.save)
    settle(qtbot, composer)
    row = campaigning.get(space, "Winter storage")
    assert row.message == {"text": "Shall we store your bike?"}
    assert row.start_at == composer.when.at()
    assert not composer.dirty


def test_submitting_hands_it_to_review(qtbot: QtBot, space: Workspace, people: int, compose: Compose) -> None:
    made = campaigning.draft(space, people)
    composer = compose(made)
    press(qtbot, composer.submit)
    settle(qtbot, composer)
    assert campaigning.get(space, made).state == CampaignState.SUBMITTED
    assert composer.pill.word == "Waiting for review"


def test_a_campaign_without_a_name_is_not_stored(qtbot: QtBot, space: Workspace, compose: Compose) -> None:
    composer = compose()
    write(qtbot, composer, "Hello")
    press(qtbot, composer.save)
    assert "Give the campaign a name." in words(composer.name_field)


def test_opening_a_campaign_changes_nothing_in_it(
    qtbot: QtBot, space: Workspace, people: int, compose: Compose
) -> None:
    more = {
        "canary": {"percent": 3, "wait_minutes": 7, "max_failure_percent": 9},
        "drift_limit_percent": 12,
        "undo_seconds": 45,
        "reply_brake": True,
    }
    made = campaigning.approved(
        space,
        people,
        quiet_hours={"from": "22:00", "to": "07:30", "timezone": "recipient"},
        frequency_cap={"max": 3, "per": "36h"},
        repeat={"every": "week", "until": "2027-01-01"},
        message={
            "text": "Hi",
            "buttons": [{"type": "web_url", "title": "Open", "url": "https://a.example"}],
            "quick_replies": ["Yes", {"title": "No", "payload": "NO"}],
        },
        **more,
    )
    composer = compose(made)
    assert not composer.dirty
    press(qtbot, composer.save)
    settle(qtbot, composer)
    assert campaigning.get(space, made).state == CampaignState.APPROVED


def test_changing_an_approved_campaign_says_that_the_approval_is_lost(
    qtbot: QtBot, space: Workspace, people: int, compose: Compose
) -> None:
    composer = compose(campaigning.approved(space, people))
    write(qtbot, composer, "!")
    assert "takes it back to draft" in composer.note.text()
    assert composer.submit.isVisible() and not composer.plan.isVisible()


def test_moving_the_start_alone_keeps_the_approval(
    qtbot: QtBot, space: Workspace, people: int, compose: Compose
) -> None:
    made = campaigning.scheduled(space, people)
    composer = compose(made)
    composer.when.moment.setFocus()
    composer.when.choose(space.clock.now() + timedelta(hours=7))
    assert composer.plan.isVisible() and not composer.submit.isVisible()
    press(qtbot, composer.plan)
    settle(qtbot, composer)
    row = campaigning.get(space, made)
    assert (row.state, row.start_at) == (CampaignState.SCHEDULED, space.clock.now() + timedelta(hours=7))
    assert row.seal


def test_a_retired_way_cannot_be_chosen_and_names_what_replaces_it(compose: Compose) -> None:
    composer = compose()
    card = composer.ways.card("confirmed_event_update")
    assert card.pill.word == "Retired since 2026-04-27"
    assert not card.radio.isEnabled()
    assert "instead" in words(card)


def test_a_retired_way_is_open_on_a_date_before_its_end(
    qtbot: QtBot, space: Workspace, compose: Compose
) -> None:
    composer = compose()
    composer.when.choose(space.clock.now() - timedelta(days=300))
    settle(qtbot, composer)
    assert composer.ways.card("confirmed_event_update").radio.isEnabled()


def test_another_way_reaches_other_people(qtbot: QtBot, compose: Compose) -> None:
    composer = compose()
    choose_audience(qtbot, composer)
    before = int(composer.outcome.waterfall.figure)
    press(qtbot, composer.ways.card("human_agent").radio)
    settle(qtbot, composer)
    assert int(composer.outcome.waterfall.figure) > before
    assert "Against the rule" in words(composer.outcome.findings)


def test_the_compare_table_has_a_column_per_way(qtbot: QtBot, compose: Compose) -> None:
    composer = compose()
    choose_audience(qtbot, composer)
    composer.compare()
    table = composer.compared.table
    reach = {way.title: way.reach for way in composer.ways.ways}
    shown = {table._header[n]: table.cell(1, n) for n in range(1, len(table._header))}
    assert shown == {title: str(number) for title, number in reach.items()}
    composer.compared.reject()


def test_promotional_words_are_underlined_and_listed(qtbot: QtBot, compose: Compose) -> None:
    composer = compose()
    choose_audience(qtbot, composer)
    press(qtbot, composer.ways.card("human_agent").radio)
    write(qtbot, composer, "Hello, 20% off today")
    settle(qtbot, composer)
    assert "20% off" in words(composer.outcome.findings)
    formats = composer.message.text.editor.document().firstBlock().layout().formats()
    underlined = [(each.start, each.length) for each in formats if each.format.underlineStyle()]
    assert underlined
    assert min(start for start, _ in underlined) == len("Hello, ")
    styles = {each.format.underlineStyle() for each in formats}
    assert QTextCharFormat.UnderlineStyle.WaveUnderline in styles


def test_clicking_a_finding_selects_its_words_behind_an_emoji(qtbot: QtBot, compose: Compose) -> None:
    composer = compose()
    choose_audience(qtbot, composer)
    press(qtbot, composer.ways.card("human_agent").radio)
    composer.message.text.editor.insertPlainText("🚲🚲 now 20% off")
    settle(qtbot, composer)
    entry = next(each for each in composer.outcome.findings.entries() if "20% off" in each.accessibleName())
    qtbot.keyClick(entry, Qt.Key.Key_Return)
    assert composer.message.text.editor.textCursor().selectedText() == "20% off"


def test_hovering_gives_the_reason(qtbot: QtBot, compose: Compose) -> None:
    composer = compose()
    choose_audience(qtbot, composer)
    press(qtbot, composer.ways.card("human_agent").radio)
    write(qtbot, composer, "20% off")
    settle(qtbot, composer)
    assert "Against the rule" in composer.message.text.editor.tips.words_at(3)
    assert composer.message.text.editor.tips.words_at(100) == ""


def test_a_missing_value_is_counted_until_it_has_a_fallback(qtbot: QtBot, compose: Compose) -> None:
    composer = compose()
    choose_audience(qtbot, composer)
    write(qtbot, composer, "Hi {{first_name}}")
    settle(qtbot, composer)
    assert "6 people have no value" in words(composer.message.text)
    field = next(
        edit
        for edit in composer.message.text.findChildren(type(composer.name))
        if edit.accessibleName() == "Fallback for first_name"
    )
    qtbot.keyClicks(field, "there")
    settle(qtbot, composer)
    assert composer.message.text.text == "Hi {{first_name|there}}"
    assert "A value is missing" not in words(composer.outcome.waterfall)


def test_typing_two_braces_offers_the_fields(qtbot: QtBot, compose: Compose) -> None:
    composer = compose()
    write(qtbot, composer, "Hi {{fir")
    popup = composer.message.text.editor._popup
    qtbot.waitUntil(popup.isVisible)
    qtbot.keyClick(popup, Qt.Key.Key_Return)
    assert composer.message.text.text == "Hi {{first_name}}"


def test_an_open_placeholder_is_named(qtbot: QtBot, compose: Compose) -> None:
    composer = compose()
    composer.message.text.editor.insertPlainText("Hi {{first_name")
    assert "not closed" in words(composer.message.text)


def test_the_counter_knows_the_lower_limit_beside_buttons(qtbot: QtBot, compose: Compose) -> None:
    composer = compose()
    write(qtbot, composer, "Hello")
    assert composer.message.text.counter == "5 of 1,999 characters"
    composer.message.buttons.add()
    assert composer.message.text.counter == "5 of 640 characters"


def test_the_preview_steps_through_people(qtbot: QtBot, compose: Compose) -> None:
    composer = compose()
    choose_audience(qtbot, composer)
    write(qtbot, composer, "Hi {{first_name|guest}}")
    settle(qtbot, composer)
    preview = composer.outcome.preview
    seen = {preview.bubble.text}
    for _ in range(5):
        press(qtbot, preview.next)
        seen.add(preview.bubble.text)
    assert len(seen) > 3
    assert all(each.startswith("Hi ") and "{" not in each for each in seen)


def test_the_curve_falls_and_its_best_moment_can_be_taken(qtbot: QtBot, compose: Compose) -> None:
    composer = compose()
    choose_audience(qtbot, composer)
    composer.when.choose(composer.page.now() + timedelta(hours=10))
    settle(qtbot, composer)
    numbers = [row[1] for row in composer.when.chart.as_table()[1:]]
    assert int(numbers[0]) > int(numbers[10])
    press(qtbot, composer.when._use_best)
    assert composer.when.at() == composer.when._best


def test_an_estimate_of_people_who_write_again_stands_beside_the_exact_curve(
    qtbot: QtBot, compose: Compose, space: Workspace, people: int
) -> None:
    now = space.clock.now()
    with space.store.write() as conn:
        for person in conn.execute(select(Contact.id).where(Contact.page_id == people).limit(20)).scalars():
            wrote = now - timedelta(days=7 * (1 + person % 4)) + timedelta(minutes=30 + person)
            record = {"page_id": people, "contact_id": person, "kind": "message", "source": "webhook"}
            conn.execute(insert(Interaction.__table__).values(**record, at=wrote))
        record["contact_id"] = person
        conn.execute(insert(Interaction.__table__).values(**record, at=now - timedelta(days=29)))
    composer = compose()
    choose_audience(qtbot, composer)
    head, *rows = composer.when.chart.as_table()
    assert head[1:] == ["Reachable", "With people who write again (estimate)"]
    assert any(int(row[2]) > int(row[1]) for row in rows[1:])
    assert "estimate" in words(composer.when)


def test_quiet_hours_are_shaded_on_the_curve(qtbot: QtBot, compose: Compose) -> None:
    composer = compose()
    choose_audience(qtbot, composer)
    rules = composer.when.rules
    rules.quiet.setChecked(True)
    settle(qtbot, composer)
    shades = composer.when.chart._shades
    assert shades
    assert all(shade.word == "quiet hours" and shade.end > shade.start for shade in shades)


def test_a_slow_queue_says_who_misses_the_window(qtbot: QtBot, compose: Compose) -> None:
    composer = compose()
    choose_audience(qtbot, composer)
    composer.when.throttle.setValue(0.1)
    composer.when.choose(composer.page.now() + timedelta(hours=23))
    settle(qtbot, composer)
    said = words(composer.when)
    assert "everybody is reached" in said or "their window" in said


def test_leaving_unsaved_work_is_asked(qtbot: QtBot, space: Workspace, compose: Compose) -> None:
    composer = compose()
    write(qtbot, composer, "Hello")
    press(qtbot, composer.back)
    page = composer.page
    dialogs = [child for child in page.children() if child.metaObject().className() == "Dialog"]
    assert dialogs
    dialogs[0].reject()
    assert page.composer is composer  # type: ignore[attr-defined]


def test_scheduling_an_approved_campaign(
    qtbot: QtBot, space: Workspace, people: int, compose: Compose
) -> None:
    made = campaigning.approved(space, people)
    composer = compose(made)
    press(qtbot, composer.plan)
    settle(qtbot, composer)
    row = campaigning.get(space, made)
    assert row.state == CampaignState.SCHEDULED
    assert row.start_at == composer.when.at()


def test_a_sent_campaign_is_shown_but_not_editable(space: Workspace, people: int, compose: Compose) -> None:
    composer = compose(campaigning.running(space, people))
    assert not composer.message.isEnabled()
    assert "make a copy" in composer.locked.text()


def test_cards_become_the_message(qtbot: QtBot, compose: Compose) -> None:
    composer = compose()
    composer.message.choose_kind("cards")
    composer.message.cards.add()
    card = composer.message.cards._rows[0]
    qtbot.keyClicks(card.edits["title"], "Storage")  # type: ignore[attr-defined]
    qtbot.keyClicks(card.edits["subtitle"], "dry and safe")  # type: ignore[attr-defined]
    assert composer.message.definition() == {"cards": [{"title": "Storage", "subtitle": "dry and safe"}]}


def test_every_control_has_a_name(compose: Compose) -> None:
    from PySide6.QtWidgets import QAbstractButton, QAbstractSpinBox, QComboBox, QLineEdit

    composer = compose()
    nameless = [
        widget
        for kind in (QAbstractButton, QAbstractSpinBox, QComboBox, QLineEdit)
        for widget in composer.findChildren(kind)
        if widget.focusPolicy() != Qt.FocusPolicy.NoFocus
        and not widget.accessibleName()
        and not (isinstance(widget, QAbstractButton) and widget.text())
        and not isinstance(widget.parent(), QComboBox | QAbstractSpinBox)
    ]
    assert nameless == []


def test_a_question_nobody_waits_for_is_interrupted(qtbot: QtBot, compose: Compose) -> None:
    composer = compose()
    endless = "WITH RECURSIVE c(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM c) SELECT count(*) FROM c"
    heard: list[object] = []
    page = composer.page
    page.read(lambda conn: conn.exec_driver_sql(endless).scalar(), heard.append, "slow")
    qtbot.wait(50)
    page.read(lambda conn: conn.exec_driver_sql("SELECT 7").scalar(), heard.append, "slow")
    qtbot.waitUntil(lambda: not page.tasks.running, timeout=5_000)
    assert heard == [7]
    assert not page.notice.isVisible()
