"""The queue: what is being sent, what waits, what stands still and why, and the hand on the brake."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

from PySide6.QtCore import QTimer
from PySide6.QtWidgets import QVBoxLayout, QWidget

from broadcaster.states import CampaignState
from ui import text, theme
from ui.bridge import Bridge
from ui.i18n import plural, tr
from ui.pages.queue import reading
from ui.pages.queue.card import SendingCard
from ui.pages.queue.doubts import DoubtsDialog
from ui.pages.queue.reading import Board, Sending
from ui.tasks import Tasks
from ui.view import PageView
from ui.widgets.buttons import row
from ui.widgets.clearing import clear
from ui.widgets.dialogs import ask
from ui.widgets.labels import Text
from ui.widgets.notice import Notice
from ui.widgets.scroll import scrolled
from ui.widgets.states import Stage

if TYPE_CHECKING:
    from broadcaster.workspace import Workspace

TICK_MS = 1_000


class QueuePage(PageView):
    name = "queue"
    watches = frozenset({"campaign", "delivery", "page", "setting"})

    def __init__(self, workspace: Workspace, bridge: Bridge, tasks: Tasks) -> None:
        super().__init__(workspace, bridge, tasks)
        self.cards: dict[int, SendingCard] = {}
        self._board: Board | None = None
        self._wanted: int | None = None
        self._timer = QTimer(self)
        self._timer.setInterval(TICK_MS)
        self._timer.timeout.connect(self._tick)
        self.summary = Text("", "muted", wrap=False)
        self.body.addLayout(row(Text(tr("Queue"), "title", wrap=False), self.summary, None))
        content = QWidget()
        inner = QVBoxLayout(content)
        inner.setContentsMargins(0, 0, theme.space("s"), 0)
        inner.setSpacing(theme.space("m"))
        self._stops = QVBoxLayout()
        self._stops.setSpacing(theme.space("s"))
        self._list = QVBoxLayout()
        self._list.setSpacing(theme.space("m"))
        inner.addLayout(self._stops)
        inner.addLayout(self._list)
        inner.addStretch(1)
        self._scroll = scrolled(content)
        self.stage = Stage(self._scroll)
        self.body.addWidget(self.stage, 1)

    # -- reading

    def refresh(self) -> None:
        at = self.now()
        self.read(lambda conn: reading.board(conn, at), self._show_board, "board", self.stage.show_error)
        self._timer.start()

    def open(self, argument: object) -> None:
        if isinstance(argument, int):
            self._wanted = argument
        self.mark_stale()

    def _tick(self) -> None:
        """Rates, times left and countdowns move by themselves."""
        if not self.isVisible():
            self._timer.stop()
            self._stale = True
            return
        states = {one.campaign.state for one in self._board.sending} if self._board else set()
        if states & {CampaignState.RUNNING, CampaignState.SCHEDULED}:
            self.refresh()

    def _show_board(self, board: Board) -> None:
        self._board = board
        self._show_stops(board)
        shown = [*board.sending, *board.ended_with_doubts]
        if not shown and not board.stopped and not reading.troubles(self.workspace):
            action = (tr("Go to campaigns"), partial(self.navigate.emit, "campaigns", {}))
            self.stage.show_empty(
                "queue",
                tr("Nothing to send"),
                tr("Approved campaigns appear here once they are scheduled."),
                action,
            )
            self.summary.setText("")
            self.cards_to([])
            return
        self.stage.show_content()
        self.summary.setText(_summary(board))
        self.cards_to(shown)
        for one in shown:
            self.cards[one.campaign.id].show_sending(one, self.zone, self.now())
        self._bring_into_view()

    def cards_to(self, shown: list[Sending]) -> None:
        """One card per campaign, in order; those that stay keep their place under the hand."""
        wanted = [one.campaign.id for one in shown]
        if wanted == list(self.cards):
            return
        names = {one.campaign.id: one.campaign.name for one in shown}
        for gone in set(self.cards) - set(wanted):
            card = self.cards.pop(gone)
            self._list.removeWidget(card)
            card.hide()
            card.deleteLater()
        for place, id in enumerate(wanted):
            if id not in self.cards:
                self.cards[id] = self._new_card(id, names[id])
            self._list.insertWidget(place, self.cards[id])
        self.cards = {id: self.cards[id] for id in wanted}

    def _new_card(self, id: int, name: str) -> SendingCard:
        card = SendingCard(name)
        card.asked.connect(partial(self._asked, id))
        card.opened.connect(partial(self._open_other, id))
        card.doubts_asked.connect(partial(self._ask_doubts, id))
        return card

    def _show_stops(self, board: Board) -> None:
        clear(self._stops)
        for words in reading.troubles(self.workspace):
            trouble = Notice(closable=False)
            self._stops.addWidget(trouble)
            trouble.say(words, "bad")
        for page in board.stopped:
            stop = Notice(closable=False)
            self._stops.addWidget(stop)  # first into the page: saying something shows it
            word = text.page_state(page.state)[0]
            mend = (tr("Mend it"), partial(self.navigate.emit, "settings", "pages"))
            said = page.state_text or tr("Check the Page under Settings.")
            tone = text.page_state(page.state)[1]
            stop.say(f"{page.name}: {word}. {said}", tone, mend)

    def _bring_into_view(self) -> None:
        if self._wanted in self.cards:
            card = self.cards[self._wanted]
            QTimer.singleShot(0, self, partial(self._scroll.ensureWidgetVisible, card))
        self._wanted = None

    # -- deeds

    def _sending(self, id: int) -> Sending | None:
        board = self._board
        every = [*board.sending, *board.ended_with_doubts] if board else []
        return next((one for one in every if one.campaign.id == id), None)

    def _open_other(self, id: int, page: str) -> None:
        self.navigate.emit(page, id)

    def _asked(self, id: int, deed: str) -> None:
        one = self._sending(id)
        if one is None:
            return
        if deed == "move":
            self.navigate.emit("campaigns", id)
        elif deed == "cancel":
            self._ask_cancel(one)
        else:
            self._act(id, "cancel" if deed == "undo" else deed)

    def _ask_cancel(self, one: Sending) -> None:
        going = one.progress
        waiting = going.counts.waiting if going else 0
        name = one.campaign.name
        question = (
            plural(
                waiting,
                "{n} person who waits will not get “{name}”. What is on the wire is finished.",
                "{n} people who wait will not get “{name}”. What is on the wire is finished.",
                name=name,
            )
            if waiting
            else tr("“{name}” will not be sent.", name=name)
        )
        deed = partial(self._act, one.campaign.id, "cancel")
        self.question = ask(self, tr("Cancel the campaign?"), question, tr("Cancel it"), deed, danger=True)

    def _act(self, id: int, deed: Any) -> None:
        self.tasks.run(self, lambda _work: reading.act(self.workspace, id, deed), self._acted, self._failed)

    def _acted(self, _done: object) -> None:
        self.notice.clear()
        self.mark_stale()

    def _failed(self, error: Any) -> None:
        self.notice.error(error)
        self.mark_stale()

    def _ask_doubts(self, id: int) -> None:
        one = self._sending(id)
        if one is not None and one.doubts:
            self.doubts = DoubtsDialog(self, one)
            self.doubts.decided.connect(partial(self._decide, id))
            self.doubts.open()

    def _decide(self, id: int, ids: Any, decision: str) -> None:
        self.tasks.run(
            self,
            lambda _work: reading.decide(self.workspace, id, ids, decision),  # type: ignore[arg-type]
            self._decided,
            self._failed,
        )

    def _decided(self, done: int) -> None:
        self.notice.say(plural(done, "Decided for {n} message.", "Decided for {n} messages."), "ok")
        self.mark_stale()


def _summary(board: Board) -> str:
    going = [one.progress for one in board.sending if one.progress is not None]
    waiting = sum(each.counts.waiting + each.counts.sending for each in going)
    rate = sum(each.per_second for each in going)
    parts = []
    if waiting:
        parts.append(plural(waiting, "{n} waiting", "{n} waiting"))
        parts.append(tr("{rate} per second", rate=text.number(rate, 1)))
    return " · ".join(parts)
