"""The reports page: figures that add up, each with its people behind it."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QLabel, QPushButton, QWidget
from pytestqt.qtbot import QtBot

from broadcaster.queue import counting
from broadcaster.states import CampaignState
from broadcaster.workspace import Workspace
from tests.ui import campaigning
from tests.ui.conftest import Show, calm
from ui.main_window import MainWindow
from ui.pages.reports import ReportsPage


def opened(window: MainWindow) -> ReportsPage:
    page = window.page("reports")
    assert isinstance(page, ReportsPage)
    return page


def press(qtbot: QtBot, window: MainWindow, button: QPushButton) -> None:
    qtbot.mouseClick(button, Qt.MouseButton.LeftButton)
    calm(qtbot, window)


def words(widget: QWidget) -> str:
    return " ".join(label.text() for label in widget.findChildren(QLabel) if label.isVisible())


def link(widget: QWidget, name: str) -> QPushButton:
    return next(each for each in widget.findChildren(QPushButton) if each.text() == name)


def sent_campaign(space: Workspace, page_id: int) -> int:
    """5 sent, of which 2 delivered and 1 of these read; 3 unavailable, 2 failed for a passing reason."""
    made = campaigning.running(space, page_id)
    now = space.clock.now()
    done = {"sent_at": now, "intent_at": now, "attempt": 1}
    campaigning.set_rows(space, made, 0, 3, state="sent", **done)
    campaigning.set_rows(space, made, 3, 1, state="delivered", delivered_at=now, **done)
    later = now + timedelta(minutes=3)
    campaigning.set_rows(space, made, 4, 1, state="read", delivered_at=now, read_at=later, **done)
    campaigning.set_rows(space, made, 5, 3, state="failed", error_code=551, ended_at=now, attempt=1)
    transient = {"error_code": 1200, "error_text": "Temporary send message failure"}
    campaigning.set_rows(space, made, 8, 2, state="failed", ended_at=now, attempt=5, **transient)
    return made


def test_nothing_sent_yet_says_so(people: int, show: Show) -> None:
    page = opened(show("reports"))
    assert "Nothing to report yet" in page.stage.pane.accessibleName()


def test_the_sum_stands_in_the_open(space: Workspace, people: int, show: Show) -> None:
    made = sent_campaign(space, people)
    page = opened(show("reports", made))
    with space.store.read() as conn:
        counts = counting.counts(conn, made)
    shown = [each.text() for each in page.figures.findChildren(QPushButton)]
    assert f"{counts.intended} everybody it was meant for" in shown
    assert "5 sent" in shown and "5 failed" in shown
    assert page.figures.verdict.text() == f"✓ The parts add up to {counts.intended}."


def test_a_sum_that_is_untrue_is_red(space: Workspace, people: int, show: Show) -> None:
    made = sent_campaign(space, people)
    with space.store.write() as conn:
        conn.exec_driver_sql("UPDATE campaign SET eligible_at_launch = eligible_at_launch + 1")
    page = opened(show("reports", made))
    assert page.figures.verdict.text().startswith("✗")
    assert page.figures.verdict.property("tone") == "bad"


def test_the_funnel_narrows_and_names_the_blind_spots(space: Workspace, people: int, show: Show) -> None:
    page = opened(show("reports", sent_campaign(space, people)))
    named = [each.accessibleName() for each in page.figures.funnel.findChildren(QPushButton)]
    assert [name.split(".")[0] for name in named] == ["Sent: 5", "Delivered: 2", "Read: 1", "Replied: 0"]
    assert "told by webhooks alone" in words(page.figures)


def test_every_figure_opens_its_people(qtbot: QtBot, space: Workspace, people: int, show: Show) -> None:
    window = show("reports", sent_campaign(space, people))
    page = opened(window)
    for name, count in (("Sent", 5), ("Delivered", 2), ("Read", 1)):
        press(qtbot, window, link(page.figures.funnel, name))
        assert page.people.model.rowCount() == count


def test_a_cause_of_failure_lists_its_people_and_says_what_to_do(
    qtbot: QtBot, space: Workspace, people: int, show: Show
) -> None:
    window = show("reports", sent_campaign(space, people))
    page = opened(window)
    press(qtbot, window, link(page.figures, "Person does not receive messages"))
    assert page.people.model.rowCount() == 3
    assert page.people.model.index(0, 3).data() == "Person does not receive messages"
    assert page.people.model.index(0, 2).data() == "Failed"


def test_a_new_campaign_from_the_retryable_ones(
    qtbot: QtBot, space: Workspace, people: int, show: Show
) -> None:
    made = sent_campaign(space, people)
    window = show("reports", made)
    page = opened(window)
    assert page.figures.retry.text() == "New campaign from the 2 retryable ones"
    press(qtbot, window, page.figures.retry)
    row = campaigning.get(space, "Hello (2)")
    assert (row.state, row.parent_id) == (CampaignState.DRAFT, made)
    assert "is a draft for them" in page.notice.text


def test_blocked_people_stand_behind_the_waterfall(
    qtbot: QtBot, space: Workspace, people: int, show: Show
) -> None:
    made = sent_campaign(space, people)
    window = show("reports", made)
    page = opened(window)
    press(qtbot, window, link(page.figures.waterfall, "Opted out"))
    assert page.people.model.rowCount() == campaigning.get(space, made).reasons_at_launch["opted_out"]


def test_exports_are_written_whole(
    qtbot: QtBot, space: Workspace, people: int, show: Show, tmp_path: Path
) -> None:
    made = sent_campaign(space, people)
    window = show("reports", made)
    page = opened(window)
    for kind, format in (("campaign", "xlsx"), ("failures", "csv"), ("campaign", "pdf")):
        page.export_to(made, kind, format, str(tmp_path / f"{kind}.{format}"))
    calm(qtbot, window)
    assert (tmp_path / "campaign.xlsx").read_bytes()[:2] == b"PK"
    assert (tmp_path / "campaign.pdf").read_bytes()[:4] == b"%PDF"
    assert len((tmp_path / "failures.csv").read_text("utf-8-sig").splitlines()) == 6


def test_the_curve_has_its_table(space: Workspace, people: int, show: Show) -> None:
    page = opened(show("reports", sent_campaign(space, people)))
    table = page.figures.chart.as_table()
    assert table[0] == ["", "Sent", "Delivered", "Read"]
    assert table[-1][1:] == ["5", "2", "1"]


def test_the_difference_since_the_approval_is_said(space: Workspace, people: int, show: Show) -> None:
    made = sent_campaign(space, people)
    with space.store.write() as conn:
        conn.exec_driver_sql("UPDATE campaign SET seal = 'x', eligible_at_approval = eligible_at_launch + 3")
    page = opened(show("reports", made))
    assert page.figures.since.text().endswith("could be reached when it was approved: now 3 fewer.")
