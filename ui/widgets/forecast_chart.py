"""How many can be reached at each hour to come, with the chosen and the best moment on the curve."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from PySide6.QtCore import QDate, QLocale, Signal

from ui import text
from ui.i18n import tr
from ui.widgets.chart import LineChart, Mark, Series, Shade


def hour_ticks(start: datetime, end: datetime, zone: ZoneInfo) -> list[tuple[float, str]]:
    """Marks of the time axis: each midnight over days, every third hour over one."""
    span, found = end - start, []
    step = timedelta(hours=24 if span > timedelta(hours=60) else 6 if span > timedelta(hours=18) else 3)
    local = start.astimezone(zone).replace(hour=0, minute=0, second=0, microsecond=0)
    while local.astimezone(UTC) <= end:
        if local.astimezone(UTC) >= start:
            day = QLocale().toString(QDate(local.year, local.month, local.day), "ddd d")
            word = day if local.hour == 0 else f"{local:%H:%M}"
            found.append((local.timestamp(), word))
        local += step
    return found


class ForecastChart(LineChart):
    """``moment_chosen`` says a datetime (UTC) picked on the curve."""

    moment_chosen = Signal(object)

    def __init__(self) -> None:
        super().__init__(tr("People who can be reached, hour by hour"))
        self.picked.connect(self._picked)

    def show_forecast(
        self,
        hours: Sequence[tuple[datetime, int]],
        zone: ZoneInfo,
        now: datetime,
        chosen: datetime,
        best: datetime | None,
        quiet: Sequence[tuple[datetime, datetime]] = (),
        estimate: Sequence[Any] = (),
    ) -> None:
        """``estimate``: reachable people with those who may write again, dashed and with its band."""
        points = [(at.timestamp(), float(count)) for at, count in hours]
        line = Series(tr("Reachable"), points, "accent", filled=True)
        shades = [Shade(a.timestamp(), b.timestamp(), tr("quiet hours")) for a, b in quiet]
        start, end = hours[0][0], hours[-1][0]
        shown = [each for each in estimate if each.at <= end]
        lines = [line, self._estimate_of(shown)] if shown else [line]
        self.show_series(
            lines,
            x_word=lambda x: text.when(datetime.fromtimestamp(x, UTC), zone, now),
            x_ticks=hour_ticks(start, end, zone),
            y_title=tr("people reachable"),
            marks=self._marks_for(chosen, best),
            shades=shades,
        )

    def move_moment(self, chosen: datetime, best: datetime | None) -> None:
        self.set_marks(self._marks_for(chosen, best))

    @staticmethod
    def _estimate_of(estimate: Sequence[Any]) -> Series:
        points = [(each.at.timestamp(), round(each.expected)) for each in estimate]
        band = [(each.at.timestamp(), each.low, each.high) for each in estimate]
        return Series(tr("With people who write again (estimate)"), points, "doubt", dashed=True, band=band)

    @staticmethod
    def _marks_for(chosen: datetime, best: datetime | None) -> list[Mark]:
        marks = [Mark(chosen.timestamp(), tr("chosen"), "text")]
        if best is not None:
            if abs((best - chosen).total_seconds()) < 60:
                return [Mark(chosen.timestamp(), tr("chosen, the best"), "ok")]
            marks.append(Mark(best.timestamp(), tr("best"), "ok"))
        return marks

    def _picked(self, x: float) -> None:
        self.moment_chosen.emit(datetime.fromtimestamp(x, UTC))
