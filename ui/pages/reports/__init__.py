"""Reports: what became of a campaign, every number with the people behind it, and the files to keep."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QComboBox, QFileDialog, QVBoxLayout, QWidget

from broadcaster.campaigns.catalogue import CampaignRow
from broadcaster.reasons import reason_text
from ui import text, theme
from ui.bridge import Bridge
from ui.i18n import tr
from ui.models import Column
from ui.pages.reports import reading
from ui.pages.reports.figures import Figures, figure_name
from ui.pages.reports.reading import Report
from ui.tasks import Tasks
from ui.view import PageView
from ui.widgets.buttons import menu_button, row
from ui.widgets.labels import Card, Pill, Text
from ui.widgets.people_list import PeopleList
from ui.widgets.scroll import scrolled
from ui.widgets.states import Stage

if TYPE_CHECKING:
    from broadcaster.workspace import Workspace

_FILTERS = (
    "intended",
    "sent",
    "delivered",
    "read",
    "replied",
    "failed",
    "skipped",
    "unconfirmed",
    "cancelled",
    "waiting",
    "sending",
    "blocked",
)


class ReportsPage(PageView):
    name = "reports"
    watches = frozenset({"campaign", "delivery"})

    def __init__(self, workspace: Workspace, bridge: Bridge, tasks: Tasks) -> None:
        super().__init__(workspace, bridge, tasks)
        self._campaigns: list[CampaignRow] = []
        self._campaign_id: int | None = None
        self._report: Report | None = None
        self.choice = QComboBox()
        self.choice.setAccessibleName(tr("Campaign"))
        self.choice.setMinimumWidth(theme.size("field"))
        self.choice.currentIndexChanged.connect(self._chosen)
        self.pill, self.facts = Pill(), Text("", "muted")
        self.export = menu_button(tr("Export"), self._exports(), "export")
        title = Text(tr("Reports"), "title", wrap=False)
        self.body.addLayout(row(title, self.choice, self.pill, None, self.export))
        self.figures = Figures(self)
        self.figures.people_asked.connect(self.show_people)
        self.figures.retry_asked.connect(self._retry)
        self.people = PeopleList(tr("People"), self._columns(), self._rows)
        self.people.wanted.connect(self._find)
        self.people.opened.connect(partial(self.navigate.emit, "contacts"))
        content = QWidget()
        inner = QVBoxLayout(content)
        inner.setContentsMargins(0, 0, theme.space("s"), theme.space("m"))
        inner.setSpacing(theme.space("m"))
        inner.addWidget(self.facts)
        inner.addWidget(self.figures)
        inner.addWidget(Card(tr("The people behind the figures")).add(self.people))
        self._scroll = scrolled(content)
        self.stage = Stage(self._scroll)
        self.body.addWidget(self.stage, 1)

    def _exports(self) -> list[Any]:
        kinds = (
            ("campaign", tr("Campaign report")),
            ("failures", tr("Failures")),
            ("blocked", tr("Blocked people")),
        )
        entries: list[Any] = []
        for kind, name in kinds:
            for format in ("csv", "xlsx", "pdf"):
                words = tr("{report} as {format}…", report=name, format=format.upper())
                entries.append((words, "table", partial(self._ask_export, kind, format)))
            entries.append(None)
        entries.append((tr("Compliance pack…"), "lock", partial(self._ask_export, "compliance", "zip")))
        return entries

    def _columns(self) -> list[Column]:
        def moment(at: Any) -> str:
            return text.when(at, self.zone, self.now())

        return [
            Column(
                "name", tr("Name"), lambda r: text.person_name(r.first_name, r.last_name, r.psid), width=170
            ),
            Column("psid", tr("Id"), lambda r: r.psid, width=150, shown=False),
            Column("state", tr("What became of it"), _state, tone=_tone, width=170),
            Column("cause", tr("Cause"), _cause, tip=_cause_tip, width=260),
            Column("attempts", tr("Tries"), lambda r: text.number(r.attempts), numeric=True, width=70),
            Column(
                "sent",
                tr("Sent"),
                lambda r: moment(r.sent_at),
                tip=lambda r: text.full_time(r.sent_at, self.zone),
            ),
            Column(
                "replied",
                tr("Replied"),
                lambda r: moment(r.replied_at),
                tip=lambda r: text.full_time(r.replied_at, self.zone),
            ),
            Column("last", tr("Last action"), lambda r: moment(r.last_interaction_at), shown=False),
        ]

    # -- reading

    def refresh(self) -> None:
        if self.page_id is None:
            action = (tr("Connect a Page"), partial(self.navigate.emit, "settings", "pages"))
            self.stage.show_empty("reports", tr("No Page yet"), tr("Campaigns are sent by a Page."), action)
            return
        page_id = self.page_id
        self.read(
            lambda conn: reading.campaigns(conn, page_id),
            self._show_campaigns,
            "campaigns",
            self.stage.show_error,
        )

    def use_page(self, page_id: int | None) -> None:
        if page_id != self.page_id:
            self._campaign_id = None
        super().use_page(page_id)

    def open(self, argument: object) -> None:
        if isinstance(argument, int):
            self._campaign_id = argument
        self.mark_stale()

    def _show_campaigns(self, rows: list[CampaignRow]) -> None:
        self._campaigns = rows
        self.export.setEnabled(bool(rows))
        self.choice.setVisible(bool(rows))
        self.pill.setVisible(bool(rows))
        if not rows:
            action = (tr("New campaign"), partial(self.navigate.emit, "campaigns", {"new": True}))
            self.stage.show_empty(
                "reports",
                tr("Nothing to report yet"),
                tr("The first campaign that is sent appears here."),
                action,
            )
            return
        if self._campaign_id not in {row.id for row in rows}:
            self._campaign_id = rows[0].id
        self.choice.blockSignals(True)
        self.choice.clear()
        for each in rows:
            self.choice.addItem(each.name, each.id)
        self.choice.setCurrentIndex(self.choice.findData(self._campaign_id))
        self.choice.blockSignals(False)
        self._read_report()

    def _chosen(self, _place: int) -> None:
        self._campaign_id = self.choice.currentData()
        self.people.show_filter("intended")
        self._read_report()

    def _read_report(self) -> None:
        campaign_id, at = self._campaign_id, self.now()
        if campaign_id is not None:
            self.read(
                lambda conn: reading.report(conn, campaign_id, at),
                self._show_report,
                "report",
                self.stage.show_error,
            )

    def _show_report(self, report: Report) -> None:
        fresh = self._report is None or self._report.status.campaign.id != report.status.campaign.id
        self._report = report
        campaign = report.status.campaign
        self.stage.show_content()
        self.pill.say(*text.campaign_state(campaign.state))
        self.facts.setText(self._facts(report))
        self.figures.show_report(report)
        filters = [(key, figure_name(key)) for key in _FILTERS]
        filters += [(f"blocked:{key}", figure_name(f"blocked:{key}")) for key in report.status.reasons]
        filters += [
            (f"skipped:{key}", figure_name(f"skipped:{key}")) for key in report.status.skipped_reasons
        ]
        filters += [(each.key, f"{figure_name('failed')}: {each.title}") for each in report.failures]
        self.people.use_filters(filters)
        if fresh:
            self.people.ask()
        else:
            self.people.model.invalidate()

    def _facts(self, report: Report) -> str:
        campaign, now = report.status.campaign, self.now()
        parts = []
        if campaign.launched_at is not None:
            parts.append(tr("Started {when}", when=text.when(campaign.launched_at, self.zone, now)))
        elif campaign.start_at is not None:
            parts.append(tr("Planned for {when}", when=text.when(campaign.start_at, self.zone, now)))
        if campaign.finished_at is not None:
            parts.append(tr("ended {when}", when=text.when(campaign.finished_at, self.zone, now)))
            if campaign.launched_at is not None:
                span = campaign.finished_at - campaign.launched_at
                parts.append(tr("took {time}", time=text.duration(span)))
        if campaign.decided_by and campaign.seal:
            parts.append(tr("approved by {who}", who=campaign.decided_by))
        if campaign.pause_text:
            parts.append(campaign.pause_text)
        return " · ".join(parts)

    # -- people

    def show_people(self, figure: str) -> None:
        """The list behind a number, brought into view."""
        self.people.show_filter(figure)
        self._scroll.ensureWidgetVisible(self.people.table)

    def _find(self, words: str, figure: str) -> None:
        campaign_id, at = self._campaign_id, self.now()
        if campaign_id is not None:
            self.read(
                lambda conn: reading.people_ids(conn, campaign_id, at, figure or "intended", words),
                self.people.show_ids,
                "people",
            )

    def _rows(self, ids: Any) -> list[Any]:
        if self._campaign_id is None:
            return []
        with self.workspace.store.read() as conn:
            figure = self.people.filter_key
            return reading.people_rows(conn, self._campaign_id, self.now(), figure, ids)

    # -- deeds

    def _retry(self) -> None:
        campaign_id = self._campaign_id
        if campaign_id is not None:
            workspace = self.workspace
            self.tasks.run(
                self, lambda _work: reading.retry(workspace, campaign_id), self._made, self.notice.error
            )

    def _made(self, campaign: CampaignRow) -> None:
        words = tr("“{name}” is a draft for them: rules and windows are checked anew.", name=campaign.name)
        self.notice.say(words, "ok", (tr("Open it"), partial(self.navigate.emit, "campaigns", campaign.id)))
        self.mark_stale()

    def _ask_export(self, kind: str, format: str) -> None:
        found = next((row for row in self._campaigns if row.id == self._campaign_id), None)
        if found is None:
            return
        chooser = QFileDialog(self, tr("Export"))
        chooser.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        chooser.setAcceptMode(QFileDialog.AcceptMode.AcceptSave)
        chooser.setDefaultSuffix(format)
        chooser.selectFile(f"{found.name} {kind}.{format}")
        chooser.fileSelected.connect(partial(self.export_to, found.id, kind, format))
        chooser.open()

    def export_to(self, campaign_id: int, kind: str, format: str, path: str) -> None:
        workspace = self.workspace
        self.tasks.run(
            self,
            lambda _work: reading.export(workspace, campaign_id, kind, format, Path(path)),
            lambda out: self.notice.say(tr("Written: {file}", file=str(out)), "ok"),
            self.notice.error,
            title=tr("Writing {file}", file=Path(path).name),
        )


def _state(row: Any) -> str:
    return (
        text.delivery_state(row.state)[0] if row.state else tr("Kept out") if row.reason else tr("Reachable")
    )


def _tone(row: Any) -> str:
    return text.delivery_state(row.state)[1] if row.state else "bad" if row.reason else "ok"


def _cause(row: Any) -> str:
    if row.error_title:
        return str(row.error_title)
    known = row.reason and (row.state is None or row.state == "skipped")
    return text.reason(row.reason) if known else (row.reason or "")


def _cause_tip(row: Any) -> str:
    if row.error_title:
        return "\n".join(filter(None, (row.error_text, row.advice)))
    known = row.reason and (row.state is None or row.state == "skipped")
    return reason_text(row.reason).rule if known else (row.reason or "")
