"""One campaign before the reviewer: what changed, what it says, who gets it, who not and why, who did what."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from functools import partial
from typing import Any

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QVBoxLayout, QWidget

from broadcaster.reasons import reason_text
from broadcaster.reports import lists
from broadcaster.states import CampaignState, Reason
from ui import text, theme
from ui.i18n import tr
from ui.models import Column
from ui.pages.review import reading
from ui.pages.review.reading import Case
from ui.view import PageView
from ui.widgets.buttons import button, menu_button, row
from ui.widgets.clearing import clear
from ui.widgets.findings import FindingsList
from ui.widgets.flow import beside
from ui.widgets.grid import TextGrid
from ui.widgets.labels import Card, Pill, Text
from ui.widgets.people_list import PeopleList
from ui.widgets.preview_bubble import PreviewBubble
from ui.widgets.waterfall import Waterfall, steps_of
from ui.widgets.word_diff import WordDiff

_WINDOWS = {Reason.OUTSIDE_24H: timedelta(hours=24), Reason.OUTSIDE_7D: timedelta(days=7)}


class CaseView(QWidget):
    """Shows a ``Case``. The page does what ``asked`` says: approve, reject, schedule, edit."""

    asked = Signal(str)
    false_alarm_asked = Signal(object)
    export_asked = Signal(str, str)

    def __init__(self, page: PageView) -> None:
        super().__init__()
        self.page = page
        self.case: Case | None = None
        self.title, self.pill = Text("", "title"), Pill()
        self.facts = Text("", "muted")
        self.approve = button(tr("Approve…"), partial(self.asked.emit, "approve"), "primary", "check")
        self.reject = button(tr("Reject…"), partial(self.asked.emit, "reject"), "danger", "bad")
        self.plan = button(tr("Schedule it"), partial(self.asked.emit, "schedule"), "primary", "calendar")
        self.edit = button(
            tr("Open"), partial(self.asked.emit, "edit"), icon="edit", tip=tr("Open in the composer")
        )
        self.export = menu_button(tr("Export"), self._exports(), "export")
        self.changes, self.bubble = QVBoxLayout(), PreviewBubble()
        self.changes.setSpacing(theme.space("s"))
        self.waterfall = Waterfall()
        self.findings = FindingsList(self.false_alarm_asked.emit)
        self.people = PeopleList(tr("People of the audience"), self._columns(), self._rows)
        self.why = TextGrid(tr("Rule by rule"), [tr("Rule"), tr("Verdict"), tr("Fact"), tr("Changes")])
        self.why.setMinimumHeight(theme.size("row") * 6)
        self.trail = TextGrid(
            tr("Audit trail"), [tr("When"), tr("Who"), tr("What"), tr("Details"), tr("Hash")]
        )
        self.trail.setMinimumHeight(theme.size("row") * 5)
        self._build()
        self.people.wanted.connect(self._find)
        self.people.chosen.connect(self._explain)
        self.people.opened.connect(partial(self.page.navigate.emit, "contacts"))
        self.waterfall.chosen.connect(self.show_people)

    def _build(self) -> None:
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, theme.space("s"), theme.space("m"))
        column.setSpacing(theme.space("m"))
        deeds = row(self.edit, self.export, self.reject, self.plan, self.approve)
        head = beside(row(self.title, self.pill, None), None, deeds, gap="s")
        column.addLayout(head)
        column.addWidget(self.facts)
        changed = Card(tr("What changed since the last approval"))
        changed.body.addLayout(self.changes)
        changed.body.addStretch(1)
        said = Card(tr("What they read")).add(self.bubble)
        said.body.addStretch(1)
        reach = Card(tr("Who gets it")).add(self.waterfall)
        reach.body.addStretch(1)
        found = Card(tr("Findings")).add(self.findings)
        found.body.addStretch(1)
        for pair in ((changed, said), (reach, found)):
            column.addLayout(beside(*pair))
        blocked = Card(tr("Who is kept out, and by which rule")).add(self.people)
        self._why_title = Text("", "strong")
        blocked.add(self._why_title, self.why)
        column.addWidget(blocked)
        column.addWidget(Card(tr("Audit trail")).add(self.trail))
        self._hide_why()

    def _exports(self) -> list[Any]:
        ask = self.export_asked.emit
        return [
            (tr("Blocked people as CSV…"), "table", partial(ask, "blocked", "csv")),
            (tr("Blocked people as XLSX…"), "table", partial(ask, "blocked", "xlsx")),
            (tr("Blocked people as PDF…"), "table", partial(ask, "blocked", "pdf")),
            None,
            (tr("Compliance pack…"), "lock", partial(ask, "compliance", "zip")),
        ]

    def _columns(self) -> list[Column]:
        page = self.page
        return [
            Column("name", tr("Name"), _name, width=150),
            Column("psid", tr("Id"), lambda r: r.psid, width=150, shown=False),
            Column(
                "reason",
                tr("Rule"),
                lambda r: text.reason(r.reason) if r.reason else tr("Reachable"),
                tone=lambda r: "bad" if r.reason else "ok",
                tip=lambda r: reason_text(r.reason).rule if r.reason else "",
                width=190,
            ),
            Column("fact", tr("Fact"), self._fact, width=270, tip=self._fact),
            Column("flips", tr("Would change"), _flips, width=180, tip=_flips),
            Column(
                "last",
                tr("Last action"),
                lambda r: text.when(r.last_interaction_at, page.zone, page.now()),
                tip=lambda r: text.full_time(r.last_interaction_at, page.zone),
                shown=False,
            ),
        ]

    def _fact(self, row: Any) -> str:
        """What decided, with times in the zone of the window."""
        if not row.reason:
            return ""
        span, last = _WINDOWS.get(Reason(row.reason)), row.last_interaction_at
        if span is None or last is None:
            return reason_text(row.reason).explain(last, None)
        zone, now = self.page.zone, self.page.now()
        shut = text.when(last + span, zone, now)
        return tr("Last action {when}; window shut {shut}", when=text.when(last, zone, now), shut=shut)

    # -- showing

    def show_case(self, case: Case) -> None:
        fresh = self.case is None or self.case.campaign.id != case.campaign.id
        self.case = case
        campaign = case.campaign
        self.title.setText(campaign.name)
        self.pill.say(*text.campaign_state(campaign.state))
        self.facts.setText(_facts(case, self.page))
        waits = campaign.state == CampaignState.SUBMITTED
        self.approve.setVisible(waits)
        self.reject.setVisible(waits)
        self.plan.setVisible(campaign.state == CampaignState.APPROVED)
        self._show_changes(case)
        if case.body is None:
            self.bubble.show_words(tr("There is nobody to show it to, or a value is missing."))
        else:
            self.bubble.show_body(case.body)
        self._show_check(case)
        self.trail.show_rows([_entry(each, self.page) for each in case.trail])
        if fresh:
            self._hide_why()
        self.people.ask()

    def _show_changes(self, case: Case) -> None:
        clear(self.changes)
        if not case.approved_before:
            self.changes.addWidget(Text(tr("It was never approved before: all of it is new."), "muted"))
        elif not case.differences:
            self.changes.addWidget(Text(tr("Nothing: it is word by word what was approved."), "muted", "ok"))
        for each in case.differences:
            self.changes.addWidget(Text(_field_name(each.field), "strong"))
            self.changes.addWidget(WordDiff(each.before, each.after))

    def _show_check(self, case: Case) -> None:
        check = case.check
        if check is None:
            self.waterfall.show_nothing(case.problem)
            self.findings.show_findings([])
            return
        reach = check.reach
        also = {key: n - reach.reasons.get(key, 0) for key, n in reach.also_failing.items()}
        self.waterfall.show_reach(
            reach.audience, reach.eligible, steps_of(reach.reasons, also), reach.closing_soon
        )
        reasons = [(str(key), text.reason(str(key))) for key in reach.reasons]
        self.people.use_filters(
            [("", tr("All who are kept out")), *reasons, (reading.ELIGIBLE, tr("Reachable"))]
        )
        marked = {(each.rule, each.text): each.reason for each in case.verdicts}
        self.findings.show_findings(
            check.warnings, lambda f: marked.get((f.rule, f.text), ""), check.text.fits_permission
        )

    def show_people(self, key: str) -> None:
        self.people.show_filter(key or reading.ELIGIBLE)

    # -- people

    def _find(self, words: str, key: str) -> None:
        case = self.case
        if case is None:
            return
        self.page.read(
            lambda conn: reading.blocked_ids(conn, case.campaign.id, case.at, words, key),
            self.people.show_ids,
            "people",
        )

    def _rows(self, ids: Sequence[int]) -> list[Any]:
        case = self.case
        if case is None:
            return []
        with self.page.workspace.store.read() as conn:
            if self.people.filter_key == reading.ELIGIBLE and case.campaign.launched_at is not None:
                return lists.message_rows(conn, case.campaign, ids)
            return lists.blocked_rows(conn, case.campaign, case.at, ids)

    def _explain(self, contact_id: object) -> None:
        case = self.case
        if case is None or not isinstance(contact_id, int):
            self._hide_why()
            return
        self.page.read(
            lambda conn: reading.why(conn, case.campaign.id, case.at, contact_id), self._show_why, "why"
        )

    def _show_why(self, found: Any) -> None:
        when = text.when(found.as_of, self.page.zone, self.page.now())
        self._why_title.setText(
            tr("Rule by rule for {id}, {when}, {pack}", id=found.psid, when=when, pack=found.pack)
        )
        self.why.show_rows([_verdict(each, self.page) for each in found.rules])
        self._why_title.show()
        self.why.show()

    def _hide_why(self) -> None:
        self._why_title.hide()
        self.why.hide()


def _name(row: Any) -> str:
    return text.person_name(row.first_name, row.last_name, row.psid)


def _flips(row: Any) -> str:
    return reason_text(row.reason).reopens if row.reason else ""


def _verdict(rule: Any, page: PageView) -> tuple[str, str, str, str]:
    word = tr("✓ passes") if rule.passed else tr("✗ stops them")
    flips = text.when(rule.flips_at, page.zone, page.now()) if rule.flips_at else ""
    return text.reason(str(rule.rule)), word, rule.fact, " ".join(filter(None, (flips, rule.flips_when)))


def _entry(entry: Any, page: PageView) -> tuple[str, str, str, str, str]:
    said = {key: _said(value) for key, value in entry.detail.items() if key != "seal"}
    detail = ", ".join(f"{key}: {value}" for key, value in said.items())
    return text.when(entry.at, page.zone, page.now()), entry.actor, entry.action, detail, entry.hash[:12]


def _said(value: Any) -> str:
    return ", ".join(map(str, value)) if isinstance(value, list) else str(value)


def _facts(case: Case, page: PageView) -> str:
    campaign, now = case.campaign, page.now()
    moment: datetime | None = campaign.start_at
    parts = [
        tr("To “{audience}” by {way}", audience=case.audience, way=case.way),
        tr("planned for {when}", when=text.when(moment, page.zone, now))
        if moment
        else tr("start not planned yet"),
    ]
    if campaign.submitted_by and campaign.submitted_at:
        when = text.when(campaign.submitted_at, page.zone, now)
        parts.append(tr("submitted by {who} {when}", who=campaign.submitted_by, when=when))
    if campaign.decided_by and campaign.decided_at and campaign.state != CampaignState.SUBMITTED:
        when = text.when(campaign.decided_at, page.zone, now)
        word = tr("approved by {who} {when}") if campaign.seal else tr("rejected by {who} {when}")
        parts.append(word.format(who=campaign.decided_by, when=when))
    if campaign.decision_note and campaign.state != CampaignState.SUBMITTED:
        parts.append(f"“{campaign.decision_note}”")
    return " · ".join(parts)


def _field_name(field: str) -> str:
    return {
        "message": tr("Message"),
        "permission": tr("Way to send"),
        "audience": tr("Audience"),
        "exclude": tr("Left out"),
        "throttle_per_second": tr("Speed"),
        "quiet_hours": tr("Quiet hours"),
        "frequency_cap": tr("Frequency cap"),
        "options": tr("Options"),
        "repeat": tr("How often"),
        "late_policy": tr("If its time was missed"),
        "policy": tr("Policy pack"),
    }.get(field, field)
