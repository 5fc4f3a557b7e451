"""A line chart that answers one question: labelled axes, marked moments, readable by mouse, keys and ear."""

from __future__ import annotations

import math
from bisect import bisect_left
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field

from PySide6.QtCore import QEvent, QPointF, QRectF, QSize, Qt, Signal
from PySide6.QtGui import QColor, QFontMetrics, QKeyEvent, QMouseEvent, QPainter, QPaintEvent, QPen, QPolygonF
from PySide6.QtWidgets import QSizePolicy, QToolTip, QWidget

from ui import text, theme
from ui.i18n import tr


@dataclass(frozen=True, slots=True)
class Series:
    """One line. ``points`` are (x, y) with x ascending; ``step``: the value holds until the next x."""

    name: str
    points: Sequence[tuple[float, float]]
    tone: str = "accent"
    dashed: bool = False
    filled: bool = False
    step: bool = False
    band: Sequence[tuple[float, float, float]] = ()
    """(x, lowest, highest) around the line: how sure it is."""

    def heights(self) -> Iterator[float]:
        yield from (y for _, y in self.points)
        yield from (high for _, _, high in self.band)


@dataclass(frozen=True, slots=True)
class Mark:
    """A moment on the x axis with a word beside its line."""

    x: float
    word: str
    tone: str = "text"


@dataclass(frozen=True, slots=True)
class Shade:
    """A stretch of the x axis that is different, for instance quiet hours."""

    start: float
    end: float
    word: str


@dataclass(slots=True)
class _Plot:
    """Where values land on the widget."""

    area: QRectF
    left: float
    right: float
    top: float
    ticks: list[float] = field(default_factory=list)

    def x(self, value: float) -> float:
        span = self.right - self.left or 1
        return self.area.left() + (value - self.left) / span * self.area.width()

    def y(self, value: float) -> float:
        return self.area.bottom() - value / (self.top or 1) * self.area.height()

    def value_at(self, x: float) -> float:
        share = (x - self.area.left()) / (self.area.width() or 1)
        return self.left + min(1.0, max(0.0, share)) * (self.right - self.left)


class LineChart(QWidget):
    """``show_series`` draws it. ``picked`` says the x of a click or Return (for instance a moment to send).

    ``x_word`` and ``x_ticks`` put values of the x axis into words; ``as_table`` is the text alternative.
    """

    picked = Signal(float)

    def __init__(self, name: str) -> None:
        super().__init__()
        self.setAccessibleName(name)
        self.setMouseTracking(True)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self._series: list[Series] = []
        self._marks: list[Mark] = []
        self._shades: list[Shade] = []
        self._x_word: Callable[[float], str] = str
        self._x_ticks: list[tuple[float, str]] = []
        self._y_word: Callable[[float], str] = text.number
        self._y_title = ""
        self._at: float | None = None

    def show_series(
        self,
        series: Sequence[Series],
        *,
        x_word: Callable[[float], str],
        x_ticks: Sequence[tuple[float, str]],
        y_title: str,
        y_word: Callable[[float], str] = text.number,
        marks: Sequence[Mark] = (),
        shades: Sequence[Shade] = (),
    ) -> None:
        self._series, self._marks, self._shades = list(series), list(marks), list(shades)
        self._x_word, self._x_ticks = x_word, list(x_ticks)
        self._y_title, self._y_word = y_title, y_word
        self.setAccessibleDescription(self._spoken())
        self.update()

    def set_marks(self, marks: Sequence[Mark]) -> None:
        self._marks = list(marks)
        self.update()

    def as_table(self) -> list[list[str]]:
        """Header and rows: x in words, then each series."""
        xs = sorted({x for series in self._series for x, _ in series.points})
        rows = [["", *(series.name for series in self._series)]]
        for x in xs:
            values = [self._value(series, x) for series in self._series]
            words = [text.NONE if value is None else self._y_word(value) for value in values]
            rows.append([self._x_word(x), *words])
        return rows

    # -- size and painting

    def sizeHint(self) -> QSize:
        return QSize(2 * theme.size("chart"), theme.size("chart"))

    def minimumSizeHint(self) -> QSize:
        return QSize(theme.size("chart"), theme.size("chart"))

    def paintEvent(self, event: QPaintEvent) -> None:  # noqa: ARG002
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setFont(theme.font("small"))
        plot = self._plot()
        self._paint_axes(painter, plot)
        painter.save()
        painter.setClipRect(plot.area.adjusted(-1, -theme.size("dot"), 1, 1))
        for series in self._series:
            self._paint_series(painter, plot, series)
        painter.restore()
        self._paint_marks(painter, plot)
        self._paint_cursor(painter, plot)
        if self.hasFocus():
            painter.setPen(QPen(theme.color("accent"), theme.size("focus")))
            painter.drawRoundedRect(QRectF(self.rect()).adjusted(1, 1, -1, -1), *(theme.radius("s"),) * 2)
        painter.end()

    def _plot(self) -> _Plot:
        metrics = QFontMetrics(theme.font("small"))
        xs = [x for series in self._series for x, _ in series.points] or [0.0, 1.0]
        top = max((y for series in self._series for y in series.heights()), default=1.0)
        ticks = _nice_ticks(top)
        side = max(metrics.horizontalAdvance(self._y_word(tick)) for tick in ticks) + theme.space("s")
        above = (3 if self._marks else 2) * metrics.height() + theme.space("xs")
        below = metrics.height() + theme.space("s")
        margin = theme.space("s")
        area = QRectF(self.rect()).adjusted(side + margin, above + margin, -theme.space("l"), -below - margin)
        return _Plot(area, min(xs), max(xs), ticks[-1], ticks)

    def _paint_axes(self, painter: QPainter, plot: _Plot) -> None:
        metrics = painter.fontMetrics()
        for shade in self._shades:
            self._paint_shade(painter, plot, shade)
        painter.setPen(theme.color("muted"))
        painter.drawText(QPointF(theme.space("s"), theme.space("s") + metrics.ascent()), self._y_title)
        for tick in plot.ticks:
            y = plot.y(tick)
            painter.setPen(QPen(theme.color("grid"), theme.size("line")))
            painter.drawLine(QPointF(plot.area.left(), y), QPointF(plot.area.right(), y))
            painter.setPen(theme.color("muted"))
            box = QRectF(0, y - metrics.height() / 2, plot.area.left() - theme.space("s"), metrics.height())
            painter.drawText(
                box, int(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter), self._y_word(tick)
            )
        self._paint_x_axis(painter, plot)

    @staticmethod
    def _paint_shade(painter: QPainter, plot: _Plot, shade: Shade) -> None:
        left, right = plot.x(max(shade.start, plot.left)), plot.x(min(shade.end, plot.right))
        if right <= left:
            return
        box = QRectF(left, plot.area.top(), right - left, plot.area.height())
        painter.fillRect(box, theme.color("surface_alt"))
        if painter.fontMetrics().horizontalAdvance(shade.word) < box.width():
            painter.setPen(theme.color("muted"))
            top = int(Qt.AlignmentFlag.AlignHCenter | Qt.AlignmentFlag.AlignTop)
            painter.drawText(box.adjusted(0, theme.space("xs"), 0, 0), top, shade.word)

    def _paint_x_axis(self, painter: QPainter, plot: _Plot) -> None:
        metrics = painter.fontMetrics()
        last_end = -math.inf
        for x, word in self._x_ticks:
            width = metrics.horizontalAdvance(word)
            left = min(max(plot.x(x) - width / 2, plot.area.left()), plot.area.right() - width)
            if not plot.left <= x <= plot.right or left < last_end + theme.space("m"):
                continue
            painter.setPen(QPen(theme.color("border_strong"), theme.size("line")))
            painter.drawLine(
                QPointF(plot.x(x), plot.area.bottom()),
                QPointF(plot.x(x), plot.area.bottom() + theme.space("xs")),
            )
            painter.setPen(theme.color("muted"))
            painter.drawText(QPointF(left, plot.area.bottom() + theme.space("s") + metrics.ascent()), word)
            last_end = left + width

    def _paint_series(self, painter: QPainter, plot: _Plot, series: Series) -> None:
        if series.band:
            edge = [QPointF(plot.x(x), plot.y(high)) for x, _, high in series.band]
            edge += [QPointF(plot.x(x), plot.y(low)) for x, low, _ in reversed(series.band)]
            self._fill(painter, QPolygonF(edge), series.tone)
        line = QPolygonF()
        previous: float | None = None
        for x, y in series.points:
            if series.step and previous is not None:
                line.append(QPointF(plot.x(x), plot.y(previous)))
            line.append(QPointF(plot.x(x), plot.y(y)))
            previous = y
        if series.filled and series.points:
            ground = QPolygonF(line)
            ground.append(QPointF(plot.x(series.points[-1][0]), plot.area.bottom()))
            ground.append(QPointF(plot.x(series.points[0][0]), plot.area.bottom()))
            self._fill(painter, ground, series.tone)
        pen = QPen(theme.color(series.tone), theme.size("curve"))
        if series.dashed:
            pen.setStyle(Qt.PenStyle.DashLine)
        painter.setPen(pen)
        painter.setBrush(Qt.BrushStyle.NoBrush)
        painter.drawPolyline(line)

    @staticmethod
    def _fill(painter: QPainter, shape: QPolygonF, tone: str) -> None:
        fill = QColor(theme.color(tone))
        fill.setAlphaF(0.16)
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(fill)
        painter.drawPolygon(shape)

    def _paint_marks(self, painter: QPainter, plot: _Plot) -> None:
        metrics = painter.fontMetrics()
        taken: list[tuple[float, float, int]] = []
        for mark in sorted(self._marks, key=lambda each: each.x):
            if not plot.left <= mark.x <= plot.right:
                continue
            x = plot.x(mark.x)
            pen = QPen(theme.color(mark.tone), theme.size("curve"))
            painter.setPen(pen)
            painter.drawLine(QPointF(x, plot.area.top()), QPointF(x, plot.area.bottom()))
            width = metrics.horizontalAdvance(mark.word)
            left = min(max(x - width / 2, plot.area.left()), plot.area.right() - width)
            clash = any(left < end and start < left + width for start, end, _ in taken)
            taken.append((left, left + width + theme.space("s"), 0))
            base = plot.area.top() - theme.space("xs") - (metrics.height() if clash else 0)
            painter.drawText(QPointF(left, base), mark.word)

    def _paint_cursor(self, painter: QPainter, plot: _Plot) -> None:
        if self._at is None:
            return
        x = plot.x(self._at)
        painter.setPen(QPen(theme.color("border_strong"), theme.size("line"), Qt.PenStyle.DotLine))
        painter.drawLine(QPointF(x, plot.area.top()), QPointF(x, plot.area.bottom()))
        for series in self._series:
            value = self._value(series, self._at)
            if value is not None:
                painter.setPen(Qt.PenStyle.NoPen)
                painter.setBrush(theme.color(series.tone))
                painter.drawEllipse(QPointF(x, plot.y(value)), theme.size("dot"), theme.size("dot"))

    # -- reading it

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        self._go(self._nearest(self._plot().value_at(event.position().x())))
        if self._at is not None:
            QToolTip.showText(event.globalPosition().toPoint(), self._words_at(self._at), self)

    def leaveEvent(self, event: QEvent) -> None:
        self._go(None)
        super().leaveEvent(event)

    def mousePressEvent(self, event: QMouseEvent) -> None:
        x = self._nearest(self._plot().value_at(event.position().x()))
        if x is not None:
            self.picked.emit(x)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        xs = self._xs()
        steps = {Qt.Key.Key_Left: -1, Qt.Key.Key_Right: 1, Qt.Key.Key_PageUp: -24, Qt.Key.Key_PageDown: 24}
        if xs and event.key() in steps:
            place = bisect_left(xs, self._at) if self._at is not None else -1
            self._go(xs[min(len(xs) - 1, max(0, place + steps[Qt.Key(event.key())]))])
            plot = self._plot()
            spot = self.mapToGlobal(QPointF(plot.x(self._at or 0), plot.area.top()).toPoint())
            QToolTip.showText(spot, self._words_at(self._at or 0), self)
        elif event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter) and self._at is not None:
            self.picked.emit(self._at)
        else:
            super().keyPressEvent(event)

    def _go(self, x: float | None) -> None:
        if x != self._at:
            self._at = x
            self.update()

    def _xs(self) -> list[float]:
        return sorted({x for series in self._series for x, _ in series.points})

    def _nearest(self, value: float) -> float | None:
        return min(self._xs(), key=lambda x: abs(x - value), default=None)

    def _value(self, series: Series, x: float) -> float | None:
        place = bisect_left(series.points, (x, -math.inf))
        if place < len(series.points) and series.points[place][0] == x:
            return series.points[place][1]
        return series.points[place - 1][1] if series.step and place else None

    def _words_at(self, x: float) -> str:
        lines = [self._x_word(x)]
        for series in self._series:
            value = self._value(series, x)
            if value is not None:
                lines.append(f"{series.name}: {self._y_word(value)}")
            lines += [
                tr("between {low} and {high}", low=self._y_word(low), high=self._y_word(high))
                for at, low, high in series.band
                if at == x
            ]
        lines += [shade.word for shade in self._shades if shade.start <= x < shade.end]
        return "\n".join(lines)

    def _spoken(self) -> str:
        parts = []
        for series in self._series:
            if series.points:
                first, last = series.points[0], series.points[-1]
                parts.append(
                    tr(
                        "{name}: {start} at {from_x}, {end} at {to_x}.",
                        name=series.name,
                        start=self._y_word(first[1]),
                        from_x=self._x_word(first[0]),
                        end=self._y_word(last[1]),
                        to_x=self._x_word(last[0]),
                    )
                )
        parts += [f"{mark.word}: {self._x_word(mark.x)}." for mark in self._marks]
        return " ".join(parts)


def _nice_ticks(top: float, wanted: int = 4) -> list[float]:
    """0 and up to about ``wanted`` round steps that cover ``top``."""
    if top <= 0:
        return [0.0, 1.0]
    raw = top / wanted
    power = 10.0 ** math.floor(math.log10(raw))
    step = next(power * factor for factor in (1, 2, 2.5, 5, 10) if power * factor >= raw)
    if top > wanted:
        step = max(1.0, math.ceil(step))
    return [step * n for n in range(math.ceil(top / step) + 1)]
