"""How a cell of a ``PagedTable`` is painted: one line of text in its column's tone, cut with an ellipsis.

Qt's own delegate asks the model seven questions a cell, walks the style sheet's rules and lays the text out as a
paragraph; on a full screen of cells that is most of a frame. Here the row is at hand and one line is one call.
"""

from __future__ import annotations

from functools import lru_cache

from PySide6.QtCore import QModelIndex, QObject, QPersistentModelIndex, QRectF, Qt
from PySide6.QtGui import QColor, QFontMetrics, QPainter, QPen
from PySide6.QtWidgets import QStyle, QStyledItemDelegate, QStyleOptionViewItem

from ui import theme
from ui.models.paged import GONE, PagedTable

REMEMBERED = 4096
"""Texts whose width is known: labels, languages and days come again with every row."""

FULL_CIRCLE, TOP = 360 * 16, 90 * 16
"""Qt's angles are sixteenths of a degree."""

_ONE_LINE = dict.fromkeys([*range(32), 0x7F, 0x85, 0x2028, 0x2029], " ")
"""A name with a line break in it is still one line of a table."""

_SELECTED, _ENABLED = QStyle.StateFlag.State_Selected, QStyle.StateFlag.State_Enabled
_RIGHT_TO_LEFT = Qt.LayoutDirection.RightToLeft


class CellDelegate(QStyledItemDelegate):
    """Paints every column of one PagedTable."""

    def __init__(self, model: PagedTable, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._model = model
        self._look: theme.Tokens | None = None

    def paint(
        self,
        painter: QPainter,
        option: QStyleOptionViewItem,
        index: QModelIndex | QPersistentModelIndex,
    ) -> None:
        if self._look is not theme.current():
            self._take_look(option.fontMetrics)
        row, column = self._model.row(index.row()), self._model.columns[index.column()]
        state, rect = option.state, option.rect
        if state & _SELECTED:
            painter.fillRect(rect, self._color("accent_soft"))
        left, right = rect.x() + self._gap, rect.x() + rect.width() - self._gap
        mirrored = option.direction == _RIGHT_TO_LEFT
        if row is None:
            text, tone = GONE, "disabled"
        else:
            text, tone = column.text(row), (column.tone and column.tone(row)) or "text"
            if column.clock:
                edge = theme.size("bar")
                at = QRectF(right - edge if mirrored else left, rect.center().y() - edge / 2 + 1, edge, edge)
                self._clock(painter, at, column.clock(row), self._color(tone))
                left, right = (
                    (left, right - edge - self._gap) if mirrored else (left + edge + self._gap, right)
                )
        shown, width = self._fitted(text, right - left)
        painter.setPen(self._color(tone if state & _ENABLED else "disabled"))
        at_the_end = column.numeric != mirrored
        painter.drawText(
            right - width if at_the_end else left, rect.y() + (rect.height() + self._height) // 2, shown
        )

    def _clock(self, painter: QPainter, at: QRectF, left: float, color: QColor) -> None:
        painter.save()
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(QPen(color, theme.size("line")))
        painter.drawEllipse(at)
        painter.setBrush(color)
        if left:
            painter.drawPie(at, TOP, -round(FULL_CIRCLE * left))
        painter.restore()

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
