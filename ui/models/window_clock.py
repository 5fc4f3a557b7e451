"""A person's 24-hour window as a small clock with its word: hours left, closing soon, closed."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from PySide6.QtCore import QModelIndex, QObject, QPersistentModelIndex, QRectF, Qt
from PySide6.QtGui import QPainter, QPen
from PySide6.QtWidgets import QStyle, QStyledItemDelegate, QStyleOptionViewItem

from ui import text, theme
from ui.i18n import tr

SHOWN = timedelta(hours=24)
"""What the clock's full circle stands for; who may be reached by which way is the policy's matter."""
SOON = timedelta(hours=3)
FULL_CIRCLE = 360 * 16
TOP = 90 * 16


@dataclass(frozen=True, slots=True)
class WindowClock:
    """``left`` is the share of 24 hours still open, 0 … 1."""

    words: str
    tone: str
    left: float


def window_clock(last: datetime | None, now: datetime) -> WindowClock:
    """How long ago the person opened their window, as a clock."""
    if last is None:
        return WindowClock(tr("Never opened"), "muted", 0.0)
    if last > now:
        return WindowClock(tr("Time in the future"), "bad", 0.0)
    left = last + SHOWN - now
    if left <= timedelta(0):
        return WindowClock(tr("Closed {time} ago", time=text.duration(-left)), "muted", 0.0)
    tone = "warn" if left <= SOON else "ok"
    words = (
        tr("Closing: {time}", time=text.duration(left))
        if tone == "warn"
        else tr("Open: {time}", time=text.duration(left))
    )
    return WindowClock(words, tone, left / SHOWN)


class WindowDelegate(QStyledItemDelegate):
    """Paints the clock before the cell's words; the column's text gives the words."""

    def __init__(self, role: int, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._role = role
        self.now: datetime | None = None

    def paint(
        self,
        painter: QPainter,
        option: QStyleOptionViewItem,
        index: QModelIndex | QPersistentModelIndex,
    ) -> None:
        row = index.data(self._role)
        if row is None or self.now is None:
            super().paint(painter, option, index)
            return
        clock = window_clock(row.last_interaction_at, self.now)
        style = option.widget.style()
        style.drawPrimitive(QStyle.PrimitiveElement.PE_PanelItemViewItem, option, painter, option.widget)
        edge, gap = theme.size("bar"), theme.space("s")
        mirrored = option.direction == Qt.LayoutDirection.RightToLeft
        x = option.rect.right() - gap - edge if mirrored else option.rect.left() + gap
        face = QRectF(x, option.rect.center().y() - edge / 2 + 1, edge, edge)
        painter.save()
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(QPen(theme.color(clock.tone), theme.size("line")))
        painter.drawEllipse(face)
        painter.setBrush(theme.color(clock.tone))
        if clock.left:
            painter.drawPie(face, TOP, -round(FULL_CIRCLE * clock.left))
        words = option.rect.adjusted(
            0 if mirrored else edge + 2 * gap, 0, -(edge + 2 * gap) if mirrored else -gap, 0
        )
        painter.setPen(theme.color(clock.tone))
        side = Qt.AlignmentFlag.AlignRight if mirrored else Qt.AlignmentFlag.AlignLeft
        align = Qt.AlignmentFlag.AlignVCenter | Qt.AlignmentFlag.AlignAbsolute | side
        shown = painter.fontMetrics().elidedText(clock.words, Qt.TextElideMode.ElideRight, words.width())
        painter.drawText(words, int(align), shown)
        painter.restore()
