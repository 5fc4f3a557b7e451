"""Messages in doubt: what is known of each, and the three things a person can decide."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

from PySide6.QtCore import Signal
from PySide6.QtGui import QShowEvent
from PySide6.QtWidgets import QRadioButton

from ui import text, theme
from ui.i18n import plural, tr
from ui.pages.queue.reading import Sending
from ui.view import PageView
from ui.widgets.buttons import button
from ui.widgets.dialogs import Dialog
from ui.widgets.grid import TextGrid
from ui.widgets.labels import Text


class DoubtsDialog(Dialog):
    """``decided`` says (ids, decision)."""

    decided = Signal(object, str)

    def __init__(self, page: PageView, sending: Sending) -> None:
        super().__init__(tr("In doubt: {name}", name=sending.campaign.name), page)
        self._doubts = sending.doubts
        now = page.now()
        known = plural(
            len(sending.doubts),
            "It is not known whether {n} message arrived: the connection broke after it was sent. "
            "Nothing is sent again by itself.",
            "It is not known whether {n} messages arrived: the connection broke after they were sent. "
            "Nothing is sent again by itself.",
        )
        self.body.addWidget(Text(known))
        rows = [
            (
                text.person_name(each.first_name, each.last_name, each.psid),
                text.when(each.intent_at, page.zone, now),
                tr("read again {when}", when=text.when(each.settle_at, page.zone, now))
                if each.settle_at
                else plural(each.looked, "looked up {n} time, no proof", "looked up {n} times, no proof")
                if each.looked
                else tr("waits for you"),
                each.cause or "",
            )
            for each in sending.doubts
        ]
        header = [tr("Person"), tr("Sent"), tr("What is done"), tr("What happened")]
        self.grid = TextGrid(tr("Messages in doubt"), header, rows)
        self.grid.setMinimumHeight(theme.size("chart"))
        self.body.addWidget(self.grid)
        self.body.addWidget(Text(tr("For the marked people, or for all when none is marked:"), "strong"))
        self.choices = _choices()
        for choice, words in self.choices.values():
            self.body.addWidget(choice)
            note = Text(words, "muted")
            note.setContentsMargins(theme.space("xl"), 0, 0, 0)
            choice.setAccessibleDescription(words)
            self.body.addWidget(note)
        self.choices["leave"][0].setChecked(True)
        self.buttons.addWidget(button(tr("Back"), self.reject))
        self.take = button(tr("Decide"), partial(self._decide), "primary")
        self.buttons.addWidget(self.take)

    def showEvent(self, event: QShowEvent) -> None:
        super().showEvent(event)
        # sentences that wrap make it taller than a dialog's first guess
        self.setMinimumHeight(self.layout().totalHeightForWidth(self.width()))

    def _decide(self) -> None:
        marked = self.grid.chosen_rows()
        chosen: Sequence[int] = [self._doubts[n].id for n in marked] or [each.id for each in self._doubts]
        decision = next(key for key, (choice, _) in self.choices.items() if choice.isChecked())
        self.decided.emit(chosen, decision)
        self.accept()


def _choices() -> dict[str, tuple[QRadioButton, str]]:
    return {
        "sent": (
            QRadioButton(tr("Count as sent")),
            tr("You looked into the conversation and the message is there. They are not written to again."),
        ),
        "again": (
            QRadioButton(tr("Send again")),
            tr("You accept that somebody may get it twice. Rules and windows are checked again first."),
        ),
        "leave": (
            QRadioButton(tr("Leave it in doubt")),
            tr("Nothing is sent. They stay in doubt in the report, and a late receipt still settles them."),
        ),
    }
