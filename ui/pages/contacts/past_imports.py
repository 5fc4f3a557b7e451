"""Past imports: what each did, its rejected rows, and taking it back."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from PySide6.QtCore import QUrl
from PySide6.QtGui import QDesktopServices

from ui import text, theme
from ui.i18n import plural, tr
from ui.models import Column, PagedTable
from ui.pages.contacts import reading
from ui.widgets.buttons import button
from ui.widgets.dialogs import Dialog, ask
from ui.widgets.labels import Text
from ui.widgets.states import Stage
from ui.widgets.table import DataTable

if TYPE_CHECKING:
    from ui.pages.contacts import ContactsPage


class PastImports(Dialog):
    """The newest stands first; an import that nothing has used can be taken back as a whole."""

    def __init__(self, page: ContactsPage, page_id: int) -> None:
        super().__init__(tr("Past imports"), page, "wide_dialog")
        self._page = page
        self._runs: dict[int, Any] = {}
        self.chosen: Any = None
        self.table = DataTable(tr("Past imports"))
        self.model = PagedTable(_columns(page), lambda ids: [self._runs[id] for id in ids], self.table)
        self.table.set_model(self.model)
        self.table.chosen.connect(self._chosen)
        self.stage = Stage(self.table)
        self.stage.setMinimumHeight(9 * theme.size("row"))
        self.body.addWidget(self.stage, 1)
        self.said = Text("", "muted")
        self.body.addWidget(self.said)
        self.undo_button = button(tr("Take it back…"), self._ask, icon="undo")
        self.rejects_button = button(tr("Open rejected rows"), self._open_rejects, icon="table")
        for deed in (self.undo_button, self.rejects_button):
            deed.setEnabled(False)
        for made in (button(tr("Back"), self.reject), self.rejects_button, self.undo_button):
            self.buttons.addWidget(made)
        page.read(lambda conn: reading.past_imports(conn, page_id), self._show, "past imports")

    def _show(self, runs: list[Any]) -> None:
        self._runs = {run.id: run for run in runs}
        self.model.set_ids([run.id for run in runs])
        if runs:
            self.stage.show_content()
            self.table.choose(runs[0].id)
            self.table.setFocus()
        else:
            self.stage.show_empty(
                "import", tr("No import yet"), tr("Every import of this Page is listed here."), None
            )

    def _chosen(self, id: object) -> None:
        self.chosen = run = self._runs.get(id) if isinstance(id, int) else None
        if run is None:
            return
        self.undo_button.setEnabled(run.changed)
        self.rejects_button.setEnabled(bool(run.rejects_file) and Path(run.rejects_file).exists())
        self.said.say(_words(run))

    def _open_rejects(self) -> None:
        QDesktopServices.openUrl(QUrl.fromLocalFile(self.chosen.rejects_file))

    def _ask(self) -> None:
        run = self.chosen
        people = run.created + run.updated
        words = tr(
            "{created} people it brought are removed, {updated} it changed are as before. It is refused where a "
            "campaign, a later import or something they did since has used it.",
            created=text.number(run.created),
            updated=text.number(run.updated),
        )
        title = plural(people, "Take back {n} person from {file}?", "Take back {n} people from {file}?",
                       file=run.file_name)  # fmt: skip
        self.question = ask(self, title, words, tr("Take it back"), partial(self._undo, run.id), danger=True)

    def _undo(self, import_id: int) -> None:
        self._page.undo_import(import_id)
        self.accept()


def _columns(page: ContactsPage) -> list[Column]:
    def figure(name: str, title: str) -> Column:
        return Column(name, title, lambda run: text.number(getattr(run, name)), numeric=True, width=84)

    return [
        Column("file_name", tr("File"), lambda run: run.file_name, width=170),
        Column(
            "started_at",
            tr("When"),
            lambda run: text.when(run.started_at, page.zone, page.now()),
            tip=lambda run: text.full_time(run.started_at, page.zone),
            width=110,
        ),
        Column("state", tr("State"), lambda run: _state(run.state), width=100),
        figure("created", tr("Created")),
        figure("updated", tr("Updated")),
        figure("unchanged", tr("Same")),
        figure("duplicates", tr("Twice")),
        figure("rejected", tr("Not taken")),
        Column("actor", tr("By"), lambda run: run.actor, width=84),
    ]


def _state(state: str) -> str:
    return {
        "running": tr("Not finished"),
        "finished": tr("Finished"),
        "cancelled": tr("Cancelled"),
        "failed": tr("Failed"),
        "undone": tr("Taken back"),
    }.get(state, state)


def _words(run: Any) -> str:
    rows = plural(run.done_rows, "{n} row was read.", "{n} rows were read.")
    if run.state in ("running", "cancelled", "failed"):
        return rows + " " + tr("It stopped there: importing the file again takes the rest.")
    return rows
