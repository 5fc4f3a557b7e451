"""When it goes, how fast, and who must be left in peace: with the curve of who can be reached."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo, available_timezones

from PySide6.QtCore import QDate, QDateTime, QTime, Signal
from PySide6.QtWidgets import (
    QCheckBox,
    QComboBox,
    QDateTimeEdit,
    QDoubleSpinBox,
    QVBoxLayout,
    QWidget,
)

from broadcaster.campaigns.definition import MAX_THROTTLE
from broadcaster.errors import BroadcasterError
from broadcaster.policy.forecast import quiet_spans
from broadcaster.queue.pacing import INBOX_FREEZES_ABOVE
from ui import text, theme
from ui.i18n import plural, tr
from ui.pages.campaigns.reading import ComingBack, Hours, Start
from ui.pages.campaigns.rules import RulesPart
from ui.widgets.buttons import button, row
from ui.widgets.fields import Field
from ui.widgets.forecast_chart import ForecastChart
from ui.widgets.labels import Text
from ui.zones import zone_box


class WhenSection(QWidget):
    """``start`` is the chosen moment; ``changed`` after every edit."""

    changed = Signal()

    def __init__(self, zone: ZoneInfo, now: datetime) -> None:
        super().__init__()
        self._best: datetime | None = None
        self._hours: Hours | None = None
        self._back: ComingBack | None = None
        self._now = now
        self.later = QCheckBox(tr("At a chosen time"))
        self.later.setChecked(True)
        self.moment = QDateTimeEdit()
        self.moment.setCalendarPopup(True)
        self.moment.setDisplayFormat("ddd d MMM yyyy  HH:mm")
        self.zone = zone_box(zone.key)
        self.zone.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon)
        self.chart = ForecastChart()
        self.chart.moment_chosen.connect(self.choose)
        self._said, self._queue = Text(""), Text("")
        self._about_estimate = Text(
            tr(
                "Dashed: an estimate with people who may write again, from the Page's own last weeks; "
                "the band goes from the fewest to the most. The solid line is exact."
            ),
            "muted",
        )
        self._about_estimate.setVisible(False)
        self._use_best = button(tr("Use the best moment"), self._take_best, "link", "star")
        self.throttle = QDoubleSpinBox()
        self.throttle.setRange(0.1, MAX_THROTTLE)
        self.throttle.setDecimals(1)
        self.throttle.setSuffix(tr(" per second"))
        self.rules = RulesPart()
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(theme.space("s"))
        line = row(Field(tr("Date and time"), self.moment), Field(tr("Time zone"), self.zone))
        line.setStretch(0, 1)
        line.setStretch(1, 1)
        for part in (
            self.later,
            line,
            self.chart,
            row(self._use_best, None),
            self._said,
            self._about_estimate,
        ):
            column.addLayout(part) if not isinstance(part, QWidget) else column.addWidget(part)
        hint = tr("Windows that shut soonest go first. Rate limits of the Page slow it down by themselves.")
        column.addWidget(Field(tr("Speed"), self.throttle, hint))
        self.fast = Text("")
        self.fast.setVisible(False)
        column.addWidget(self.fast)
        column.addWidget(self._queue)
        column.addWidget(self.rules)
        self.choose(next_quarter(now + timedelta(minutes=15)))
        self.moment.dateTimeChanged.connect(self.changed)
        self.zone.currentTextChanged.connect(self.changed)
        self.throttle.valueChanged.connect(self.changed)
        self.throttle.valueChanged.connect(self._warn_of_speed)
        self.rules.changed.connect(self.changed)
        self.later.toggled.connect(self._later_toggled)

    # -- the moment

    @property
    def zone_info(self) -> ZoneInfo:
        key = self.zone.currentText().strip()
        return ZoneInfo(key if key in available_timezones() else "UTC")

    def at(self) -> datetime:
        """The instant asked about: the chosen one, or now."""
        if not self.later.isChecked():
            return self._now
        chosen = self.moment.dateTime()
        day, clock = chosen.date(), chosen.time()
        local = datetime(day.year(), day.month(), day.day(), clock.hour(), clock.minute())
        return local.replace(tzinfo=self.zone_info).astimezone(UTC)

    def start(self) -> Start:
        if not self.later.isChecked():
            return Start()
        at = self.at()
        return Start(at, at.astimezone(self.zone_info).strftime("%Y-%m-%dT%H:%M"), self.zone_info.key)

    def choose(self, at: datetime) -> None:
        """Set the moment (an instant) in the chosen zone."""
        local = at.astimezone(self.zone_info)
        self.later.setChecked(True)
        self.moment.setDateTime(
            QDateTime(QDate(local.year, local.month, local.day), QTime(local.hour, local.minute))
        )

    def use_now(self, now: datetime) -> None:
        self._now = now

    def show_start(self, start: Start) -> None:
        if start.zone:
            self.zone.setCurrentText(start.zone)
        if start.at is not None:
            self.choose(start.at)

    def _warn_of_speed(self, per_second: float) -> None:
        self.fast.say(tr("Above 40 a second Meta's own inbox can freeze; 300 is Meta's limit."), "warn")
        self.fast.setVisible(per_second > INBOX_FREEZES_ABOVE)

    def _later_toggled(self, later: bool) -> None:
        self.moment.setEnabled(later)
        self.changed.emit()

    def _take_best(self) -> None:
        if self._best is not None:
            self.choose(self._best)
            self.moment.setFocus()

    # -- the forecast

    def show_hours(self, hours: Hours | None) -> None:
        self._hours = hours
        self._queue.setVisible(hours is not None)
        self.chart.setVisible(hours is not None)
        if hours is None:
            self._use_best.setVisible(False)
            self._said.say(tr("Choose an audience to see how many can be reached at each hour."), "")
            return
        ahead = hours.forecast
        self._best = ahead.best[0] if ahead.best else None
        self._use_best.setVisible(self._best is not None)
        self._draw(ahead)
        self._said.say(_ahead_words(hours, self.zone_info, self._now, self.at()), "")
        words, tone = _queue_words(hours.fit, self.zone_info, self._now)
        self._queue.say(words, tone)

    def show_estimate(self, back: ComingBack | None) -> None:
        """People who may write again, beside the exact curve."""
        self._back = back
        if self._hours is not None:
            self._draw(self._hours.forecast)

    def _draw(self, ahead: Any) -> None:
        estimate = self._back.beside(ahead) if self._back else []
        self._about_estimate.setVisible(bool(estimate))
        self.chart.show_forecast(
            _worth_showing(ahead.hours, self.at()),
            self.zone_info,
            self._now,
            self.at(),
            self._best,
            quiet_spans(ahead),
            estimate,
        )

    def move_mark(self) -> None:
        """The chosen moment on the curve, before the new forecast is there."""
        if self._hours is not None:
            self.chart.move_moment(self.at(), self._best)

    def show_error(self, error: BroadcasterError) -> None:
        self._said.say(str(error), "bad")


def next_quarter(at: datetime) -> datetime:
    """The next full quarter of an hour."""
    return (at + timedelta(minutes=15 - at.minute % 15)).replace(second=0, microsecond=0)


def _ahead_words(hours: Hours, zone: ZoneInfo, now: datetime, chosen: datetime) -> str:
    ahead, parts = hours.forecast, []
    if ahead.best is not None:
        moment = text.when(ahead.best[0], zone, now)
        parts.append(
            plural(ahead.best[1], "Best: {when}, {n} person.", "Best: {when}, {n} people.", when=moment)
        )
    lost = _lost_after(ahead, chosen)
    if lost:
        parts.append(
            plural(
                lost,
                "One hour later than chosen, {n} person fewer.",
                "One hour later than chosen, {n} people fewer.",
            )
        )
    if ahead.half_gone_at is not None:
        parts.append(tr("Half are gone by {when}.", when=text.when(ahead.half_gone_at, zone, now)))
    return " ".join(parts)


def _worth_showing(hours: Any, chosen: datetime) -> Any:
    """Until nobody can be reached any more (and past the chosen moment), a day at least."""
    last = max((place for place, (at, count) in enumerate(hours) if count or at <= chosen), default=0)
    return hours[: max(25, last + 4)]


def _lost_after(ahead: Any, chosen: datetime) -> int:
    """Windows that shut in the hour after the chosen moment."""
    place = int((chosen - ahead.hours[0][0]).total_seconds() // 3600)
    return int(ahead.lost_per_hour[place]) if 0 <= place < len(ahead.lost_per_hour) else 0


def _queue_words(fit: Any, zone: ZoneInfo, now: datetime) -> tuple[str, str]:
    """What the chosen speed means for windows that shut while it sends."""
    if not fit.misses:
        return tr("✓ At this speed everybody is reached before their window shuts."), "ok"
    words = plural(
        fit.misses,
        "! At this speed the last {n} person misses their window:",
        "! At this speed the last {n} people miss their window:",
    )
    ways = []
    if fit.latest_start is not None and fit.latest_start > now:
        ways.append(tr("start by {when}", when=text.when(fit.latest_start, zone, now)))
    if fit.needed_per_second is not None:
        ways.append(tr("raise to {rate} per second", rate=text.number(fit.needed_per_second, 1)))
    return f"{words} {tr(' or ').join(ways) or tr('choose an earlier moment')}.", "warn"
