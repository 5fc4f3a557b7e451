"""The practice Page's guide: one campaign step by step, each explained before it is done."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Protocol

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QFrame, QVBoxLayout, QWidget

from broadcaster.errors import BroadcasterError
from ui import theme
from ui.i18n import tr
from ui.tasks import Tasks, Work
from ui.widgets.buttons import button, row
from ui.widgets.labels import Card, Icon, Text
from ui.widgets.scroll import scrolled

PLACES = (
    ("settings", "webhooks"),
    ("contacts", None),
    ("contacts", None),
    ("audiences", None),
    ("campaigns", None),
    ("campaigns", None),
    ("review", None),
    ("queue", None),
    ("reports", None),
)
"""Where each step can be seen."""


class Step(Protocol):
    @property
    def title(self) -> str: ...
    @property
    def text(self) -> str: ...
    @property
    def run(self) -> Callable[[], str]: ...


class _StepCard(Card):
    """One step: what it is, and after it what came out."""

    def __init__(self, number: int, step: Step) -> None:
        super().__init__()
        self._icon = Icon("wait", "wait")
        self._result = Text("", "body")
        self._result.hide()
        head = row(self._icon, Text(tr("{number}. {title}", number=number, title=step.title), "strong"))
        head.setStretch(1, 1)
        self.body.addLayout(head)
        self.add(Text(step.text, "muted"), self._result)

    def show_running(self) -> None:
        self._icon.say("play", "accent")

    def show_done(self, result: str) -> None:
        self._icon.say("ok", "ok")
        self._result.say(result)
        self._result.show()

    def show_fault(self, error: BroadcasterError) -> None:
        self._icon.say("bad", "bad")
        self._result.say(str(error), "bad")
        self._result.show()


class Guide(QFrame):
    """Runs the steps one by one or all; ``went`` says where what was done can be seen."""

    went = Signal(str, object)
    closed = Signal()

    def __init__(self, steps: Sequence[Step], tasks: Tasks) -> None:
        super().__init__()
        self.setObjectName("guide")
        self.setAccessibleName(tr("Practice campaign, step by step"))
        self._steps, self._tasks, self._next, self._all = list(steps), tasks, 0, False
        self._cards = [_StepCard(number, step) for number, step in enumerate(steps, 1)]
        self.next_button = button(tr("Do the next step"), self.do_next, "primary")
        self.all_button = button(tr("Do all"), self.do_all)
        content = QWidget()
        column = QVBoxLayout(content)
        column.setContentsMargins(*(theme.space("l"), theme.space("s")) * 2)
        column.setSpacing(theme.space("s"))
        for card in self._cards:
            column.addWidget(card)
        column.addStretch(1)
        self._area = scrolled(content)
        close = button("", self._close, "quiet", "close", tr("Close the guide"))
        head = row(Text(tr("Practice campaign"), "lead"), None, close)
        head.setContentsMargins(theme.space("l"), theme.space("s"), theme.space("s"), 0)
        foot = row(self.next_button, self.all_button)
        foot.setContentsMargins(*(theme.space("l"), theme.space("m")) * 2)
        outer = QVBoxLayout(self)
        outer.setContentsMargins(0, 0, 0, 0)
        outer.addLayout(head)
        outer.addWidget(self._area, 1)
        outer.addLayout(foot)
        self.setFixedWidth(theme.size("panel"))

    @property
    def done(self) -> int:
        """How many steps are done."""
        return self._next

    def do_all(self) -> None:
        self._all = True
        self.do_next()

    def do_next(self) -> None:
        """Run the next step off the window's thread."""
        if self._next >= len(self._steps):
            return
        self._enable(False)
        card, step = self._cards[self._next], self._steps[self._next]
        card.show_running()
        self._area.ensureWidgetVisible(card)
        if self._next < len(PLACES):
            self.went.emit(*PLACES[self._next])

        def run(_work: Work) -> str:
            return step.run()

        self._tasks.run(self, run, self._done, self._failed)

    def _done(self, result: str) -> None:
        self._cards[self._next].show_done(result)
        self._next += 1
        self._enable(True)
        if self._next == len(self._steps):
            self.next_button.setText(tr("All steps are done"))
            self._enable(False)
        elif self._all:
            self.do_next()

    def _failed(self, error: BroadcasterError) -> None:
        self._all = False
        self._cards[self._next].show_fault(error)
        self._enable(True)

    def _enable(self, on: bool) -> None:
        self.next_button.setEnabled(on)
        self.all_button.setEnabled(on)

    def _close(self) -> None:
        self.hide()
        self.closed.emit()
