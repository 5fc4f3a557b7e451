"""The review page: what changed, who is kept out and why, and a decision that is kept."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QLabel, QPushButton, QWidget
from pytestqt.qtbot import QtBot

from broadcaster.campaigns import catalogue, lifecycle, verdicts
from broadcaster.states import CampaignState, Reason
from broadcaster.workspace import Workspace
from tests.ui import campaigning
from tests.ui.conftest import Show, calm
from ui.main_window import MainWindow
from ui.pages.review import ReviewPage
from ui.widgets.word_diff import WordDiff, differences


def opened(window: MainWindow) -> ReviewPage:
    page = window.page("review")
    assert isinstance(page, ReviewPage)
    return page


def press(qtbot: QtBot, window: MainWindow, button: QPushButton) -> None:
    qtbot.mouseClick(button, Qt.MouseButton.LeftButton)
    calm(qtbot, window)


def words(widget: QWidget) -> str:
    return " ".join(label.text() for label in widget.findChildren(QLabel) if label.isVisible())


def changed_after_approval(space: Workspace, page_id: int) -> int:
    made = campaigning.approved(space, page_id)
    with space.store.write() as conn:
        draft = catalogue.draft_of(conn, catalogue.get(conn, made))
        message = {"text": "Hi {{first_name|there}}, we are open until 18:00."}
        catalogue.edit(conn, made, replace(draft, message=message), actor="anna", at=space.clock.now())
        lifecycle.submit(conn, made, actor="anna", at=space.clock.now())
    return made


def test_differences_are_word_by_word() -> None:
    pieces = differences("open until 20:00 today", "open until 18:00 today")
    assert [(kind, words.strip()) for kind, words in pieces if kind != "same"] == [
        ("out", "20"),
        ("in", "18"),
    ]


def test_a_change_is_heard_as_well_as_seen(qtbot: QtBot) -> None:
    label = WordDiff("one <b> two", "one <b> three")
    qtbot.addWidget(label)
    assert "taken out: two" in label.accessibleName()
    assert "put in: three" in label.accessibleName()
    assert "&lt;" in label.text()


def test_what_changed_since_the_approval_is_shown(space: Workspace, people: int, show: Show) -> None:
    page = opened(show("review", changed_after_approval(space, people)))
    diffs = page.case.findChildren(WordDiff)
    assert ["put in: 18" in diff.accessibleName() for diff in diffs] == [True]


def test_a_first_submission_is_all_new(space: Workspace, people: int, show: Show) -> None:
    page = opened(show("review", campaigning.submitted(space, people)))
    assert "never approved before" in words(page.case)


def test_approving_seals_what_stands_there(qtbot: QtBot, space: Workspace, people: int, show: Show) -> None:
    made = campaigning.submitted(space, people)
    window = show("review", made)
    page = opened(window)
    qtbot.mouseClick(page.case.approve, Qt.MouseButton.LeftButton)
    qtbot.keyClicks(page.decision.edit, "Checked")
    press(qtbot, window, page.decision.take)
    row = campaigning.get(space, made)
    assert (row.state, row.decided_by, row.decision_note) == (CampaignState.APPROVED, "tester", "Checked")
    assert row.seal
    assert "Approved" in page.notice.text


def test_a_finding_against_the_rule_asks_for_a_reason(
    qtbot: QtBot, space: Workspace, people: int, show: Show
) -> None:
    made = campaigning.submitted(space, people, permission="human_agent", message={"text": "20% off today"})
    window = show("review", made)
    page = opened(window)
    qtbot.mouseClick(page.case.approve, Qt.MouseButton.LeftButton)
    qtbot.mouseClick(page.decision.take, Qt.MouseButton.LeftButton)
    assert "Give a reason." in words(page.decision)
    page.decision.close()
    assert campaigning.get(space, made).state == CampaignState.SUBMITTED


def test_rejecting_gives_it_back_with_the_note(
    qtbot: QtBot, space: Workspace, people: int, show: Show
) -> None:
    made = campaigning.submitted(space, people)
    window = show("review", made)
    page = opened(window)
    qtbot.mouseClick(page.case.reject, Qt.MouseButton.LeftButton)
    qtbot.keyClicks(page.decision.edit, "Name the opening hours")
    press(qtbot, window, page.decision.take)
    row = campaigning.get(space, made)
    assert (row.state, row.decision_note) == (CampaignState.DRAFT, "Name the opening hours")


def test_a_false_alarm_is_kept_with_its_reason(
    qtbot: QtBot, space: Workspace, people: int, show: Show
) -> None:
    made = campaigning.submitted(space, people, permission="human_agent", message={"text": "20% off today"})
    window = show("review", made)
    page = opened(window)
    alarm = next(b for b in page.case.findings.findChildren(QPushButton) if b.text() == "False alarm…")
    qtbot.mouseClick(alarm, Qt.MouseButton.LeftButton)
    qtbot.keyClicks(page.alarm.edit, "A quote of theirs")
    note = next(b for b in page.alarm.findChildren(QPushButton) if b.text() == "Note it")
    press(qtbot, window, note)
    with space.store.read() as conn:
        assert [each.reason for each in verdicts.of_campaign(conn, made)] == ["A quote of theirs"]
    assert "False alarm: A quote of theirs" in words(page.case.findings)


def test_a_rule_of_the_waterfall_lists_its_people(
    qtbot: QtBot, space: Workspace, people: int, show: Show
) -> None:
    made = campaigning.submitted(space, people)
    window = show("review", made)
    case = opened(window).case
    assert case.case is not None and case.case.check is not None
    count = case.case.check.reach.reasons[Reason.OPTED_OUT]
    link = next(b for b in case.waterfall.findChildren(QPushButton) if b.text() == "Opted out")
    press(qtbot, window, link)
    assert case.people.model.rowCount() == count
    assert case.people.model.index(0, 2).data() == "Opted out"


def test_searching_narrows_the_people_kept_out(
    qtbot: QtBot, space: Workspace, people: int, show: Show
) -> None:
    window = show("review", campaigning.submitted(space, people))
    case = opened(window).case
    everybody = case.people.model.rowCount()
    qtbot.keyClicks(case.people.search, "last05")
    qtbot.waitUntil(lambda: 0 < case.people.model.rowCount() < everybody)
    calm(qtbot, window)


def test_a_person_is_explained_rule_by_rule(qtbot: QtBot, space: Workspace, people: int, show: Show) -> None:
    window = show("review", campaigning.submitted(space, people))
    case = opened(window).case
    case.people.table.setFocus()
    qtbot.keyClick(case.people.table, Qt.Key.Key_Down)
    calm(qtbot, window)
    verdict = {case.why.cell(n, 0): case.why.cell(n, 1) for n in range(case.why.count)}
    assert "✗ stops them" in verdict.values()
    assert verdict["Unreachable"] == "✓ passes"


def test_the_audit_trail_stands_beneath(space: Workspace, people: int, show: Show) -> None:
    case = opened(show("review", changed_after_approval(space, people))).case
    actions = [case.trail.cell(n, 2) for n in range(case.trail.count)]
    assert actions == ["submitted", "edited", "approved", "submitted", "created"]


def test_export_writes_the_blocked_people(
    qtbot: QtBot, space: Workspace, people: int, show: Show, tmp_path: Path
) -> None:
    made = campaigning.submitted(space, people)
    window = show("review", made)
    page = opened(window)
    page.export_to(made, "blocked", "csv", str(tmp_path / "blocked.csv"))
    calm(qtbot, window)
    lines = (tmp_path / "blocked.csv").read_text("utf-8-sig").splitlines()
    assert len(lines) - 1 == page.case.people.model.rowCount()
