"""Utility templates of the Page in use: list with status, sync, create, delete."""

from __future__ import annotations

import json
from collections.abc import Sequence
from functools import partial
from typing import Any

from PySide6.QtWidgets import QPlainTextEdit

from broadcaster.errors import BroadcasterError
from broadcaster.states import TemplateStatus
from ui import text, theme
from ui.i18n import plural, tr
from ui.models import Column, PagedTable
from ui.pages.settings.section import Section
from ui.tasks import Work
from ui.view import PageView
from ui.widgets.buttons import button, row
from ui.widgets.dialogs import Dialog, ask
from ui.widgets.fields import Field
from ui.widgets.labels import Text
from ui.widgets.states import Stage
from ui.widgets.table import DataTable

EXAMPLE = {
    "name": "order_shipped",
    "language": "en",
    "category": "UTILITY",
    "components": [
        {
            "type": "BODY",
            "text": "Your order {{1}} is on its way and arrives {{2}}.",
            "example": {"body_text": [["A-1001", "tomorrow"]]},
        }
    ],
}


def _status_words(status: str) -> tuple[str, str]:
    return {
        TemplateStatus.APPROVED: (tr("Approved"), "ok"),
        TemplateStatus.PENDING: (tr("Waiting for Meta"), "wait"),
        TemplateStatus.REJECTED: (tr("Rejected"), "bad"),
        TemplateStatus.PAUSED: (tr("Paused by Meta"), "warn"),
        TemplateStatus.DISABLED: (tr("Disabled by Meta"), "bad"),
        TemplateStatus.DELETED: (tr("Deleted"), "wait"),
    }.get(TemplateStatus(status), (str(status), "wait"))


class TemplatesSection(Section):
    def __init__(self, page: PageView) -> None:
        super().__init__(page)
        self.sync_button = button(tr("Fetch from Meta"), self.sync, icon="sync")
        new = button(tr("New template…"), self.create, "primary", "add")
        self.column.addLayout(
            row(Text(tr("Utility templates"), "lead", wrap=False), None, self.sync_button, new)
        )
        words = tr("Messages of the way to send “utility” are built from templates that Meta has approved.")
        self.column.addWidget(Text(words, "muted"))
        self._rows: dict[int, Any] = {}
        self.table = DataTable(tr("Utility templates"))
        columns = [
            Column("name", tr("Name"), lambda one: one.name, width=220),
            Column("language", tr("Language"), lambda one: one.language, width=90),
            Column(
                "status",
                tr("Status"),
                lambda one: _status_words(one.status)[0],
                tone=lambda one: _status_words(one.status)[1],
            ),
            Column("reason", tr("Why rejected"), lambda one: one.rejected_reason or text.NONE, width=200),
            Column("text", tr("Text"), _body_text, width=320, tip=_body_text),
        ]
        self.model = PagedTable(columns, lambda ids: [self._rows[id] for id in ids if id in self._rows], self)
        self.table.set_model(self.model)
        self.table.setMinimumHeight(theme.size("chart"))
        self.stage = Stage(self.table)
        self.column.addWidget(self.stage, 1)
        self.delete_button = button(tr("Delete…"), self.delete, "danger", "delete")
        self.delete_button.setEnabled(False)
        self.table.chosen.connect(self._chosen)
        self.column.addLayout(row(self.delete_button, None))

    def refresh(self) -> None:
        from broadcaster.pages import templates

        if self.page.page_id is None:
            self.stage.show_empty("template", tr("No Page yet"), tr("Templates belong to a Page."))
            return
        page_id = self.page.page_id
        self.page.read(lambda conn: templates.listing(conn, page_id), self._show, "templates")

    def _show(self, rows: Sequence[Any]) -> None:
        self._rows = {one.id: one for one in rows}
        self.model.set_ids([one.id for one in rows])
        if rows:
            self.stage.show_content()
        else:
            self.stage.show_empty(
                "template",
                tr("No templates"),
                tr("Fetch those that Meta knows for this Page, or write one."),
                (tr("Fetch from Meta"), self.sync),
            )

    def _chosen(self, id: object) -> None:
        self.delete_button.setEnabled(id is not None)

    def sync(self) -> None:
        from broadcaster.pages import templates

        self._run(
            lambda space, page_id: templates.sync(
                space.store, space.graph_client(page_id), space.clock, page_id
            ),
            lambda count: self.page.notice.say(
                plural(count, "{n} template fetched.", "{n} templates fetched."), "ok"
            ),
        )

    def create(self) -> None:
        self.dialog = TemplateDialog(self)
        self.dialog.open()

    def delete(self) -> None:
        chosen = self.table.chosen_ids()
        if chosen:
            one = self._rows[chosen[0]]
            words = tr("Meta deletes it too; campaigns that use it can no longer be sent.")
            title = tr("Delete {name} ({language})?", name=one.name, language=one.language)
            ask(self, title, words, tr("Delete"), partial(self._delete, one), danger=True)

    def _delete(self, one: Any) -> None:
        from broadcaster.pages import templates

        self._run(
            lambda space, page_id: templates.delete(
                space.store, space.graph_client(page_id), page_id, one.name, one.language
            ),
            lambda _nothing: self.page.notice.say(tr("Deleted {name}.", name=one.name), "ok"),
        )

    def _run(self, deed: Any, done: Any, failed: Any = None) -> None:
        workspace, page_id = self.page.workspace, self.page.page_id
        if page_id is None:
            return

        def run(_work: Work) -> Any:
            result = deed(workspace, page_id)
            workspace.hub.post("template", page_id)
            return result

        self.page.tasks.run(self, run, done, failed or self.page.notice.error)


class TemplateDialog(Dialog):
    """A template's definition as Meta takes it."""

    def __init__(self, section: TemplatesSection) -> None:
        super().__init__(tr("New utility template"), section)
        self._section = section
        self.edit = QPlainTextEdit(json.dumps(EXAMPLE, indent=2))
        self.edit.setMinimumHeight(theme.size("chart") + theme.size("row"))
        hint = tr("Name, language and components as JSON; Meta decides within minutes to a day.")
        self._field = Field(tr("Definition"), self.edit, hint)
        self.body.addWidget(self._field)
        self.buttons.addWidget(button(tr("Back"), self.reject))
        self.send_button = button(tr("Send to Meta for approval"), self._send, "primary")
        self.buttons.addWidget(self.send_button)

    def _send(self) -> None:
        from broadcaster.pages import templates

        try:
            given = json.loads(self.edit.toPlainText())
        except json.JSONDecodeError as error:
            self._field.fault(tr("Not JSON: {what} in line {line}.", what=error.msg, line=error.lineno))
            return
        self.send_button.setEnabled(False)
        self._section._run(
            lambda space, page_id: templates.create(
                space.store, space.graph_client(page_id), space.clock, page_id, given
            ),
            self._sent,
            self._failed,
        )

    def _sent(self, one: Any) -> None:
        self._section.page.notice.say(tr("{name} was sent to Meta for approval.", name=one.name), "ok")
        self.accept()

    def _failed(self, error: BroadcasterError) -> None:
        self.send_button.setEnabled(True)
        self._field.fault(str(error))


def _body_text(one: Any) -> str:
    body = next((part for part in one.components if str(part.get("type", "")).upper() == "BODY"), {})
    return str(body.get("text", text.NONE))
