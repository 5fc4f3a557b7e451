"""The figures of one campaign: funnel, sum, curve, failures with what to do, and blocked people by rule."""

from __future__ import annotations

from datetime import UTC, datetime
from functools import partial
from typing import Any

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QVBoxLayout, QWidget

from broadcaster.reports.figures import CampaignStatus
from broadcaster.states import Platform
from ui import text, theme
from ui.i18n import plural, tr
from ui.pages.reports.reading import Report
from ui.view import PageView
from ui.widgets.buttons import button, row
from ui.widgets.chart import LineChart, Series
from ui.widgets.clearing import clear
from ui.widgets.flow import FlowLayout, beside
from ui.widgets.forecast_chart import hour_ticks
from ui.widgets.funnel import Funnel, Stage
from ui.widgets.labels import Card, Text, divider
from ui.widgets.waterfall import Waterfall, steps_of

_LINES = {"sent": "accent", "delivered": "wait", "read": "ok", "replied": "doubt"}


def figure_name(key: str) -> str:
    """A figure of the ledger in words."""
    names = {
        "intended": tr("Everybody it was meant for"),
        "sent": tr("Sent"),
        "delivered": tr("Delivered"),
        "read": tr("Read"),
        "replied": tr("Replied"),
        "failed": tr("Failed"),
        "skipped": tr("Stopped by a rule while sending"),
        "unconfirmed": tr("In doubt"),
        "cancelled": tr("Cancelled"),
        "waiting": tr("Waiting"),
        "sending": tr("Sending"),
        "blocked": tr("Kept out before the start"),
    }
    if key.startswith(("blocked:", "skipped:")):
        head, _, reason = key.partition(":")
        return f"{names[head]}: {text.reason(reason)}"
    return names.get(key, key)


class Figures(QWidget):
    """Shows a ``Report``; ``people_asked`` says the figure whose people are wanted."""

    people_asked = Signal(str)
    retry_asked = Signal()

    def __init__(self, page: PageView) -> None:
        super().__init__()
        self.page = page
        self.funnel, self.chart = Funnel(), LineChart(tr("The campaign over time"))
        self.funnel.chosen.connect(self.people_asked)
        self.waterfall = Waterfall()
        self.waterfall.chosen.connect(self._reason_chosen)
        self.sum = FlowLayout(gap="xs")
        self.verdict, self.blind = Text(""), Text("", "small")
        self._failures = QVBoxLayout()
        self._failures.setSpacing(theme.space("s"))
        self.retry = button(
            tr("New campaign from the retryable ones"), self.retry_asked.emit, "primary", "undo"
        )
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(theme.space("m"))
        self.over_time = Card(tr("Over time")).add(self.chart)
        self._legend = row(None)
        self.over_time.body.addLayout(self._legend)
        became = Card(tr("What became of it")).add(self.funnel, self.blind)
        became.body.addStretch(1)
        top = beside(became, self.over_time)
        column.addLayout(top)
        sums = Card(tr("Everybody accounted for"))
        sums.body.addLayout(self.sum)
        sums.add(self.verdict)
        column.addWidget(sums)
        failed = Card(tr("Failures, by cause"))
        failed.body.addLayout(self._failures)
        failed.body.addStretch(1)
        failed.body.addLayout(row(self.retry, None))
        self.since = Text("", "small")
        blocked = Card(tr("Before the start")).add(self.waterfall, self.since)
        blocked.body.addStretch(1)
        column.addLayout(beside(failed, blocked))

    def _reason_chosen(self, reason: str) -> None:
        self.people_asked.emit(f"blocked:{reason}" if reason else "intended")

    def show_report(self, report: Report) -> None:
        self._show_funnel(report)
        self._show_sum(report)
        self._show_lines(report)
        self._show_failures(report)
        found = report.status
        reasons = {key: int(count) for key, count in found.reasons.items()}
        self.waterfall.show_reach(found.audience, found.eligible, steps_of(reasons))
        self.since.setText(_since_approval(found))

    def _show_funnel(self, report: Report) -> None:
        counts, found = report.status.counts, report.status
        tells = found.platform != Platform.INSTAGRAM
        no_delivery = "" if tells else tr("Instagram does not report deliveries.")
        self.funnel.show_stages(
            [
                Stage("sent", tr("Sent"), counts.sent),
                Stage("delivered", tr("Delivered"), counts.delivered if tells else None, no_delivery, "wait"),
                Stage("read", tr("Read"), counts.read, "", "ok"),
                Stage("replied", tr("Replied"), report.replied, "", "doubt"),
            ]
        )
        words = tr(
            "Sent means the platform took it. Delivered, read and replied are told by webhooks alone, and people "
            "can switch receipts off: the true figures are at least these."
        )
        self.blind.setText(words if tells else f"{words} {no_delivery}")

    def _show_sum(self, report: Report) -> None:
        """intended = sent + failed + skipped + unconfirmed + cancelled + waiting + sending, in the open."""
        clear(self.sum)
        counts, launched = report.status.counts, report.status.campaign.launched_at is not None
        if not launched:
            self.verdict.say(tr("It has not started: nothing was sent."), "")
            return
        parts = ("sent", "failed", "skipped", "unconfirmed", "cancelled", "waiting", "sending")
        self._summand("intended", counts.intended, "=")
        for place, key in enumerate(parts):
            self._summand(key, getattr(counts, key), "+" if place < len(parts) - 1 else "")
        total = text.number(counts.total)
        if report.status.adds_up:
            self.verdict.say(tr("✓ The parts add up to {n}.", n=total), "ok")
        else:
            intended = text.number(counts.intended)
            words = tr(
                "✗ The parts add up to {total}, not to {n}. Report this as a fault.", total=total, n=intended
            )
            self.verdict.say(words, "bad")

    def _summand(self, key: str, count: int, sign: str) -> None:
        name, shown = figure_name(key), text.number(count)
        made = button(f"{shown} {name.lower()}", partial(self.people_asked.emit, key), "link")
        made.setAccessibleName(tr("{name}: {count}. Show these people", name=name, count=shown))
        self.sum.addWidget(made)
        if sign:
            word = Text(sign, "muted", wrap=False)
            word.setMinimumHeight(theme.size("control"))
            self.sum.addWidget(word)

    def _show_lines(self, report: Report) -> None:
        self.over_time.setVisible(bool(report.lines))
        if not report.lines:
            return
        page = self.page
        zone, now = page.zone, page.now()
        instants = [at for line in report.lines for at, _ in line.points]
        start, end = min(instants), max(instants)
        names = {key: figure_name(key) for key in _LINES}
        series = [
            Series(
                names[line.name],
                [(at.timestamp(), float(n)) for at, n in line.points],
                _LINES[line.name],
                dashed=line.name == "delivered",
            )
            for line in report.lines
            if line.points and line.points[-1][1]
        ]
        self.chart.show_series(
            series,
            x_word=lambda x: text.when(datetime.fromtimestamp(x, UTC), zone, now),
            x_ticks=_ticks(start, end, page),
            y_title=tr("messages so far"),
        )
        clear(self._legend)
        for each in series:
            mark = "╌" if each.dashed else "━"
            self._legend.addWidget(Text(f"{mark} {each.name}", "body", each.tone, wrap=False))
        self._legend.addStretch(1)

    def _show_failures(self, report: Report) -> None:
        clear(self._failures)
        if not report.failures:
            self._failures.addWidget(Text(tr("Nothing failed."), "muted"))
        for place, each in enumerate(report.failures):
            if place:
                self._failures.addWidget(divider())
            link = button(each.title, partial(self.people_asked.emit, each.key), "link", "bad")
            number = Text(text.number(each.count), "strong", wrap=False)
            link.setAccessibleName(
                tr("{name}: {count}. Show these people", name=each.title, count=number.text())
            )
            self._failures.addLayout(row(link, None, number))
            self._failures.addWidget(Text(each.advice, "muted"))
        count = report.retryable
        self.retry.setVisible(count > 0)
        words = plural(
            count, "New campaign from the {n} retryable", "New campaign from the {n} retryable ones"
        )
        self.retry.setText(words)
        self.retry.setAccessibleName(words)


def _since_approval(found: CampaignStatus) -> str:
    """How its reach moved between approval and start."""
    change, approved = found.since_approval, text.number(found.campaign.eligible_at_approval or 0)
    if change is None:
        return ""
    if not change:
        return tr("{n} can be reached, as many as when it was approved.", n=approved)
    moved = tr("more") if change > 0 else tr("fewer")
    shown = text.number(abs(change))
    return tr("{n} could be reached when it was approved: now {k} {moved}.", n=approved, k=shown, moved=moved)


def _ticks(start: datetime, end: datetime, page: PageView) -> list[tuple[float, str]]:
    """Hours over long campaigns; beginning, middle and end of short ones."""
    if (end - start).total_seconds() > 12 * 3600:
        return hour_ticks(start, end, page.zone)
    middle = start + (end - start) / 2
    form = "%H:%M:%S" if (end - start).total_seconds() < 600 else "%H:%M"
    moments: list[Any] = [start, middle, end]
    return [(at.timestamp(), at.astimezone(page.zone).strftime(form)) for at in moments]
