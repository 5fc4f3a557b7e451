"""Sent → delivered → read → replied: each a bar against the first, each a way to its people."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QGridLayout, QWidget

from ui import text, theme
from ui.i18n import tr
from ui.widgets.buttons import button
from ui.widgets.clearing import clear
from ui.widgets.labels import Text
from ui.widgets.waterfall import FallBar


@dataclass(frozen=True, slots=True)
class Stage:
    """``count`` None: this channel cannot tell."""

    key: str
    name: str
    count: int | None
    note: str = ""
    tone: str = "accent"


class Funnel(QWidget):
    """``chosen`` says the key of the stage whose people are wanted."""

    chosen = Signal(str)

    def __init__(self) -> None:
        super().__init__()
        self._grid = QGridLayout(self)
        self._grid.setContentsMargins(0, 0, 0, 0)
        self._grid.setHorizontalSpacing(theme.space("m"))
        self._grid.setVerticalSpacing(theme.space("s"))
        self._grid.setColumnStretch(1, 1)
        self.setAccessibleName(tr("From sent to replied"))

    def show_stages(self, stages: Sequence[Stage]) -> None:
        clear(self._grid)
        total = next((stage.count for stage in stages if stage.count), 0) or 0
        for place, stage in enumerate(stages):
            count = stage.count or 0
            word = button(stage.name, partial(self.chosen.emit, stage.key), "link", tip=stage.note)
            shown = text.number(stage.count)
            word.setAccessibleName(tr("{name}: {count}. Show these people", name=stage.name, count=shown))
            bar = FallBar(0, count, max(total, 1), stage.tone)
            bar.setToolTip(stage.note)
            number, share = Text(shown, "strong", wrap=False), Text("", "muted", wrap=False)
            share.setText(text.percent(count, total) if stage.count is not None and place else "")
            for label in (number, share):
                label.setAlignment(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)
            for column, part in enumerate((word, bar, number, share)):
                self._grid.addWidget(part, 2 * place, column)
            if stage.note:
                self._grid.addWidget(Text(stage.note, "small"), 2 * place + 1, 1, 1, 3)
