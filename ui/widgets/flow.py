"""A layout that sets its widgets in lines, as words are set: for cards and chips."""

from __future__ import annotations

from PySide6.QtCore import QPoint, QRect, QSize, Qt
from PySide6.QtWidgets import QBoxLayout, QLayout, QLayoutItem, QWidget

from ui import theme

LARGE_TEXT = 1.4
"""From this text size on, what stands side by side stands one below the other."""


def beside(*parts: QWidget | QLayout | None, gap: str = "m") -> QBoxLayout:
    """Side by side with equal shares, or one below the other when the text is large. None is the stretch."""
    large = theme.current().scale >= LARGE_TEXT
    layout = QBoxLayout(QBoxLayout.Direction.TopToBottom if large else QBoxLayout.Direction.LeftToRight)
    layout.setContentsMargins(0, 0, 0, 0)
    layout.setSpacing(theme.space(gap))
    for part in parts:
        if part is None:
            layout.addStretch(0 if large else 1)
        elif isinstance(part, QLayout):
            layout.addLayout(part)
        else:
            layout.addWidget(part, 0 if large or None in parts else 1)
    return layout


class FlowLayout(QLayout):
    """Left to right (or right to left), wrapping; ``stretch`` shares a line's leftover width."""

    def __init__(self, parent: QWidget | None = None, *, gap: str = "m", stretch: bool = False) -> None:
        super().__init__(parent)
        self._items: list[QLayoutItem] = []
        self._gap = gap
        self._stretch = stretch
        self.setContentsMargins(0, 0, 0, 0)

    def addItem(self, item: QLayoutItem) -> None:
        self._items.append(item)

    def count(self) -> int:
        return len(self._items)

    def itemAt(self, index: int) -> QLayoutItem | None:
        return self._items[index] if 0 <= index < len(self._items) else None

    def takeAt(self, index: int) -> QLayoutItem | None:
        return self._items.pop(index) if 0 <= index < len(self._items) else None

    def expandingDirections(self) -> Qt.Orientation:
        return Qt.Orientation(0)

    def hasHeightForWidth(self) -> bool:
        return True

    def heightForWidth(self, width: int) -> int:
        return self._place(QRect(0, 0, width, 0), dry=True)

    def sizeHint(self) -> QSize:
        return self.minimumSize()

    def minimumSize(self) -> QSize:
        smallest = QSize()
        for item in self._shown():
            smallest = smallest.expandedTo(item.minimumSize())
        return smallest

    def setGeometry(self, area: QRect) -> None:
        super().setGeometry(area)
        self._place(area, dry=False)

    def _shown(self) -> list[QLayoutItem]:
        return [item for item in self._items if not item.isEmpty()]

    def _lines(self, width: int) -> list[list[QLayoutItem]]:
        gap = theme.space(self._gap)
        lines: list[list[QLayoutItem]] = []
        used = 0
        for item in self._shown():
            wanted = item.sizeHint().width()
            if not lines or used + gap + wanted > width:
                lines.append([item])
                used = wanted
            else:
                lines[-1].append(item)
                used += gap + wanted
        return lines

    def _place(self, area: QRect, *, dry: bool) -> int:
        gap = theme.space(self._gap)
        top = area.y()
        lines = self._lines(area.width())
        most = max((len(line) for line in lines), default=1)
        for line in lines:
            widths = self._widths(line, area.width(), gap, most)
            heights = [
                item.heightForWidth(width) if item.hasHeightForWidth() else item.sizeHint().height()
                for item, width in zip(line, widths, strict=True)
            ]
            if not dry:
                self._set_line(line, widths, max(heights), QPoint(area.x(), top), area, gap)
            top += max(heights) + gap
        return max(0, top - gap - area.y())

    def _widths(self, line: list[QLayoutItem], width: int, gap: int, most: int) -> list[int]:
        if self._stretch:
            return [(width - gap * (most - 1)) // most] * len(line)
        return [min(width, item.sizeHint().width()) for item in line]

    def _set_line(
        self, line: list[QLayoutItem], widths: list[int], height: int, at: QPoint, area: QRect, gap: int
    ) -> None:
        mirrored = self.parentWidget() is not None and self.parentWidget().isRightToLeft()
        x = at.x()
        for item, width in zip(line, widths, strict=True):
            left = area.right() - (x - area.x()) - width + 1 if mirrored else x
            tall = height if self._stretch else item.sizeHint().height()
            item.setGeometry(QRect(left, at.y() + (height - tall) // 2, width, tall))
            x += width + gap
