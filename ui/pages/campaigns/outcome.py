"""The composer's right column, always in view: what it looks like, who gets it, what is wrong with it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QVBoxLayout, QWidget

from broadcaster.errors import BroadcasterError
from ui import theme
from ui.i18n import tr
from ui.pages.campaigns.reading import Face, Outlook
from ui.widgets.buttons import button, row
from ui.widgets.findings import FindingsList
from ui.widgets.labels import Card, Pill, Text
from ui.widgets.preview_bubble import PreviewBubble
from ui.widgets.waterfall import Waterfall, steps_of


class Preview(Card):
    """The message as one person sees it; step through people of the audience."""

    others = Signal()

    def __init__(self) -> None:
        super().__init__(tr("Preview"))
        self._faces: Sequence[Face] = ()
        self._at = 0
        self.name, self.bubble = Text("", "strong"), PreviewBubble()
        self.pill = Pill()
        self.previous = button("", self._back, "quiet", "left", tr("Previous person"))
        self.next = button("", self._forward, "quiet", "right", tr("Next person"))
        self.again = button("", self.others.emit, "quiet", "sample", tr("Other people"))
        for part in (self.previous, self.next, self.again):
            self.head.addWidget(part)
        self.add(self.name)
        self.body.addLayout(row(self.pill, None))
        self.add(self.bubble)
        self.pill.hide()

    def show_faces(self, faces: Sequence[Face]) -> None:
        """Stays with the same person while the text changes."""
        kept = self._faces[self._at].id if self._faces else None
        self._faces = faces
        self._at = next((n for n, face in enumerate(faces) if face.id == kept), 0)
        self._show()

    def show_words(self, words: str, tone: str = "muted") -> None:
        self._faces = ()
        self.name.setText("")
        self.pill.hide()
        self.bubble.show_words(words, tone)

    @property
    def face(self) -> Face | None:
        return self._faces[self._at] if self._faces else None

    def _show(self) -> None:
        several = len(self._faces) > 1
        self.previous.setEnabled(several)
        self.next.setEnabled(several)
        face = self.face
        if face is None:
            self.show_words(tr("Nobody is in this audience now."))
            return
        self.name.setText(tr("As {name} sees it", name=face.name))
        self.pill.setVisible(bool(face.blocked))
        self.pill.say(tr("Would not get it: {reason}", reason=face.blocked), "bad", "blocked")
        if face.body is None:
            self.bubble.show_words(face.problem, "warn")
        else:
            self.bubble.show_body(face.body, face.template_text)

    def _back(self) -> None:
        self._at = (self._at - 1) % max(1, len(self._faces))
        self._show()

    def _forward(self) -> None:
        self._at = (self._at + 1) % max(1, len(self._faces))
        self._show()


class Outcome(QWidget):
    """Preview, reach, findings."""

    def __init__(self) -> None:
        super().__init__()
        self.preview = Preview()
        self.waterfall, self.findings = Waterfall(), FindingsList()
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, theme.space("s"), 0)
        column.setSpacing(theme.space("m"))
        column.addWidget(self.preview)
        column.addWidget(Card(tr("Who gets it")).add(self.waterfall))
        column.addWidget(Card(tr("Findings in the text")).add(self.findings))
        column.addStretch(1)

    def show_outlook(self, outlook: Outlook) -> None:
        reach = outlook.reach
        if reach is None:
            self.waterfall.show_nothing(tr("Choose an audience to see who can be reached."))
            return
        also = {key: count - reach.reasons.get(key, 0) for key, count in reach.also_failing.items()}
        self.waterfall.show_reach(
            reach.audience, reach.eligible, steps_of(reach.reasons, also), reach.closing_soon
        )

    def show_reach_error(self, error: BroadcasterError) -> None:
        self.waterfall.show_error(error)

    def show_text(self, checked: Any, notices: Sequence[Any]) -> None:
        self.findings.show_findings([*notices, *checked.findings], fits=checked.fits_permission)
