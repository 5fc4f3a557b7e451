"""Contacts: the table of everybody, search and quick filters, the person's panel, import, export, sync."""

from __future__ import annotations

from array import array
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from PySide6.QtCore import QTimer
from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import QComboBox, QFileDialog, QHBoxLayout, QLineEdit, QWidget

from ui import text, theme
from ui.bridge import Bridge
from ui.i18n import plural, tr
from ui.models import PagedTable
from ui.pages import PageView
from ui.pages.contacts import reading
from ui.pages.contacts.columns import columns, quick_filters
from ui.pages.contacts.growth import GrowthDialog
from ui.pages.contacts.importing import ImportDialog
from ui.pages.contacts.past_imports import PastImports
from ui.pages.contacts.person import PersonPanel
from ui.tasks import Tasks, Work
from ui.widgets.buttons import button, menu_button, row
from ui.widgets.dialogs import Dialog
from ui.widgets.labels import Text
from ui.widgets.states import Stage
from ui.widgets.table import DataTable

if TYPE_CHECKING:
    from broadcaster.workspace import Workspace

SEARCH_DELAY_MS = 180


class ContactsPage(PageView):
    name = "contacts"
    watches = frozenset({"contact", "import", "delivery"})

    def __init__(self, workspace: Workspace, bridge: Bridge, tasks: Tasks) -> None:
        super().__init__(workspace, bridge, tasks)
        self._sort, self._descending = "last_interaction_at", True
        self._loaded: tuple[int | None, str, str, str, bool] | None = None
        self._wanted: int | None = None
        self.dialog: Dialog | None = None
        self._timer = QTimer(self)
        self._timer.setSingleShot(True)
        self._timer.setInterval(SEARCH_DELAY_MS)
        self._timer.timeout.connect(self._load)
        self._build()

    def _build(self) -> None:
        self.count_text = Text("", "muted", wrap=False)
        imports = button(tr("Import…"), self.import_file, "primary", "import")
        self.sync_button = button(
            tr("Sync"), self.sync, icon="sync", tip=tr("Read conversations from the platform")
        )
        export = button(tr("Export…"), self.export, icon="export")
        more = menu_button(
            tr("More"),
            [
                (tr("Past imports…"), "undo", self.show_imports),
                (tr("Links and QR codes…"), "link", self.show_growth),
            ],
        )
        head = row(
            Text(tr("Contacts"), "title", wrap=False),
            self.count_text,
            None,
            self.sync_button,
            export,
            more,
            imports,
        )
        self.body.addLayout(head)
        self.search = QLineEdit()
        self.search.setClearButtonEnabled(True)
        self.search.setPlaceholderText(tr("Search names and ids"))
        self.search.setAccessibleName(tr("Search names and ids"))
        self.search.textChanged.connect(self._timer.start)
        self.quick = QComboBox()
        self.quick.setAccessibleName(tr("Show"))
        for key, (words, _) in quick_filters().items():
            self.quick.addItem(words, key)
        self.quick.currentIndexChanged.connect(self._load)
        self.table = self._table()
        choose = button(tr("Columns"), self._show_columns, icon="columns")
        self._columns_button = choose
        tools = row(self.search, self.quick, choose)
        tools.setStretch(0, 1)
        self.body.addLayout(tools)
        self.stage = Stage(self.table)
        self.panel = PersonPanel(self)
        self.panel.closed.connect(self._panel_closed)
        self.panel.changed.connect(self.model.invalidate)
        self.panel.campaign.connect(self._open_campaign)
        content = QWidget()
        line = QHBoxLayout(content)
        line.setContentsMargins(0, 0, 0, 0)
        line.setSpacing(theme.space("l"))
        line.addWidget(self.stage, 1)
        line.addWidget(self.panel)
        self.body.addWidget(content, 1)

    def _table(self) -> DataTable:
        table = DataTable(tr("People"))
        self.model = PagedTable(columns(self.now, lambda: self.zone), self._rows, self)
        table.set_model(self.model)
        table.sorted(self._sort, self._descending)
        table.sort_asked.connect(self._sort_asked)
        table.chosen.connect(self._chosen)
        table.opened.connect(self._show_person)
        table.columns_changed.connect(self._keep_columns)
        return table

    # -- reading

    def refresh(self) -> None:
        if self.page_id is None:
            action = (tr("Connect a Page"), partial(self.navigate.emit, "settings", "pages"))
            self.stage.show_empty("contacts", tr("No Page yet"), tr("People belong to a Page."), action)
            return
        page_id = self.page_id
        self.read(lambda conn: reading.attribute_types(conn, page_id), self._take_attributes, "attributes")
        if self._loaded != self._question():
            self._load()
            return
        self.model.invalidate()
        self.panel.refresh()
        self._count()

    def open(self, argument: object) -> None:
        if isinstance(argument, dict):
            if argument.get("import"):
                self.import_file()
            if "text" in argument:
                self.search.setText(str(argument["text"]))
        elif isinstance(argument, int):
            self._wanted = argument
            if not self.table.choose(argument):
                self.search.clear()
                self.quick.setCurrentIndex(0)
            self._show_person(argument)

    def use_page(self, page_id: int | None) -> None:
        if page_id != self.page_id:
            self.panel.hide()
        super().use_page(page_id)

    def _question(self) -> tuple[int | None, str, str, str, bool]:
        """What decides which rows stand in the table, and in which order."""
        return (
            self.page_id,
            self.search.text().strip(),
            self.quick.currentData(),
            self._sort,
            self._descending,
        )

    def _load(self) -> None:
        """Read the ids of everybody who fits; rows follow when they are looked at."""
        if self.page_id is None:
            return
        asked = self._question()
        if self.model.rowCount() == 0:
            self.stage.show_loading(tr("Reading people…"))
        page_id, typed, quick, sort, descending = asked
        given, now = quick_filters()[quick][1], self.now()

        def read(conn: Any) -> array[int]:
            return reading.ids(conn, page_id, typed, given, sort, descending, now)

        self.read(read, partial(self._show_ids, asked), "ids", self._failed)

    def _show_ids(self, asked: tuple[int | None, str, str, str, bool], ids: array[int]) -> None:
        self._loaded = asked
        self.model.set_ids(ids)
        if ids:
            self.stage.show_content()
        elif asked[1] or asked[2] != "everyone":
            action = (tr("Show everyone"), self._show_everyone)
            self.stage.show_empty(
                "search", tr("Nobody fits"), tr("No one on this Page goes by that."), action
            )
        else:
            words = tr("Import a file, or sync the Page's conversations.")
            self.stage.show_empty("contacts", tr("No people yet"), words, (tr("Import…"), self.import_file))
        if self._wanted is not None and self.table.choose(self._wanted):
            self._wanted = None
        self._count()

    def _count(self) -> None:
        shown = self.model.rowCount()
        everyone = not self.search.text().strip() and self.quick.currentData() == "everyone"
        words = text.people(shown)
        self.count_text.setText(words if everyone else tr("{people} found", people=words))

    def _failed(self, error: Any) -> None:
        self.stage.show_error(error, self._load)

    def _rows(self, ids: Any) -> list[Any]:
        with self.workspace.store.read() as conn:
            return reading.rows(conn, ids)

    # -- the table

    def _sort_asked(self, key: str, descending: bool) -> None:
        self._sort, self._descending = key, descending
        self._load()

    def _chosen(self, contact_id: object) -> None:
        if self.panel.isVisible() and isinstance(contact_id, int):
            self.panel.show_person(contact_id)

    def _show_person(self, contact_id: object) -> None:
        if isinstance(contact_id, int):
            self.panel.show_person(contact_id)
            self.panel.show()
            self._fit()

    def _panel_closed(self) -> None:
        self._fit()
        self.table.setFocus()

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._fit()

    def _fit(self) -> None:
        """Where both have no room, the open panel takes the table's place until it is closed."""
        narrow = self.width() < theme.size("panel") + 2 * theme.size("field")
        self.panel.fill(narrow)
        self.stage.setVisible(not (narrow and self.panel.isVisibleTo(self)))

    def _show_everyone(self) -> None:
        self.search.clear()
        self.quick.setCurrentIndex(0)

    def _show_columns(self) -> None:
        below = self._columns_button.mapToGlobal(self._columns_button.rect().bottomLeft())
        self.table.column_menu().popup(below)

    def _keep_columns(self, keys: list[str]) -> None:
        if self.preferences is not None:
            self.preferences.keep("contacts/columns", keys)

    def _take_attributes(self, types: dict[str, str]) -> None:
        """Columns for the Page's own attributes; those shown are the ones chosen last time."""
        fresh = columns(self.now, lambda: self.zone, types)
        if [c.key for c in fresh] != [c.key for c in self.model.columns]:
            self.model.set_columns(fresh)
        kept = self.preferences.words("contacts/columns") if self.preferences is not None else []
        self.table.fit_columns(kept)

    # -- import, export, sync

    def import_file(self) -> None:
        """The dialog that shows what would be imported before anything is."""
        if self.page_id is not None:
            self.dialog = ImportDialog(self)
            self.dialog.open()

    def show_imports(self) -> None:
        """What past imports did, and taking one back."""
        if self.page_id is not None:
            self.dialog = PastImports(self, self.page_id)
            self.dialog.open()

    def show_growth(self) -> None:
        """Links that bring people, and whom they brought."""
        if self.page_id is not None:
            self.dialog = GrowthDialog(self, self.page_id)
            self.dialog.open()

    def export(self) -> None:
        chooser = QFileDialog(self, tr("Export contacts"))
        chooser.setAcceptMode(QFileDialog.AcceptMode.AcceptSave)
        chooser.setDefaultSuffix("csv")
        chooser.setNameFilter(tr("Contacts (*.csv)"))
        chooser.fileSelected.connect(self.export_to)
        chooser.open()

    def export_to(self, path: str) -> None:
        if self.page_id is None:
            return
        workspace, page_id, total = self.workspace, self.page_id, self.model.rowCount()

        def run(work: Work) -> int:
            return reading.export(workspace, page_id, Path(path), total, work)

        def done(count: int) -> None:
            words = plural(count, "{n} person written to {file}.", "{n} people written to {file}.", file=path)
            self.notice.say(words, "ok")

        self.tasks.run(self, run, done, self.notice.error, title=tr("Exporting contacts"))

    def sync(self) -> None:
        """Read the Page's conversations: names, ids, time of the last message."""
        if self.page_id is None:
            return
        workspace, page_id = self.workspace, self.page_id
        self.sync_button.setEnabled(False)

        def run(work: Work) -> Any:
            return reading.sync(workspace, page_id, work)

        self.tasks.run(
            self, run, self._synced, self._not_synced, title=tr("Syncing conversations"), keep=True
        )

    def _synced(self, result: Any) -> None:
        self.sync_button.setEnabled(True)
        words = tr(
            "{read} conversations read: {new} people new, {changed} changed.",
            read=text.number(result.conversations),
            new=text.number(result.created),
            changed=text.number(result.updated),
        )
        if result.at_least:
            words += " " + tr("Taps and link clicks do not show here: windows are open at least this far.")
        self.notice.say(words, "ok")
        self._loaded = None
        self.mark_stale()

    def _not_synced(self, error: Any) -> None:
        self.sync_button.setEnabled(True)
        self.notice.error(error)

    def imported(self, result: Any) -> None:
        """An import ended: say what became of every row."""
        tone = "warn" if result.rejected or result.cancelled else "ok"
        changed = result.import_id is not None and (result.created or result.updated)
        action = (tr("Take it back"), partial(self.undo_import, result.import_id)) if changed else None
        self.notice.say(reading.result_words(result), tone, action)
        self._loaded = None
        self.mark_stale()

    def undo_import(self, import_id: int, _pressed: bool = False) -> None:
        """Put everybody back as they stood before that import."""
        workspace = self.workspace

        def run(_work: Work) -> Any:
            return reading.undo_import(workspace, import_id)

        self.tasks.run(self, run, self._undone, self.notice.error, title=tr("Taking the import back"))

    def _undone(self, count: int) -> None:
        words = plural(count, "{n} person is as before the import.", "{n} people are as before the import.")
        self.notice.say(words, "ok")
        self._loaded = None
        self.mark_stale()

    def _open_campaign(self, campaign_id: object) -> None:
        self.navigate.emit("reports", campaign_id)

    def commands(self) -> list[tuple[str, Any]]:
        return [
            (tr("Sync conversations"), self.sync),
            (tr("Export contacts"), self.export),
            (tr("Past imports"), self.show_imports),
            (tr("Links and QR codes"), self.show_growth),
        ]
