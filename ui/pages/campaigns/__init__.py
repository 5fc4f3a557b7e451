"""Campaigns: a list and a calendar of all of them, and the composer for one."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

from PySide6.QtWidgets import QButtonGroup, QLineEdit, QStackedWidget, QVBoxLayout, QWidget

from broadcaster.campaigns import catalogue
from broadcaster.campaigns.catalogue import CampaignRow
from broadcaster.states import CampaignState
from ui import text, theme
from ui.bridge import Bridge
from ui.i18n import tr
from ui.models import Column, PagedTable
from ui.pages.campaigns import reading
from ui.pages.campaigns.calendar import Calendar
from ui.pages.campaigns.composer import Composer
from ui.pages.campaigns.dialogs import CopyDialog, TestDialog
from ui.pages.campaigns.reading import Shelf
from ui.tasks import Tasks
from ui.view import PageView
from ui.widgets.buttons import button, menu_button, row
from ui.widgets.dialogs import ask
from ui.widgets.labels import Text
from ui.widgets.states import Stage
from ui.widgets.table import DataTable

if TYPE_CHECKING:
    from broadcaster.workspace import Workspace


class CampaignsPage(PageView):
    name = "campaigns"
    watches = frozenset({"campaign", "audience", "template", "policy", "page", "import"})

    def __init__(self, workspace: Workspace, bridge: Bridge, tasks: Tasks) -> None:
        super().__init__(workspace, bridge, tasks)
        self.shelf = Shelf()
        self.composer: Composer | None = None
        self._wanted: object = None
        self._build()

    # -- building

    def _build(self) -> None:
        new = button(tr("New campaign"), self.start_new, "primary", "add")
        self.as_list = button(tr("List"), partial(self._show_view, 0), icon="table")
        self.as_calendar = button(tr("Calendar"), partial(self._show_view, 1), icon="calendar")
        views = QButtonGroup(self)
        for each in (self.as_list, self.as_calendar):
            each.setCheckable(True)
            views.addButton(each)
        self.as_list.setChecked(True)
        self.search = QLineEdit()
        self.search.setPlaceholderText(tr("Search campaigns"))
        self.search.setAccessibleName(tr("Search campaigns"))
        self.search.setClearButtonEnabled(True)
        self.search.setMaximumWidth(theme.size("field"))
        self.search.textChanged.connect(self._show_rows)
        self.model = PagedTable(self._columns(), self._rows_of, self)
        self.table = DataTable(tr("Campaigns"))
        self.table.setObjectName("campaigns")
        self.table.set_model(self.model)
        self.table.opened.connect(self.open_campaign)
        self.table.chosen.connect(self._chosen)
        self.calendar = Calendar()
        self.calendar.opened.connect(self.open_campaign)
        self.more = menu_button(
            tr("More"), self._deeds(), "more", tip=tr("What to do with the chosen campaign")
        )
        self.more.setEnabled(False)
        self._views = QStackedWidget()
        self._views.addWidget(self.table)
        self._views.addWidget(self.calendar)
        overview = QWidget()
        column = QVBoxLayout(overview)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(theme.space("m"))
        title = Text(tr("Campaigns"), "title", wrap=False)
        column.addLayout(row(title, None, self.search, self.as_list, self.as_calendar, self.more, new))
        self.stage = Stage(self._views)
        column.addWidget(self.stage, 1)
        self._place = QStackedWidget()
        self._place.addWidget(overview)
        self.body.addWidget(self._place, 1)

    def _columns(self) -> list[Column]:
        def time_of(row: CampaignRow) -> Any:
            return row.launched_at or row.start_at

        return [
            Column("name", tr("Name"), lambda row: row.name, width=240),
            Column(
                "state",
                tr("State"),
                lambda row: text.campaign_state(row.state)[0],
                tone=lambda row: text.campaign_state(row.state)[1],
                tip=lambda row: row.pause_text or "",
                width=150,
            ),
            Column(
                "start",
                tr("Starts"),
                lambda row: text.when(time_of(row), self.zone, self.now()),
                tip=lambda row: text.full_time(time_of(row), self.zone),
            ),
            Column("audience", tr("Audience"), self._audience_name, width=160),
            Column(
                "way",
                tr("Way to send"),
                lambda row: self.shelf.ways.get(row.permission, row.permission),
                width=150,
            ),
            Column(
                "eligible",
                tr("Reach"),
                lambda row: text.number(_reach(row)),
                numeric=True,
                tip=lambda _row: tr("Of the start, or of the approval before it"),
                width=80,
            ),
            Column("by", tr("Written by"), lambda row: row.created_by, shown=False),
            Column(
                "changed",
                tr("Changed"),
                lambda row: text.when(row.updated_at, self.zone, self.now()),
                tip=lambda row: text.full_time(row.updated_at, self.zone),
            ),
        ]

    def _deeds(self) -> list[Any]:
        return [
            (tr("Open"), "edit", partial(self._with_chosen, self.open_campaign)),
            (tr("Make a copy…"), "copy", partial(self._with_chosen, self._copy)),
            None,
            (tr("Review"), "review", partial(self._with_chosen, partial(self.navigate.emit, "review"))),
            (
                tr("Watch it being sent"),
                "queue",
                partial(self._with_chosen, partial(self.navigate.emit, "queue")),
            ),
            (tr("Report"), "reports", partial(self._with_chosen, partial(self.navigate.emit, "reports"))),
            None,
            (tr("Cancel the campaign…"), "blocked", partial(self._with_chosen, self._cancel)),
        ]

    def _audience_name(self, row: CampaignRow) -> str:
        return next((each.name for each in self.shelf.audiences if each.id == row.audience_id), text.NONE)

    # -- reading

    def refresh(self) -> None:
        if self.page_id is None:
            action = (tr("Connect a Page"), partial(self.navigate.emit, "settings", "pages"))
            self._to_overview()
            self.stage.show_empty("campaigns", tr("No Page yet"), tr("A campaign is sent by a Page."), action)
            return
        page_id = self.page_id
        self.read(lambda conn: reading.shelf(conn, page_id), self._show_shelf, "shelf", self.stage.show_error)

    def _show_shelf(self, shelf: Shelf) -> None:
        self.shelf = shelf
        self._show_rows()
        if self.composer is not None:
            self.composer.use_shelf(shelf)
            self._refresh_composer()
        wanted, self._wanted = self._wanted, None
        if isinstance(wanted, dict):
            self._start_new(wanted)
        elif wanted is not None:
            found = next((row for row in shelf.campaigns if wanted in (row.id, row.name)), None)
            if found is not None:
                self.open_campaign(found.id)

    def _refresh_composer(self) -> None:
        """Somebody else may have moved the campaign on: show its state, keep what is written here."""
        composer = self.composer
        if composer is None:
            return
        if composer.row is None:
            composer.ask()
            return
        row = next((row for row in self.shelf.campaigns if composer.row and row.id == composer.row.id), None)
        if row is None:
            self._to_overview()
        elif not composer.dirty and row.updated_at != composer.row.updated_at:
            composer.show_campaign(row)
        else:
            composer.ask()

    def _show_rows(self, *_words: object) -> None:
        words = self.search.text().strip().casefold()
        rows = [row for row in self.shelf.campaigns if words in row.name.casefold()]
        if not rows:
            self._show_empty(words)
            return
        self.stage.show_content()
        kept = self.table.chosen_ids()
        self.model.set_ids([row.id for row in rows])
        if kept:
            self.table.choose(kept[0])
        self.calendar.show_campaigns(rows, self.zone, self.now())

    def _show_empty(self, words: str) -> None:
        if words:
            self.stage.show_empty(
                "search", tr("No campaign is called that"), tr("Nothing matches “{words}”.", words=words)
            )
            return
        action = (tr("New campaign"), self.start_new)
        self.stage.show_empty(
            "campaigns",
            tr("No campaign yet"),
            tr("Write the first one: audience, way to send, message, time."),
            action,
        )

    def _rows_of(self, ids: Any) -> list[CampaignRow]:
        wanted = set(ids)
        return [row for row in self.shelf.campaigns if row.id in wanted]

    def _show_view(self, place: int) -> None:
        self._views.setCurrentIndex(place)

    def _chosen(self, campaign_id: object) -> None:
        self.more.setEnabled(campaign_id is not None)

    # -- going

    def open(self, argument: object) -> None:
        ready = self.shelf.page is not None and self.shelf.page.id == self.page_id
        if ready and isinstance(argument, dict):
            self._start_new(argument)
            return
        self._wanted = argument
        self.mark_stale()

    def use_page(self, page_id: int | None) -> None:
        if page_id != self.page_id:
            self._to_overview()
            self.shelf = Shelf()
        super().use_page(page_id)

    def start_new(self, *_pressed: object) -> None:
        self._start_new({})

    def _start_new(self, given: dict[str, Any]) -> None:
        if self.page_id is not None and self.shelf.page is not None:
            self._fresh_composer().show_new(given)

    def open_campaign(self, campaign_id: int) -> None:
        row = next((row for row in self.shelf.campaigns if row.id == campaign_id), None)
        if row is not None:
            self._fresh_composer().show_campaign(row)

    def _fresh_composer(self) -> Composer:
        self._drop_composer()
        composer = self.composer = Composer(self, self.shelf)
        composer.left.connect(self._leave)
        composer.save_asked.connect(self._save)
        composer.people_asked.connect(self._show_people)
        self._place.addWidget(composer)
        self._place.setCurrentWidget(composer)
        return composer

    def _drop_composer(self) -> None:
        if self.composer is not None:
            self._place.removeWidget(self.composer)
            self.composer.deleteLater()
            self.composer = None

    def _to_overview(self) -> None:
        self._drop_composer()
        self._place.setCurrentIndex(0)

    def _leave(self) -> None:
        if self.composer is not None and self.composer.dirty:
            question = tr("What was written since the last save is lost.")
            ask(self, tr("Leave without saving?"), question, tr("Leave"), self._to_overview)
        else:
            self._to_overview()

    # -- deeds

    def _with_chosen(self, deed: Any, *_pressed: object) -> None:
        chosen = self.table.chosen_ids()
        if chosen:
            deed(chosen[0])

    def _save(self, then: str) -> None:
        composer = self.composer
        if composer is None:
            return
        draft, start = composer.draft(), composer.when.start()
        if not draft.name:
            composer.name_field.fault(tr("Give the campaign a name."))
            composer.name.setFocus()
            return
        if composer.audience.audience_id is None:
            self.notice.say(tr("Choose an audience; nothing was saved."), "warn")
            composer.audience.choice.setFocus()
            return
        if then == "schedule" or (composer.row is not None and not composer.dirty):
            self._after_save(then, composer.row.id if composer.row else 0)
            return
        workspace, campaign_id = self.workspace, composer.row.id if composer.row else None
        self.tasks.run(
            self,
            lambda _work: reading.save(workspace, campaign_id, draft, start),
            partial(self._after_save, then),
            self.notice.error,
            key="save",
        )

    def _after_save(self, then: str, campaign_id: int) -> None:
        with self.workspace.store.read() as conn:
            row = catalogue.get(conn, campaign_id)
        if self.composer is not None and then != "schedule":
            self.composer.saved_as(row)
        if then == "submit":
            self._submit(row)
        elif then == "schedule":
            self._schedule(row)
        elif then == "test":
            self.trial = TestDialog(self, row)
            self.trial.open()
        else:
            self.notice.say(tr("Saved “{name}”.", name=row.name), "ok")
        self.mark_stale()

    def _submit(self, row: CampaignRow) -> None:
        self.tasks.run(
            self,
            lambda _work: reading.submit(self.workspace, row.id, ""),
            lambda _done: self._moved(row, tr("“{name}” waits for review.", name=row.name), "review"),
            self.notice.error,
        )

    def _schedule(self, row: CampaignRow) -> None:
        composer = self.composer
        if composer is None:
            return
        start = composer.when.start()
        when = text.when(start.at, self.zone, self.now()) if start.at else tr("now")
        words = tr("“{name}” starts {when}.", name=row.name, when=when)
        self.tasks.run(
            self,
            lambda _work: reading.schedule(self.workspace, row.id, start),
            lambda _done: self._moved(row, words, "queue"),
            self.notice.error,
        )

    def _moved(self, row: CampaignRow, words: str, page: str) -> None:
        names = {"review": tr("Go to review"), "queue": tr("Go to the queue")}
        self.notice.say(words, "ok", (names[page], partial(self.navigate.emit, page, row.id)))
        self.mark_stale()
        with self.workspace.store.read() as conn:
            fresh = catalogue.get(conn, row.id)
        if self.composer is not None:
            self.composer.saved_as(fresh)

    def _copy(self, campaign_id: int) -> None:
        row = next(row for row in self.shelf.campaigns if row.id == campaign_id)
        self.copying = CopyDialog(self, row.name)
        self.copying.accepted.connect(lambda: self._store_copy(campaign_id, self.copying.name))
        self.copying.open()

    def _store_copy(self, campaign_id: int, name: str) -> None:
        self.tasks.run(
            self,
            lambda _work: reading.duplicate(self.workspace, campaign_id, name),
            self._copied,
            self.notice.error,
        )

    def _copied(self, made: int) -> None:
        self._wanted = made
        self.mark_stale()

    def _cancel(self, campaign_id: int) -> None:
        row = next(row for row in self.shelf.campaigns if row.id == campaign_id)
        if row.state in (CampaignState.RUNNING, CampaignState.PAUSED):
            self.navigate.emit("queue", campaign_id)
            return
        question = tr("“{name}” will not be sent. A copy of it can be made at any time.", name=row.name)
        ask(self, tr("Cancel the campaign?"), question, tr("Cancel it"), partial(self._end, row), danger=True)

    def _end(self, row: CampaignRow) -> None:
        from broadcaster.queue import control

        space = self.workspace
        self.tasks.run(
            self,
            lambda _work: control.cancel(space.store, row.id, space.settings.actor, space.clock.now()),
            lambda _done: space.hub.post("campaign", row.id),
            self.notice.error,
        )

    def _show_people(self, reason: str) -> None:
        composer = self.composer
        if composer is not None and composer.row is not None:
            self.navigate.emit("review", {"campaign": composer.row.id, "reason": reason})
        else:
            self.notice.say(tr("Save the draft first: the people are listed on the Review page."), "accent")

    def commands(self) -> list[tuple[str, Any]]:
        return [(tr("New campaign"), self.start_new), (tr("Calendar of campaigns"), self.as_calendar.click)]


def _reach(row: CampaignRow) -> int | None:
    return row.eligible_at_launch if row.eligible_at_launch is not None else row.eligible_at_approval


__all__ = ["CampaignsPage"]
