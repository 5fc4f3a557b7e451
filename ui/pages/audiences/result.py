"""Who is in it: live count, the filter in words, a sample, where it is used."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QVBoxLayout, QWidget

from broadcaster.errors import BroadcasterError
from ui import text, theme
from ui.i18n import plural, tr
from ui.pages.audiences.reading import Looked
from ui.widgets.bars import Part, SplitBar
from ui.widgets.buttons import button, row
from ui.widgets.clearing import clear
from ui.widgets.labels import Card, Icon, Text, divider


class Result(QWidget):
    """Shows a ``Looked``; ``again`` asks for another sample, ``person`` for one of the people in it."""

    again = Signal()
    person = Signal(object)
    campaign = Signal(str)

    def __init__(self) -> None:
        super().__init__()
        self._figure, self._note = Text("–", "figure", wrap=False), Text("", "muted")
        self._bar = SplitBar(tr("Share of everybody on this Page"))
        self._words = Text("")
        self._sample = QVBoxLayout()
        self._sample.setSpacing(theme.space("xs"))
        self._used = QVBoxLayout()
        self._used.setSpacing(theme.space("xs"))
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(theme.space("m"))
        count = Card(tr("In this audience now")).add(self._figure, self._bar, self._note)
        column.addWidget(count)
        column.addWidget(Card(tr("In words")).add(self._words))
        sample = Card(tr("Some of them"))
        sample.head.addWidget(
            button(tr("Others"), self.again.emit, "link", "sample", tr("Show other people"))
        )
        sample.body.addLayout(self._sample)
        column.addWidget(sample)
        used = Card(tr("Where it is used"))
        used.body.addLayout(self._used)
        column.addWidget(used)
        column.addStretch(1)

    def show_counting(self) -> None:
        """The old number is no longer the answer: say that it is being counted."""
        self._note.say(tr("Counting…"), "")

    def show_incomplete(self) -> None:
        self._figure.setText(text.NONE)
        self._bar.show_parts([])
        self._note.say(tr("A marked condition still needs a value."), "warn")

    def show_error(self, error: BroadcasterError) -> None:
        self._figure.setText(text.NONE)
        self._bar.show_parts([])
        self._note.say(str(error), "bad")

    def show_looked(self, looked: Looked) -> None:
        self._figure.setText(text.number(looked.count))
        self._figure.setAccessibleName(text.people(looked.count))
        share = text.percent(looked.count, looked.people)
        note = plural(
            looked.people,
            "{share} of {n} person on this Page",
            "{share} of {n} people on this Page",
            share=share,
        )
        self._note.say(note, "")
        inside = Part(tr("In the audience"), looked.count, "accent")
        self._bar.show_parts([inside, Part(tr("Not in it"), looked.people - looked.count, "surface_alt")])
        self._words.setText(looked.words)
        self._show_sample(looked.sample)

    def show_used(self, campaigns: Sequence[str]) -> None:
        clear(self._used)
        for name in campaigns:
            link = button(name, None, "link", "campaigns", tr("Open campaign {name}", name=name))
            link.clicked.connect(lambda _=False, chosen=name: self.campaign.emit(chosen))
            self._used.addLayout(row(link, None))
        if not campaigns:
            self._used.addWidget(Text(tr("No campaign uses it yet."), "muted"))

    def _show_sample(self, people: Sequence[Any]) -> None:
        clear(self._sample)
        for number, person in enumerate(people):
            if number:
                self._sample.addWidget(divider())
            name = text.person_name(person.first_name, person.last_name, person.psid)
            link = button(name, None, "link", tip=tr("Open {person}", person=name))
            link.clicked.connect(lambda _=False, chosen=person.id: self.person.emit(chosen))
            fact = Text(person.locale or "", "small", wrap=False)
            self._sample.addLayout(row(Icon("person"), link, None, fact))
        if not people:
            self._sample.addWidget(Text(tr("Nobody is in it now."), "muted"))
