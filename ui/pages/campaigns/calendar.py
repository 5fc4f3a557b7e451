"""Campaigns of a month, each on the day it starts."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime, timedelta
from functools import partial
from zoneinfo import ZoneInfo

from PySide6.QtCore import QDate, QLocale, Qt, Signal
from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import QFrame, QGridLayout, QPushButton, QSizePolicy, QVBoxLayout, QWidget

from broadcaster.campaigns.catalogue import CampaignRow
from ui import text, theme
from ui.i18n import tr
from ui.widgets.buttons import button, row
from ui.widgets.clearing import clear
from ui.widgets.labels import Text

SHOWN_PER_DAY = 3


class Calendar(QWidget):
    """``opened`` says a campaign's id."""

    opened = Signal(object)

    def __init__(self) -> None:
        super().__init__()
        self._rows: Sequence[CampaignRow] = ()
        self._zone = ZoneInfo("UTC")
        self._today = date(2000, 1, 1)
        self._month = self._today
        self._title = Text("", "lead", wrap=False)
        self._grid = QGridLayout()
        self._grid.setSpacing(theme.space("xs"))
        outer = QVBoxLayout(self)
        outer.setContentsMargins(0, 0, 0, 0)
        outer.setSpacing(theme.space("s"))
        back = button("", partial(self._turn, -1), "quiet", "left", tr("Month before"))
        on = button("", partial(self._turn, 1), "quiet", "right", tr("Month after"))
        outer.addLayout(row(back, self._title, on, button(tr("Today"), self._to_today), None))
        outer.addLayout(self._grid, 1)

    @property
    def title(self) -> str:
        return self._title.text()

    def show_campaigns(self, rows: Sequence[CampaignRow], zone: ZoneInfo, now: datetime) -> None:
        today = now.astimezone(zone).date()
        if self._month.year == 2000:
            self._month = today.replace(day=1)
        self._rows, self._zone, self._today = rows, zone, today
        self._fill()

    def _turn(self, months: int) -> None:
        index = self._month.year * 12 + self._month.month - 1 + months
        self._month = date(index // 12, index % 12 + 1, 1)
        self._fill()

    def _to_today(self) -> None:
        self._month = self._today.replace(day=1)
        self._fill()

    def _fill(self) -> None:
        clear(self._grid)
        locale = QLocale()
        self._title.setText(locale.toString(QDate(self._month.year, self._month.month, 1), "MMMM yyyy"))
        first_day = locale.firstDayOfWeek().value
        lead = (self._month.isoweekday() - first_day) % 7
        for place in range(7):
            name = locale.standaloneDayName((first_day - 1 + place) % 7 + 1, QLocale.FormatType.ShortFormat)
            self._grid.addWidget(Text(name, "small", wrap=False), 0, place)
            self._grid.setColumnStretch(place, 1)
        starts: dict[date, list[CampaignRow]] = {}
        for campaign in self._rows:
            at = campaign.launched_at or campaign.start_at
            if at is not None:
                starts.setdefault(at.astimezone(self._zone).date(), []).append(campaign)
        day = self._month - timedelta(days=lead)
        for place in range(42):
            if place % 7 == 0 and place and day.month != self._month.month:
                break
            self._grid.addWidget(self._day(day, starts.get(day, [])), 1 + place // 7, place % 7)
            self._grid.setRowStretch(1 + place // 7, 1)
            day += timedelta(days=1)

    def _day(self, day: date, campaigns: Sequence[CampaignRow]) -> QFrame:
        box = QFrame()
        box.setProperty("role", "card" if day.month == self._month.month else "sunken")
        column = QVBoxLayout(box)
        column.setContentsMargins(*(theme.space("xs"),) * 4)
        column.setSpacing(0)
        number = Text(str(day.day), "strong" if day == self._today else "small", wrap=False)
        if day == self._today:
            number.setText(tr("{day} today", day=day.day))
        column.addWidget(number)
        ordered = sorted(campaigns, key=lambda c: (c.launched_at or c.start_at or datetime.min, c.id))
        for campaign in ordered[:SHOWN_PER_DAY]:
            column.addWidget(self._entry(campaign))
        if len(ordered) > SHOWN_PER_DAY:
            more = Text(tr("{n} more", n=len(ordered) - SHOWN_PER_DAY), "small", wrap=False)
            more.setToolTip("\n".join(campaign.name for campaign in ordered[SHOWN_PER_DAY:]))
            column.addWidget(more)
        column.addStretch(1)
        return box

    def _entry(self, campaign: CampaignRow) -> QWidget:
        word, _tone, icon = text.campaign_state(campaign.state)
        at = campaign.launched_at or campaign.start_at
        clock = at.astimezone(self._zone).strftime("%H:%M") if at else ""
        made = ElidedLink(f"{clock} {campaign.name}", icon)
        made.clicked.connect(partial(self.opened.emit, campaign.id))
        made.setToolTip(f"{campaign.name}\n{word}, {text.full_time(at, self._zone)}")
        made.setAccessibleName(f"{campaign.name}, {word}, {text.full_time(at, self._zone)}")
        return made


class ElidedLink(QPushButton):
    """A link that ends in "…" where its words do not fit."""

    def __init__(self, words: str, icon: str) -> None:
        super().__init__()
        self._words = words
        self.setProperty("role", "rowlink")
        self.setCursor(Qt.CursorShape.PointingHandCursor)
        self.setMinimumWidth(theme.size("control"))
        self.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Fixed)
        theme.set_icon(self, icon, "accent")

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        room = self.width() - theme.size("icon") - theme.space("l")
        self.setText(self.fontMetrics().elidedText(self._words, Qt.TextElideMode.ElideRight, room))
