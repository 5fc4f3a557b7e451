"""Who gets it and who not: one bar, then what each rule takes away, largest first."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

from PySide6.QtCore import QRectF, QSize, Qt, Signal
from PySide6.QtGui import QPainter, QPaintEvent
from PySide6.QtWidgets import QGridLayout, QSizePolicy, QVBoxLayout, QWidget

from broadcaster.errors import BroadcasterError
from ui import text, theme
from ui.i18n import plural, tr
from ui.widgets.bars import Part, SplitBar
from ui.widgets.buttons import button
from ui.widgets.clearing import clear
from ui.widgets.labels import Text


class FallBar(QWidget):
    """One step of a waterfall: the part of the whole between two amounts."""

    def __init__(self, start: int, end: int, total: int, tone: str) -> None:
        super().__init__()
        self._start, self._end, self._total, self._tone = start, end, max(1, total), tone
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)

    def sizeHint(self) -> QSize:
        return QSize(theme.size("field") // 2, theme.size("bar"))

    def paintEvent(self, event: QPaintEvent) -> None:  # noqa: ARG002
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(Qt.PenStyle.NoPen)
        area = QRectF(self.rect())
        left = area.width() * min(self._start, self._end) / self._total
        width = max(float(theme.size("focus")), area.width() * abs(self._end - self._start) / self._total)
        left = min(left, area.width() - width)
        if self.isRightToLeft():
            left = area.width() - left - width
        painter.setBrush(theme.color("surface_alt"))
        painter.drawRoundedRect(area, theme.radius("s"), theme.radius("s"))
        if self._start != self._end:
            painter.setBrush(theme.color(self._tone))
            part = QRectF(left, 0, width, area.height())
            painter.drawRoundedRect(part, theme.radius("s"), theme.radius("s"))
        painter.end()


@dataclass(frozen=True, slots=True)
class Step:
    """What one rule takes away."""

    reason: str
    count: int
    also: int = 0
    """People this rule stops too, counted under an earlier one."""


def steps_of(reasons: Mapping[Any, int], also: Mapping[Any, int] | None = None) -> list[Step]:
    """The rules that stop anybody, most people first."""
    found = [Step(str(key), count, (also or {}).get(key, 0)) for key, count in reasons.items() if count]
    return sorted(found, key=lambda step: -step.count)


class Waterfall(QWidget):
    """``show_reach`` draws it; ``chosen`` says a reason (or "" for the reachable) whose people are wanted."""

    chosen = Signal(str)

    def __init__(self) -> None:
        super().__init__()
        self._shown: object = None
        self._figure = Text(text.NONE, "figure", wrap=False)
        self._note, self._closing = Text("", "muted"), Text("", "muted", "warn")
        self._bar = SplitBar(tr("Reachable and blocked"))
        self._grid = QGridLayout()
        self._grid.setHorizontalSpacing(theme.space("s"))
        self._grid.setVerticalSpacing(theme.space("xs"))
        self._grid.setColumnStretch(1, 1)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(theme.space("s"))
        for part in (self._figure, self._note, self._bar, self._closing):
            column.addWidget(part)
        column.addLayout(self._grid)

    @property
    def figure(self) -> str:
        return self._figure.text()

    @property
    def note(self) -> str:
        return self._note.text()

    def show_counting(self) -> None:
        """The old figures no longer answer the question: say so, and keep them in view."""
        self._note.say(tr("Counting…"), "")

    def show_nothing(self, words: str) -> None:
        self._figure.say(text.NONE, "")
        self._note.say(words, "")
        self._bar.show_parts([])
        self._shown = None
        self._closing.hide()
        clear(self._grid)

    def show_error(self, error: BroadcasterError) -> None:
        self.show_nothing("")
        self._note.say(str(error), "bad")

    def show_reach(self, audience: int, eligible: int, steps: Sequence[Step], closing_soon: int = 0) -> None:
        blocked = audience - eligible
        self._figure.say(text.number(eligible), "ok" if eligible else "bad")
        self._figure.setAccessibleName(tr("{people} can be reached", people=text.people(eligible)))
        words = plural(
            audience,
            "of {n} person in the audience can be reached ({share})",
            "of {n} people in the audience can be reached ({share})",
            share=text.percent(eligible, audience),
        )
        self._note.say(words, "")
        self._closing.setVisible(closing_soon > 0)
        self._closing.setText(
            plural(
                closing_soon,
                "The window of {n} person shuts within the hour.",
                "The windows of {n} people shut within the hour.",
            )
        )
        self._bar.show_parts([Part(tr("Reachable"), eligible, "ok"), Part(tr("Blocked"), blocked, "bad")])
        if (audience, eligible, steps) != self._shown:  # what is the same does not flicker
            self._shown = (audience, eligible, steps)
            self._fill(audience, eligible, steps)

    def _fill(self, audience: int, eligible: int, steps: Sequence[Step]) -> None:
        clear(self._grid)
        self._row(0, tr("Audience"), None, FallBar(0, audience, audience, "wait"), audience, "")
        left = audience
        for place, step in enumerate(steps, 1):
            bar = FallBar(left - step.count, left, audience, "bad")
            tip = text.reason_sentence(step.reason)
            if step.also:
                tip += "\n" + plural(
                    step.also,
                    "It would stop {n} more who is counted under another rule.",
                    "It would stop {n} more who are counted under another rule.",
                )
            self._row(place, text.reason(step.reason), step.reason, bar, -step.count, tip)
            left -= step.count
        self._row(len(steps) + 1, tr("Reachable"), "", FallBar(0, eligible, audience, "ok"), eligible, "")

    def _row(self, place: int, name: str, key: str | None, bar: FallBar, count: int, tip: str) -> None:
        if key is None:
            word: QWidget = Text(name, wrap=False)
        else:
            says = tr("{name}: {count}. Show these people", name=name, count=text.number(abs(count)))
            word = button(name, partial(self.chosen.emit, key), "rowlink", tip=tip)
            word.setAccessibleName(says)
            word.setAccessibleDescription(tip)
        bar.setToolTip(tip)
        number = Text(text.number(count).replace("-", "−"), "strong", wrap=False)
        number.setAlignment(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)
        self._grid.addWidget(word, place, 0, Qt.AlignmentFlag.AlignVCenter)
        self._grid.addWidget(bar, place, 1)
        self._grid.addWidget(number, place, 2)
