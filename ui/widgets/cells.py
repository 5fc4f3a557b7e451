"""How the cells of a ``DataTable`` are painted: one line of text in its column's tone, cut with an ellipsis.

Qt's own way asks the model seven questions a cell, walks the style sheet's rules for each and lays its text out as
a paragraph, which is most of a frame. Here the rows are at hand and a line is one call.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from typing import Any, NamedTuple

from PySide6.QtCore import QRectF, Qt
from PySide6.QtGui import QColor, QFontMetrics, QPainter, QPen

from ui import theme
from ui.models import Column
from ui.models.paged import GONE

REMEMBERED = 4096
"""Texts whose width is known: labels, languages and days come again with every row."""

FULL_CIRCLE, TOP = 360 * 16, 90 * 16
"""Qt's angles are sixteenths of a degree."""

ENDLESS = 1 << 24
"""Pixels in which any text has room."""

_ONE_LINE = dict.fromkeys([*range(32), 0x7F, 0x85, 0x2028, 0x2029], " ")
"""A name with a line break in it is still one line of a table."""


class Place(NamedTuple):
    """A column in view, in the viewport's pixels."""

    column: Column
    x: int
    width: int


class Line(NamedTuple):
    """A row in view: ``row`` is what the model holds, None when it is gone."""

    row: Any
    y: int
    selected: bool


class Cells:
    """Paints the cells of one table."""

    def __init__(self) -> None:
        self._look: theme.Tokens | None = None

    def paint(
        self,
        painter: QPainter,
        places: Sequence[Place],
        lines: Sequence[Line],
        height: int,
        *,
        enabled: bool,
        mirrored: bool,
    ) -> None:
        """Paint the cells where ``places`` and ``lines`` meet; ``mirrored``: from right to left."""
        if self._look is not theme.current():
            self._take_look(painter.fontMetrics())
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        below = (height + self._height) // 2
        for row, y, selected in lines:
            for column, x, width in places:
                if selected:
                    painter.fillRect(x, y, width, height, self._color("accent_soft"))
                text, tone, share = _said(column, row)
                left, right = x + self._gap, x + width - self._gap
                if share is not None:
                    edge = theme.size("bar")
                    face = QRectF(right - edge if mirrored else left, y + (height - edge) / 2, edge, edge)
                    self._clock(painter, face, share, self._color(tone))
                    if mirrored:
                        right -= edge + self._gap
                    else:
                        left += edge + self._gap
                shown, room = self._fitted(text, right - left)
                painter.setPen(self._color(tone if enabled else "disabled"))
                painter.drawText(right - room if column.numeric != mirrored else left, y + below, shown)

    def cut(self, column: Column, row: Any, width: int) -> str:
        """The whole text of a cell so wide that shows a part of it only; empty where all of it is shown."""
        text, _tone, share = _said(column, row)
        room = width - 2 * self._gap - (0 if share is None else theme.size("bar") + self._gap)
        return text if self._fitted(text, room)[0] != self._fitted(text, ENDLESS)[0] else ""

    def _clock(self, painter: QPainter, face: QRectF, share: float, color: QColor) -> None:
        painter.setPen(QPen(color, theme.size("line")))
        painter.setBrush(Qt.BrushStyle.NoBrush)
        painter.drawEllipse(face)
        if share:
            painter.setBrush(color)
            painter.drawPie(face, TOP, -round(FULL_CIRCLE * share))

    def _color(self, token: str) -> QColor:
        found = self._colors.get(token)
        if found is None:
            found = self._colors[token] = theme.color(token)
        return found

    def _take_look(self, metrics: QFontMetrics) -> None:
        """Colours, room and widths as the look in use gives them."""
        self._look, self._gap = theme.current(), theme.space("s")
        self._colors: dict[str, QColor] = {}
        self._height = metrics.ascent() - metrics.descent()
        known = QFontMetrics(metrics)

        @lru_cache(REMEMBERED)
        def fitted(text: str, room: int) -> tuple[str, int]:
            line = text if text.isprintable() else text.translate(_ONE_LINE)
            width = known.horizontalAdvance(line)
            if width > room:
                line = known.elidedText(line, Qt.TextElideMode.ElideRight, max(room, 0))
                width = known.horizontalAdvance(line)
            return (line, width) if width <= room else ("", 0)

        self._fitted = fitted


def _said(column: Column, row: Any) -> tuple[str, str, float | None]:
    """Words, tone and, of a clock, its share."""
    if row is None:
        return GONE, "disabled", None
    if column.clock:
        return column.clock(row)
    return column.text(row), (column.tone and column.tone(row)) or "text", None
