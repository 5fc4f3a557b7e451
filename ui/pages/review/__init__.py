"""Review: submitted campaigns, everything a decision needs, and the decision."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from PySide6.QtCore import Qt
from PySide6.QtWidgets import (
    QFileDialog,
    QListWidget,
    QListWidgetItem,
    QPlainTextEdit,
    QSplitter,
)

from broadcaster.errors import BroadcasterError
from ui import text, theme
from ui.bridge import Bridge
from ui.i18n import plural, tr
from ui.pages.review import reading
from ui.pages.review.case_view import CaseView
from ui.pages.review.reading import Case, Shelf
from ui.tasks import Tasks
from ui.view import PageView
from ui.widgets.buttons import button, row
from ui.widgets.dialogs import Dialog
from ui.widgets.fields import Field
from ui.widgets.flow import LARGE_TEXT
from ui.widgets.labels import Text
from ui.widgets.scroll import scrolled
from ui.widgets.states import Stage

if TYPE_CHECKING:
    from broadcaster.workspace import Workspace


class ReviewPage(PageView):
    name = "review"
    watches = frozenset({"campaign", "policy", "audience", "audit"})

    def __init__(self, workspace: Workspace, bridge: Bridge, tasks: Tasks) -> None:
        super().__init__(workspace, bridge, tasks)
        self._shelf = Shelf()
        self._campaign_id: int | None = None
        self._reason: str | None = None
        self.summary = Text("", "muted", wrap=False)
        self.body.addLayout(row(Text(tr("Review"), "title", wrap=False), self.summary, None))
        self.list = QListWidget()
        self.list.setAccessibleName(tr("Campaigns to review"))
        self.list.setMinimumWidth(theme.size("rail"))
        self.list.setTextElideMode(Qt.TextElideMode.ElideRight)
        self.list.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.list.currentItemChanged.connect(self._chosen)
        self.case = CaseView(self)
        self.case.asked.connect(self._asked)
        self.case.false_alarm_asked.connect(self._ask_false_alarm)
        self.case.export_asked.connect(self._ask_export)
        self._scroll = scrolled(self.case)
        self.case_stage = Stage(self._scroll)
        large = theme.current().scale >= LARGE_TEXT
        split = QSplitter(Qt.Orientation.Vertical if large else Qt.Orientation.Horizontal)
        split.setChildrenCollapsible(False)
        split.setHandleWidth(theme.space("m"))
        split.addWidget(self.list)
        split.addWidget(self.case_stage)
        split.setStretchFactor(0, 1)
        split.setStretchFactor(1, 5)
        self.stage = Stage(split)
        self.body.addWidget(self.stage, 1)

    # -- reading

    def refresh(self) -> None:
        if self.page_id is None:
            action = (tr("Connect a Page"), partial(self.navigate.emit, "settings", "pages"))
            self.stage.show_empty("review", tr("No Page yet"), tr("Campaigns are sent by a Page."), action)
            return
        page_id = self.page_id
        self.read(lambda conn: reading.shelf(conn, page_id), self._show_shelf, "shelf", self.stage.show_error)

    def use_page(self, page_id: int | None) -> None:
        if page_id != self.page_id:
            self._campaign_id = None
        super().use_page(page_id)

    def open(self, argument: object) -> None:
        """A campaign's id, or {"campaign": id, "reason": rule whose people are wanted}."""
        if isinstance(argument, dict):
            self._campaign_id, self._reason = argument["campaign"], argument.get("reason")
        elif isinstance(argument, int):
            self._campaign_id = argument
        self.mark_stale()

    def _show_shelf(self, shelf: Shelf) -> None:
        self._shelf = shelf
        every = [*shelf.waiting, *shelf.others]
        if not every:
            action = (tr("New campaign"), partial(self.navigate.emit, "campaigns", {"new": True}))
            self.stage.show_empty(
                "review", tr("Nothing to review"), tr("Campaigns that are handed in appear here."), action
            )
            return
        self.stage.show_content()
        count = len(shelf.waiting)
        self.summary.setText(
            plural(count, "{n} waits for a decision", "{n} wait for a decision")
            if count
            else tr("nothing waits")
        )
        if self._campaign_id not in {row.id for row in every}:
            self._campaign_id = every[0].id
        self.list.blockSignals(True)
        self.list.clear()
        for campaign in every:
            word, tone, icon = text.campaign_state(campaign.state)
            item = QListWidgetItem(theme.icon(icon, tone), campaign.name)
            item.setData(Qt.ItemDataRole.UserRole, campaign.id)
            item.setToolTip(f"{campaign.name}\n{word}")
            item.setData(Qt.ItemDataRole.AccessibleTextRole, f"{campaign.name}, {word}")
            self.list.addItem(item)
            if campaign.id == self._campaign_id:
                self.list.setCurrentItem(item)
        self.list.blockSignals(False)
        self._read_case()

    def _chosen(self, item: QListWidgetItem | None, _previous: QListWidgetItem | None) -> None:
        if item is not None:
            self._campaign_id = item.data(Qt.ItemDataRole.UserRole)
            self._scroll.verticalScrollBar().setValue(0)
            self._read_case()

    def _read_case(self) -> None:
        campaign_id, now = self._campaign_id, self.now()
        if campaign_id is not None:
            self.read(
                lambda conn: reading.case(conn, campaign_id, now),
                self._show_case,
                "case",
                self.case_stage.show_error,
                wide=True,
            )

    def _show_case(self, case: Case) -> None:
        self.case_stage.show_content()
        self.case.show_case(case)
        reason, self._reason = self._reason, None
        if reason is not None:
            self._scroll.ensureWidgetVisible(self.case.people)
            self.case.show_people(reason)

    # -- deciding

    def _asked(self, deed: str) -> None:
        case = self.case.case
        if case is None:
            return
        if deed == "edit":
            self.navigate.emit("campaigns", case.campaign.id)
        elif deed == "schedule":
            self._do(lambda: reading.schedule(self.workspace, case.campaign.id), tr("It is scheduled."))
        else:
            self.decision = DecisionDialog(self, case, deed)
            self.decision.accepted.connect(partial(self._decide, deed))
            self.decision.open()

    def _decide(self, deed: str) -> None:
        case, note = self.case.case, self.decision.note
        if case is None:
            return
        act = reading.approve if deed == "approve" else reading.reject
        done = tr("Approved.") if deed == "approve" else tr("Rejected; it is a draft again.")
        self._do(lambda: act(self.workspace, case.campaign.id, note), f"“{case.campaign.name}”: {done}")

    def _do(self, act: Any, words: str) -> None:
        self.tasks.run(self, lambda _work: act(), partial(self._done, words), self._failed)

    def _done(self, words: str, _result: object) -> None:
        self.notice.say(words, "ok")
        self.mark_stale()

    def _failed(self, error: BroadcasterError) -> None:
        self.notice.error(error)
        self.mark_stale()

    def _ask_false_alarm(self, finding: Any) -> None:
        case = self.case.case
        if case is None:
            return
        self.alarm = ReasonDialog(self, finding)
        self.alarm.accepted.connect(partial(self._mark, case.campaign.id, finding))
        self.alarm.open()

    def _mark(self, campaign_id: int, finding: Any) -> None:
        reason = self.alarm.reason
        act = partial(reading.false_alarm, self.workspace, campaign_id, finding.rule, finding.text, reason)
        self._do(act, tr("Noted as a false alarm, with your reason."))

    # -- export

    def _ask_export(self, kind: str, format: str) -> None:
        case = self.case.case
        if case is None:
            return
        chooser = QFileDialog(self, tr("Export"))
        chooser.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        chooser.setAcceptMode(QFileDialog.AcceptMode.AcceptSave)
        chooser.setDefaultSuffix(format)
        chooser.selectFile(f"{case.campaign.name} {kind}.{format}")
        chooser.fileSelected.connect(partial(self.export_to, case.campaign.id, kind, format))
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


class DecisionDialog(Dialog):
    """Approve or reject, with a note; a reason is asked for where a rule wants one."""

    def __init__(self, page: ReviewPage, case: Case, deed: str) -> None:
        approving = deed == "approve"
        super().__init__(tr("Approve") if approving else tr("Reject"), page, "panel")
        self._must = bool(case.check and case.check.needs_reason) if approving else True
        if approving and case.check is not None:
            reach = case.check.reach
            words = tr(
                "{n} of {all} people get exactly this message. Any later change voids the approval.",
                n=text.number(reach.eligible),
                all=text.number(reach.audience),
            )
            self.body.addWidget(Text(words))
        mine = case.campaign.submitted_by == page.workspace.settings.actor
        if approving and case.four_eyes and mine:
            self.body.addWidget(Text(tr("You handed it in: another person must approve it."), "body", "warn"))
        self.edit = QPlainTextEdit()
        self.edit.setTabChangesFocus(True)
        self.edit.setMaximumHeight(theme.size("chart") // 2)
        hint = (
            tr("A finding speaks against it: say why it may go all the same.")
            if approving and self._must
            else tr("What has to change?")
            if not approving
            else tr("Optional; stands in the audit trail.")
        )
        self.field = Field(tr("Note"), self.edit, hint)
        self.body.addWidget(self.field)
        self.buttons.addWidget(button(tr("Back"), self.reject))
        self.take = button(
            tr("Approve") if approving else tr("Reject"), self._take, "primary" if approving else "danger"
        )
        self.buttons.addWidget(self.take)

    @property
    def note(self) -> str:
        return self.edit.toPlainText().strip()

    def _take(self) -> None:
        if self._must and not self.note:
            self.field.fault(tr("Give a reason."))
            self.edit.setFocus()
            return
        self.accept()


class ReasonDialog(Dialog):
    """Why a finding is wrong here; kept with the campaign."""

    def __init__(self, page: ReviewPage, finding: Any) -> None:
        super().__init__(tr("False alarm"), page, "panel")
        self.body.addWidget(Text(f"“{finding.text}”: {finding.reason}"))
        self.edit = QPlainTextEdit()
        self.edit.setTabChangesFocus(True)
        self.edit.setMaximumHeight(theme.size("chart") // 2)
        self.field = Field(
            tr("Why it is no finding here"), self.edit, tr("Kept, and shown to the next reader.")
        )
        self.body.addWidget(self.field)
        self.buttons.addWidget(button(tr("Back"), self.reject))
        self.buttons.addWidget(button(tr("Note it"), self._take, "primary"))

    @property
    def reason(self) -> str:
        return self.edit.toPlainText().strip()

    def _take(self) -> None:
        if not self.reason:
            self.field.fault(tr("Give a reason."))
            return
        self.accept()
