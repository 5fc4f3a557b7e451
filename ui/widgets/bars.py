"""Parts of one whole as a bar, each with its word and number."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from PySide6.QtCore import QRectF, QSize
from PySide6.QtGui import QPainter, QPainterPath, QPaintEvent
from PySide6.QtWidgets import QSizePolicy, QWidget

from ui import text, theme


@dataclass(frozen=True, slots=True)
class Part:
    """A share of the whole; ``tone`` is a token's name."""

    name: str
    count: int
    tone: str


class SplitBar(QWidget):
    """One bar; every part that is not nothing is at least visible. Words stand beside it, not in it."""

    def __init__(self, name: str) -> None:
        super().__init__()
        self._name = name
        self._parts: list[Part] = []
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self.setAccessibleName(name)

    def show_parts(self, parts: Sequence[Part]) -> None:
        self._parts = [part for part in parts if part.count > 0]
        spoken = ", ".join(f"{part.name}: {text.number(part.count)}" for part in parts)
        self.setAccessibleDescription(spoken)
        self.setToolTip("\n".join(f"{part.name}: {text.number(part.count)}" for part in parts))
        self.update()

    def sizeHint(self) -> QSize:
        return QSize(theme.size("field"), theme.size("bar"))

    def paintEvent(self, event: QPaintEvent) -> None:  # noqa: ARG002
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        area = QRectF(self.rect())
        outline = QPainterPath()
        outline.addRoundedRect(area, theme.radius("s"), theme.radius("s"))
        painter.setClipPath(outline)
        painter.fillRect(area, theme.color("surface_alt"))
        gap, least = theme.size("line"), theme.size("dot")
        total = sum(part.count for part in self._parts)
        free = area.width() - least * len(self._parts)
        x = area.left()
        for part in self._parts:
            width = least + free * part.count / total
            shown = QRectF(x, area.top(), max(gap, width - gap), area.height())
            painter.fillRect(self._mirrored(shown, area), theme.color(part.tone))
            x += width
        painter.end()

    def _mirrored(self, part: QRectF, area: QRectF) -> QRectF:
        if not self.isRightToLeft():
            return part
        return QRectF(area.right() - part.right() + area.left(), part.top(), part.width(), part.height())
