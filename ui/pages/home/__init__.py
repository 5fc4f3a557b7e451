"""Home: who can be reached now, how that shrinks, what is due, what needs a decision."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from functools import partial
from typing import TYPE_CHECKING, Any

from PySide6.QtCore import QTimer
from PySide6.QtWidgets import QVBoxLayout, QWidget

from ui import text, theme
from ui.bridge import Bridge
from ui.i18n import tr
from ui.pages import PageView
from ui.pages.home import reading
from ui.tasks import Tasks
from ui.widgets.buttons import button, row
from ui.widgets.chart import LineChart, Series
from ui.widgets.clearing import clear
from ui.widgets.flow import FlowLayout
from ui.widgets.labels import Card, Figure, Icon, Pill, Text, divider
from ui.widgets.scroll import scrolled
from ui.widgets.states import Stage

if TYPE_CHECKING:
    from broadcaster.workspace import Workspace

AGAIN_MS = 60_000
"""Windows close by themselves: the figures are read again every minute."""
TICK_HOURS = 3
MOST_DUE = 6


class HomePage(PageView):
    name = "home"
    watches = frozenset({"page", "contact", "import", "campaign", "delivery", "webhook", "policy"})

    def __init__(self, workspace: Workspace, bridge: Bridge, tasks: Tasks) -> None:
        super().__init__(workspace, bridge, tasks)
        self._as_of = Text("", "muted", wrap=False)
        self.body.addLayout(row(Text(tr("Home"), "title", wrap=False), None, self._as_of))
        content = QWidget()
        self._column = QVBoxLayout(content)
        self._column.setContentsMargins(0, 0, theme.space("s"), theme.space("l"))
        self._column.setSpacing(theme.space("m"))
        self._build()
        self.stage = Stage(scrolled(content))
        self.start = StartCards(self)
        self.stage.addWidget(self.start)
        self.body.addWidget(self.stage, 1)
        self._timer = QTimer(self)
        self._timer.setInterval(AGAIN_MS)
        self._timer.timeout.connect(self.mark_stale)
        self._timer.start()

    def _build(self) -> None:
        self._decisions = Card(tr("What needs a decision"))
        self._decision_list = QVBoxLayout()
        self._decision_list.setSpacing(theme.space("s"))
        self._decisions.body.addLayout(self._decision_list)
        self._column.addWidget(self._decisions)
        self._column.addWidget(Text(tr("Reachable now, by way to send"), "lead"))
        self._figures = FlowLayout(stretch=True)
        self._column.addLayout(self._figures)
        self.chart = LineChart(tr("People reachable over the next 24 hours"))
        self._chart_note = Text("", "muted")
        curve = Card(tr("Windows close: reachable over the next 24 hours if nobody writes"))
        curve.add(self._chart_note, self.chart)
        self._column.addWidget(curve)
        self._due = Card(tr("Campaigns under way and due"))
        new = button(
            tr("New campaign"), partial(self.navigate.emit, "campaigns", {"new": True}), "link", "add"
        )
        self._due.head.addWidget(new)
        self._due_list = QVBoxLayout()
        self._due_list.setSpacing(theme.space("s"))
        self._due.body.addLayout(self._due_list)
        self._column.addWidget(self._due)
        self._column.addStretch(1)

    def refresh(self) -> None:
        if self.page_id is None:
            self.start.show_for(None)
            self.stage.setCurrentWidget(self.start)
            return
        page_id, now, zone = self.page_id, self.now(), self.zone
        if self.stage.currentWidget() in (self.stage.pane, self.start):
            self.stage.show_loading(tr("Counting who can be reached…"))
        self.read(
            lambda conn: reading.facts(conn, page_id, now, zone),
            partial(self._show, now),
            "home",
            partial(self.stage.show_error, retry=self.mark_stale),
            wide=True,
        )

    def _show(self, now: datetime, facts: reading.HomeFacts) -> None:
        if not facts.people:
            self.start.show_for(self.page_id)
            self.stage.setCurrentWidget(self.start)
            return
        self._as_of.setText(tr("As of {when}", when=text.when(now, self.zone, now)))
        self._as_of.setToolTip(text.full_time(now, self.zone))
        self._show_decisions(facts.decisions)
        self._show_ways(facts)
        self._show_curve(facts)
        self._show_due(facts.due)
        self.stage.show_content()

    def _show_decisions(self, decisions: Sequence[reading.Decision]) -> None:
        clear(self._decision_list)
        if not decisions:
            nothing = row(Icon("ok", "ok"), Text(tr("Nothing waits for you."), "muted"))
            nothing.setStretch(1, 1)
            self._decision_list.addLayout(nothing)
        for decision in decisions:
            icon = {"accent": "review", "wait": "wait"}.get(decision.tone, decision.tone)
            go = button(decision.deed, partial(self.navigate.emit, decision.page, decision.argument))
            go.setAccessibleDescription(decision.words)
            line = row(Icon(icon, decision.tone), Text(decision.words), go)
            line.setStretch(1, 1)
            self._decision_list.addLayout(line)

    def _show_ways(self, facts: reading.HomeFacts) -> None:
        clear(self._figures)
        for way in facts.ways:
            figure = Figure(way.title, text.number(way.eligible), self._way_note(way, facts.people))
            figure.setMinimumWidth(theme.size("rail"))
            self._figures.addWidget(figure)

    def _way_note(self, way: Any, people: int) -> str:
        """Share of everybody; what is about to end, or why it is nobody."""
        notes = [
            tr("{share} of {people}", share=text.percent(way.eligible, people), people=text.people(people))
        ]
        if way.reach.closing_soon:
            notes.append(tr("{n} close within the hour", n=text.number(way.reach.closing_soon)))
        if not way.eligible and way.reach.reasons:
            most = max(way.reach.reasons, key=lambda why: way.reach.reasons[why])
            notes.append(text.reason(most))
        elif way.state == "conditional":
            notes.append(tr("under conditions"))
        return " · ".join(notes)

    def _show_curve(self, facts: reading.HomeFacts) -> None:
        points = [(at.timestamp(), float(count)) for at, count in facts.forecast.hours]
        first, last = facts.forecast.hours[0][1], facts.forecast.hours[-1][1]
        self.chart.show_series(
            [Series(tr("Reachable by the standard window"), points, filled=True)],
            x_word=self._moment_word,
            x_ticks=[(x, self._hour_word(x)) for x, _ in points[::TICK_HOURS]],
            y_title=tr("people"),
        )
        if not first:
            words = tr("No window is open now.")
        elif first == last:
            words = tr("No window closes within 24 hours.")
        else:
            words = tr("{now} now, {later} in 24 hours.", now=text.people(first), later=text.number(last))
            if facts.forecast.half_gone_at is not None:
                half = text.when(facts.forecast.half_gone_at, self.zone, self.now())
                words += " " + tr("Half of the windows are closed {when}.", when=half)
        self._chart_note.setText(words)

    def _moment_word(self, seconds: float) -> str:
        return text.when(datetime.fromtimestamp(seconds, UTC), self.zone, self.now())

    def _hour_word(self, seconds: float) -> str:
        return datetime.fromtimestamp(seconds, UTC).astimezone(self.zone).strftime("%H:%M")

    def _show_due(self, due: Sequence[Any]) -> None:
        clear(self._due_list)
        for place, campaign in enumerate(due[:MOST_DUE]):
            if place:
                self._due_list.addWidget(divider())
            word, tone, icon = text.campaign_state(campaign.state)
            page = "queue" if campaign.state in ("running", "paused") else "campaigns"
            link = button(campaign.name, partial(self.navigate.emit, page, campaign.id), "link")
            at = campaign.launched_at or campaign.start_at
            when = Text(text.when(at, self.zone, self.now()), "muted", wrap=False)
            when.setToolTip(text.full_time(at, self.zone))
            self._due_list.addLayout(row(link, Pill(word, tone, icon), None, when))
        if not due:
            self._due_list.addWidget(Text(tr("Nothing is planned."), "muted"))


class StartCards(QWidget):
    """An empty workspace: three ways to begin."""

    def __init__(self, page: HomePage) -> None:
        super().__init__()
        self._title, self._text = Text("", "lead"), Text("", "muted")
        connect = button(
            tr("Connect a Page"), partial(page.navigate.emit, "settings", "pages"), "primary", "connect"
        )
        self._import = button(
            tr("Import contacts"),
            partial(page.navigate.emit, "contacts", {"import": True}),
            "primary",
            "import",
        )
        practise = button(tr("Try the practice Page"), page_practice(page), "primary", "practice")
        cards = FlowLayout(gap="l", stretch=True)
        for icon, title, words, deed in (
            (
                "connect",
                tr("Connect a Page"),
                tr("With its token from Meta. It is tried before anything is kept."),
                connect,
            ),
            (
                "import",
                tr("Import contacts"),
                tr("From a CSV or XLSX file. Every row that is not taken has a reason."),
                self._import,
            ),
            (
                "practice",
                tr("Try the practice Page"),
                tr("A simulated Page on this machine: a whole campaign, no account needed."),
                practise,
            ),
        ):
            card = Card()
            card.add(Icon(icon, "accent", "icon_large"), Text(title, "lead"), Text(words, "muted"))
            card.body.addStretch(1)
            card.body.addLayout(row(deed, None))
            card.setMinimumWidth(theme.size("field"))
            cards.addWidget(card)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, theme.space("xl"), 0, 0)
        column.setSpacing(theme.space("m"))
        column.addWidget(self._title)
        column.addWidget(self._text)
        column.addLayout(cards)
        column.addStretch(1)

    def show_for(self, page_id: int | None) -> None:
        """Without a Page there is nobody to import for."""
        self._import.setEnabled(page_id is not None)
        if page_id is None:
            self._title.setText(tr("Welcome. Three ways to begin"))
            self._text.setText(
                tr("Contacts belong to a Page, so a Page comes first; the practice Page needs none.")
            )
        else:
            self._title.setText(tr("The Page is connected. Nobody is known yet"))
            self._text.setText(tr("Import a file, or sync the Page's conversations on the Contacts page."))


def page_practice(page: HomePage) -> Any:
    """Ask the window to open the practice Page."""
    return partial(page.navigate.emit, "practice", None)
