"""The queue page: figures as counted, deeds that act at once, decisions that are explained."""

from __future__ import annotations

from datetime import timedelta

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QLabel, QPushButton, QWidget
from pytestqt.qtbot import QtBot
from sqlalchemy import delete, select, update

from broadcaster.campaigns import lifecycle
from broadcaster.clock import ManualClock
from broadcaster.queue import breaker, counting
from broadcaster.queue.sender import Sender
from broadcaster.states import CampaignState, PauseCause
from broadcaster.store.tables import Page
from broadcaster.workspace import Workspace
from tests.ui import campaigning
from tests.ui.conftest import Show, calm
from ui import theme
from ui.main_window import MainWindow
from ui.pages.queue import QueuePage


def opened(window: MainWindow) -> QueuePage:
    page = window.page("queue")
    assert isinstance(page, QueuePage)
    return page


def press(qtbot: QtBot, window: MainWindow, button: QPushButton) -> None:
    qtbot.mouseClick(button, Qt.MouseButton.LeftButton)
    calm(qtbot, window)


def words(widget: QWidget) -> str:
    return " ".join(label.text() for label in widget.findChildren(QLabel) if label.isVisible())


def test_an_empty_queue_says_what_appears_here(people: int, show: Show) -> None:
    page = opened(show("queue"))
    assert "Nothing to send" in page.stage.pane.accessibleName()


def test_a_scheduled_campaign_says_when_it_starts(space: Workspace, people: int, show: Show) -> None:
    made = campaigning.scheduled(space, people)
    page = opened(show("queue"))
    assert "in 3 h" in page.cards[made].said.text()


def test_progress_is_what_the_ledger_counts(space: Workspace, people: int, show: Show) -> None:
    made = campaigning.running(space, people)
    now = space.clock.now()
    campaigning.set_rows(space, made, 0, 6, state="sent", sent_at=now - timedelta(seconds=30), attempt=1)
    campaigning.set_rows(space, made, 6, 2, state="failed", error_code=551, ended_at=now)
    campaigning.set_rows(space, made, 8, 3, attempt=1)
    card = opened(show("queue")).cards[made]
    with space.store.read() as conn:
        counts = counting.counts(conn, made)
    assert card.fact("sent") == f"6 of {counts.intended} sent"
    assert card.fact("waiting") == f"{counts.waiting} waiting"
    assert card.fact("rate") == "0.2 per second now"
    assert card.fact("failed") == "2 failed"
    assert card.fact("retrying") == "3 being tried again"
    assert "left" in card.fact("left")


def test_pause_and_resume_act_at_once(qtbot: QtBot, space: Workspace, people: int, show: Show) -> None:
    made = campaigning.running(space, people)
    window = show("queue")
    page = opened(window)
    press(qtbot, window, page.cards[made].deed("pause"))
    assert campaigning.get(space, made).state == CampaignState.PAUSED
    assert "Paused by tester" in page.cards[made].said.text()
    press(qtbot, window, page.cards[made].deed("resume"))
    assert campaigning.get(space, made).state == CampaignState.RUNNING


def test_cancelling_is_asked_and_says_whom_it_costs(
    qtbot: QtBot, space: Workspace, people: int, show: Show
) -> None:
    made = campaigning.running(space, people)
    window = show("queue")
    page = opened(window)
    qtbot.mouseClick(page.cards[made].deed("cancel"), Qt.MouseButton.LeftButton)
    assert "will not get “Hello”" in words(page.question)
    deed = next(each for each in page.question.findChildren(QPushButton) if each.text() == "Cancel it")
    press(qtbot, window, deed)
    assert campaigning.get(space, made).state == CampaignState.CANCELLED


def test_time_to_undo_counts_down_and_undo_cancels(
    qtbot: QtBot, space: Workspace, people: int, clock: ManualClock, show: Show
) -> None:
    made = campaigning.running(space, people, undo_seconds=30)
    window = show("queue")
    page = opened(window)
    assert "begins in 30 s" in page.cards[made].said.text()
    clock.move(timedelta(seconds=12))
    page.refresh()
    calm(qtbot, window)
    assert "begins in 18 s" in page.cards[made].said.text()
    press(qtbot, window, page.cards[made].deed("undo"))
    assert campaigning.get(space, made).state == CampaignState.CANCELLED


def test_a_stop_of_the_page_is_a_sentence_with_the_way_out(
    qtbot: QtBot, space: Workspace, people: int, show: Show
) -> None:
    campaigning.running(space, people)
    with space.store.write() as conn:
        table = Page.__table__  # type: ignore[attr-defined]
        text = "The token is no longer valid. Connect the Page again."
        conn.execute(update(table).values(state="token_invalid", state_text=text))
    window = show("queue")
    page = opened(window)
    assert "Connect the Page again." in words(page)
    mend = next(each for each in page.findChildren(QPushButton) if each.text() == "Mend it")
    qtbot.mouseClick(mend, Qt.MouseButton.LeftButton)
    assert window.current == "settings"


def test_a_missed_campaign_offers_send_now_move_and_cancel(
    qtbot: QtBot, space: Workspace, people: int, show: Show
) -> None:
    made = campaigning.scheduled(space, people)
    with space.store.write() as conn:
        lifecycle.move(conn, made, CampaignState.MISSED, at=space.clock.now())
    window = show("queue")
    card = opened(window).cards[made]
    assert "still reachable" in card.said.text()
    assert set(card._buttons) == {"now", "move", "cancel"}
    press(qtbot, window, card.deed("now"))
    assert campaigning.get(space, made).state == CampaignState.RUNNING


def test_doubts_are_decided_by_a_person(qtbot: QtBot, space: Workspace, people: int, show: Show) -> None:
    made = campaigning.running(space, people)
    now = space.clock.now()
    campaigning.set_rows(space, made, 0, 3, state="unconfirmed", attempt=1, intent_at=now, reason="time-out")
    window = show("queue")
    page = opened(window)
    qtbot.mouseClick(page.cards[made].doubt, Qt.MouseButton.LeftButton)
    assert page.doubts.grid.count == 3
    assert "somebody may get it twice" in words(page.doubts)
    page.doubts.grid.selectRow(0)
    page.doubts.choices["sent"][0].setFocus()
    qtbot.keyClick(page.doubts.choices["sent"][0], Qt.Key.Key_Space)
    press(qtbot, window, page.doubts.take)
    with space.store.read() as conn:
        counts = counting.counts(conn, made)
    assert (counts.sent, counts.unconfirmed) == (1, 2)


def red(label: QWidget) -> bool:
    """Is anything of it drawn in the colour of what is wrong?"""
    wanted = theme.color("bad").rgb()
    image = label.grab().toImage()
    return any(image.pixel(x, y) == wanted for x in range(image.width()) for y in range(image.height()))


def test_a_sum_that_is_untrue_is_red(qtbot: QtBot, space: Workspace, people: int, show: Show) -> None:
    made = campaigning.running(space, people)
    with space.store.write() as conn:  # a row gets lost
        first = conn.execute(select(campaigning.ROWS.c.id).limit(1)).scalar_one()
        conn.execute(delete(campaigning.ROWS).where(campaigning.ROWS.c.id == first))
    window = show("queue")
    card = opened(window).cards[made]
    assert card.fact("sum") == "The figures do not add up: see the report"
    assert red(card._facts["sum"])
    window.go("reports", made)
    reports = window.page("reports")
    calm(qtbot, window)
    assert reports.figures.verdict.text().startswith("✗ The parts add up to ")
    assert red(reports.figures.verdict)


def test_what_stands_in_the_way_is_said_on_top(space: Workspace, people: int, show: Show) -> None:
    campaigning.running(space, people)
    space.sender = Sender(space.store, space.graph_client, space.clock, space.hub, space.settings)
    told = "The disk is full; nothing was lost. Free some space, then go on."
    space.sender.trouble.note(told, space.clock.monotonic())
    page = opened(show("queue"))
    assert told in words(page)


def test_the_first_few_say_when_the_rest_follow(
    qtbot: QtBot, space: Workspace, people: int, show: Show
) -> None:
    made = campaigning.running(space, people, canary={"first": 4, "wait_minutes": 10})
    window = show("queue")
    card = opened(window).cards[made]
    assert card.said.text().startswith("4 people get it first. The rest follow after a wait")
    now = space.clock.now()
    done = {"state": "sent", "attempt": 1, "first_attempt_at": now, "intent_at": now, "sent_at": now}
    campaigning.set_rows(space, made, 0, 4, **done)
    opened(window).refresh()
    calm(qtbot, window)
    assert card.said.text().startswith("The first 4 are out. The rest follow today 12:10, in 10 min")
    assert "no more than 5 % fail" in card.said.text()
    assert card.fact("left") == card.fact("rate") == ""


def test_a_message_that_is_wrong_says_why_it_stands(space: Workspace, people: int, show: Show) -> None:
    made = campaigning.running(space, people)
    with space.store.write() as conn:
        breaker.pause_campaign(conn, made, PauseCause.CONTENT, "The same failure 5 times.", space.clock.now())
    card = opened(show("queue")).cards[made]
    assert card.said.text() == "The message itself was refused. The same failure 5 times."
    assert set(card._buttons) == {"resume", "cancel"}
