"""The composer: audience, way to send, message and time at the left; what comes of it at the right."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from functools import partial
from typing import Any

from PySide6.QtCore import QTimer, Signal
from PySide6.QtWidgets import QHBoxLayout, QLineEdit, QTabWidget, QVBoxLayout, QWidget

from broadcaster.campaigns.catalogue import EDITABLE, CampaignRow
from broadcaster.campaigns.definition import CampaignDraft
from broadcaster.errors import BroadcasterError
from broadcaster.states import CampaignState, LatePolicy
from ui import text, theme
from ui.i18n import tr
from ui.pages.campaigns import reading
from ui.pages.campaigns.audience import AudienceSection
from ui.pages.campaigns.message import MessageSection
from ui.pages.campaigns.outcome import Outcome
from ui.pages.campaigns.reading import Outlook, Shelf, Start, Wish
from ui.pages.campaigns.when import WhenSection
from ui.view import PageView
from ui.widgets.buttons import button, column, row
from ui.widgets.fields import Field
from ui.widgets.findings import go_to
from ui.widgets.flow import LARGE_TEXT, beside
from ui.widgets.labels import Card, Pill, Text
from ui.widgets.scroll import scrolled
from ui.widgets.way_cards import CompareDialog, WayCards

TYPING_MS = 180
"""After the last key: the questions are asked when the hand rests."""
FIRST_WAY = "standard"
SCHEDULABLE = frozenset({CampaignState.APPROVED, CampaignState.SCHEDULED, CampaignState.MISSED})


class Composer(QWidget):
    """One campaign. Asks its questions through ``page.read``; the newest answer wins.

    Signals: ``saved`` (draft, start, then) asks the page to store it; ``left`` goes back to the list.
    """

    left = Signal()
    save_asked = Signal(str)
    """What comes after saving: "", "submit", "schedule" or "test"."""
    people_asked = Signal(str)

    def __init__(self, page: PageView, shelf: Shelf) -> None:
        super().__init__()
        self.page, self.shelf = page, shelf
        self.row: CampaignRow | None = None
        self._seed = 1
        self._loading = True
        self._as_saved: tuple[CampaignDraft, Start] | None = None
        self._timer = QTimer(self)
        self._timer.setSingleShot(True)
        self._timer.setInterval(TYPING_MS)
        self._timer.timeout.connect(self._rested)
        self.name = QLineEdit()
        self.name.setMaxLength(120)
        self.name.setPlaceholderText(tr("Name of the campaign"))
        self.name_field = Field(tr("Name"), self.name)
        self.pill = Pill()
        self.audience, self.ways = AudienceSection(), WayCards()
        self.message = MessageSection(shelf.page.platform)
        self.when = WhenSection(page.zone, page.now())
        self.outcome = Outcome()
        self._build()
        self._connect()
        self.use_shelf(shelf)
        self._loading = False

    # -- building

    def _build(self) -> None:
        self.back = button(tr("All campaigns"), self.left.emit, "link", "left")
        self.save = button(tr("Save draft"), partial(self.save_asked.emit, ""), icon="check")
        self.test = button(tr("Send a test…"), partial(self.save_asked.emit, "test"), icon="send")
        self.submit = button(tr("Submit for review"), partial(self.save_asked.emit, "submit"), "primary")
        self.plan = button(tr("Schedule"), partial(self.save_asked.emit, "schedule"), "primary", "calendar")
        self.note = Text("", "muted")
        self.locked = Text("", "muted")
        deeds = row(self.save, self.test, self.submit, self.plan)
        bar = beside(row(self.back, self.pill, self.note, None), None, deeds, gap="s")
        left = QWidget()
        inner = QVBoxLayout(left)
        inner.setContentsMargins(0, 0, theme.space("s"), theme.space("l"))
        inner.setSpacing(theme.space("m"))
        ways = Card(tr("Way to send"))
        ways.head.addWidget(
            button(tr("Compare"), self.compare, "link", "table", tr("Compare the ways to send"))
        )
        self.cards = [
            Card(tr("Audience")).add(self.name_field, self.audience),
            ways.add(self.ways),
            Card(tr("Message")).add(self.message),
            Card(tr("When")).add(self.when),
        ]
        for card in self.cards:
            inner.addWidget(card)
        inner.addStretch(1)
        self.left_side, right = scrolled(left), scrolled(self.outcome)
        self.setLayout(column(bar, self.locked, self._halves(right)))
        self.locked.hide()

    def _halves(self, right: QWidget) -> QWidget | QHBoxLayout:
        """Side by side; with large text there is room for one at a time."""
        if theme.current().scale >= LARGE_TEXT:
            tabs = QTabWidget()
            tabs.addTab(self.left_side, tr("What is written"))
            tabs.addTab(right, tr("What comes of it"))
            return tabs
        halves = row(self.left_side, right, gap="m")
        halves.setStretch(0, 3)
        halves.setStretch(1, 2)
        return halves

    def _connect(self) -> None:
        self.name.textEdited.connect(self._edited)
        for part in (self.audience, self.message, self.when):
            part.changed.connect(self._edited)
        self.ways.chosen.connect(self._way_chosen)
        self.audience.edit_asked.connect(self._open_audience)
        self.outcome.preview.others.connect(self._other_people)
        self.outcome.findings.chosen.connect(self.go_to_finding)
        self.outcome.waterfall.chosen.connect(self.people_asked)

    def use_shelf(self, shelf: Shelf) -> None:
        """Audiences, fields and templates may have changed; what is written stays."""
        self.shelf = shelf
        self._loading, before = True, self._loading
        self.audience.use_audiences(shelf.audiences)
        self.message.text.use_fields(shelf.fields)
        self.message.template.use_templates(shelf.templates)
        self._loading = before

    # -- showing

    def show_new(self, given: Mapping[str, Any]) -> None:
        """An empty campaign; ``given`` may name an audience."""
        self._loading = True
        self.row = None
        self.ways.show_ways([], FIRST_WAY)
        self._permission = FIRST_WAY
        self.audience.choose_name(str(given.get("audience", "")))
        self._show_usual()
        self._loading = False
        self._as_saved = None
        self._show_state()
        self.name.setFocus()
        self.ask()

    def _show_usual(self) -> None:
        """Speed, quiet hours and cap as the settings have them for new campaigns."""
        usual = self.shelf.usual
        self.when.throttle.setValue(float(usual.get("throttle_per_second") or self.when.throttle.value()))
        quiet, cap = usual.get("quiet_hours"), usual.get("frequency_cap")
        self.when.rules.show_rules(quiet, cap, {}, LatePolicy.ASK, None)

    def show_campaign(self, campaign: CampaignRow) -> None:
        self._loading = True
        self.row = campaign
        self.name.setText(campaign.name)
        self.audience.show_choice(campaign.audience_id, campaign.exclude)
        self._permission = campaign.permission
        self.message.show_definition(campaign.message)
        self.when.throttle.setValue(campaign.throttle_per_second)
        self.when.rules.show_rules(
            campaign.quiet_hours,
            campaign.frequency_cap,
            campaign.options,
            campaign.late_policy,
            campaign.repeat,
        )
        self.when.show_start(Start(campaign.start_at, campaign.start_wall, campaign.start_zone))
        self._loading = False
        self._as_saved = (self.draft(), self.when.start())
        self._show_state()
        self.ask()

    _permission = FIRST_WAY

    def _show_state(self) -> None:
        state = self.row.state if self.row else CampaignState.DRAFT
        self.pill.say(*text.campaign_state(state))
        editable = state in EDITABLE
        for card in self.cards:
            card.setEnabled(editable)
        if self.row is not None and not editable:
            self.locked.setText(tr("This campaign has been sent or ended: make a copy to change it."))
        self.locked.setVisible(self.row is not None and not editable)
        self.save.setVisible(editable)
        self.test.setVisible(editable)
        self._show_dirty()

    def _show_dirty(self) -> None:
        dirty = self.dirty
        warn = dirty and self.row is not None and self.row.state != CampaignState.DRAFT
        state = self.row.state if self.row else CampaignState.DRAFT
        changed = self._as_saved is None or self._as_saved[0] != self.draft()
        self.submit.setVisible(state == CampaignState.DRAFT or (changed and state in EDITABLE))
        self.plan.setVisible(not changed and state in SCHEDULABLE)
        voids = tr("Not saved. Saving takes it back to draft: the approval covers what was approved.")
        self.note.say(voids if warn else tr("Not saved") if dirty else "", "warn" if warn else "")

    @property
    def dirty(self) -> bool:
        if self._as_saved is None:
            return bool(self.name.text().strip() or self.message.text.text.strip())
        return self._as_saved != (self.draft(), self.when.start())

    # -- what is written

    def draft(self) -> CampaignDraft:
        """What would be stored; unchecked."""
        rules, zone = self.when.rules, self.when.zone_info.key
        given = self.row.quiet_hours if self.row else None
        entered = rules.quiet_hours(zone)
        same = given and entered and all(given.get(key) == entered[key] for key in ("from", "to", "timezone"))
        return CampaignDraft(
            name=self.name.text().strip(),
            page=self.shelf.page.graph_id,
            audience=self.audience.name,
            permission=self._permission,
            message=self.message.definition(),
            exclude=self.audience.excluded,
            throttle_per_second=self.when.throttle.value(),
            quiet_hours=given if same else entered,
            frequency_cap=rules.frequency_cap(),
            options=rules.options(),
            late_policy=LatePolicy(str(rules.late.currentData())),
            repeat=rules.repeating(),
        )

    def wish(self) -> Wish:
        """What the questions are asked of."""
        draft = self.draft()
        return Wish(
            self.row.id if self.row else 0,
            self.shelf.page.id,
            self.shelf.page.platform,
            self.audience.audience_id,
            draft.permission,
            draft.message,
            draft.exclude,
            draft.throttle_per_second,
            draft.quiet_hours,
            draft.frequency_cap,
            draft.options,
            self.when.at(),
        )

    def saved_as(self, campaign: CampaignRow) -> None:
        self.row = campaign
        self._as_saved = (self.draft(), self.when.start())
        self._show_state()

    # -- asking

    def _edited(self, *_what: object) -> None:
        if self._loading:
            return
        self.name_field.fault("")
        self.when.move_mark()
        self._show_dirty()
        self._timer.start()

    def _rested(self) -> None:
        """The hand rests. Away from the page nothing is asked; coming back asks."""
        if self.page.isVisible():
            self.ask()

    def ask(self) -> None:
        """Ask everything anew: text, faces, reach, hours ahead."""
        self._timer.stop()
        self.when.use_now(self.page.now())
        wish, read = self.wish(), self.page.read
        read(
            lambda conn: reading.check_text(conn, wish),
            partial(self._show_text, wish),
            "text",
            self._text_error,
        )
        read(lambda conn: reading.faces(conn, wish, self._seed), self._show_faces, "faces", self._faces_error)
        self.outcome.waterfall.show_counting()
        read(
            lambda conn: reading.outlook(conn, wish),
            self._show_outlook,
            "outlook",
            self._reach_error,
            wide=True,
        )
        start: datetime = self.page.now()
        read(
            lambda conn: reading.look_ahead(conn, wish, start),
            self.when.show_hours,
            "hours",
            self.when.show_error,
            wide=True,
        )
        back = self.when.show_estimate
        read(lambda conn: reading.who_comes_back(conn, wish, start), back, "back", self.when.show_error)

    def _show_text(self, wish: Wish, found: tuple[Any, Any]) -> None:
        checked, notices = found
        self.outcome.show_text(checked, notices)
        written = str(wish.message.get("text", ""))
        inside = [finding for finding in checked.findings if finding.part == "text"]
        self.message.text.editor.show_findings(inside, written)

    def _text_error(self, error: BroadcasterError) -> None:
        self.page.notice.error(error)

    def _show_faces(self, faces: Any) -> None:
        if self.audience.audience_id is None:
            self.outcome.preview.show_words(tr("Choose an audience to see it as its people do."))
        else:
            self.outcome.preview.show_faces(faces)

    def _faces_error(self, error: BroadcasterError) -> None:
        self.outcome.preview.show_words(str(error), "bad")

    def _show_outlook(self, outlook: Outlook) -> None:
        self.ways.show_ways(outlook.ways, self._permission)
        self.outcome.show_outlook(outlook)
        self.message.text.show_missing(outlook.missing)

    def _reach_error(self, error: BroadcasterError) -> None:
        self.outcome.show_reach_error(error)

    # -- deeds

    def _way_chosen(self, key: str) -> None:
        self._permission = key
        way = next(way for way in self.ways.ways if way.key == key)
        if way.only_kind:
            self.message.choose_kind(way.only_kind)
        elif self.message.chosen_kind == "template":
            self.message.choose_kind("text")
        self._edited()

    def compare(self) -> None:
        self.compared = CompareDialog(self.ways.ways, self)
        self.compared.open()

    def _other_people(self) -> None:
        self._seed += 1
        self.ask()

    def go_to_finding(self, finding: Any) -> None:
        """Select its words; parts outside the text editor are brought into view."""
        if finding.part == "text":
            self.left_side.ensureWidgetVisible(self.message.text.editor)
            go_to(self.message.text.editor, finding)
        elif finding.part == "way to send":
            self.left_side.ensureWidgetVisible(self.ways)
        else:
            self._show_part(finding)

    def _show_part(self, finding: Any) -> None:
        for edit in self.message.findChildren(QLineEdit):
            if finding.text and finding.text in edit.text() and edit.isVisible():
                self.left_side.ensureWidgetVisible(edit)
                edit.setFocus()
                edit.setSelection(edit.text().index(finding.text), len(finding.text))
                return

    def _open_audience(self, audience_id: int | None) -> None:
        self.page.navigate.emit("audiences", audience_id if audience_id is not None else {"new": True})
