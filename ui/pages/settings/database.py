"""Where everything is kept, and whether the audit log is whole."""

from __future__ import annotations

from typing import Any

from PySide6.QtCore import QUrl
from PySide6.QtGui import QDesktopServices
from PySide6.QtWidgets import QLineEdit

from ui import text
from ui.i18n import plural, tr
from ui.pages.settings.section import Section
from ui.view import PageView
from ui.widgets.buttons import button, row
from ui.widgets.fields import Field
from ui.widgets.labels import Card, Text


class DatabaseSection(Section):
    def __init__(self, page: PageView) -> None:
        super().__init__(page)
        self.intro(
            tr("Database"), tr("Everything stands in one workspace folder, or on a PostgreSQL server.")
        )
        self.folder, self.database = QLineEdit(), QLineEdit()
        self.secrets = Text("", "muted")
        for edit in (self.folder, self.database):
            edit.setReadOnly(True)
        show = button(tr("Show the folder"), self.show_folder, icon="link")
        card = Card()
        card.add(
            Field(tr("Workspace folder"), self.folder), Field(tr("Database"), self.database), self.secrets
        )
        card.body.addLayout(row(show, None))
        self.column.addWidget(card)
        self.audit = Text("")
        self.verify_button = button(tr("Verify the audit log"), self.verify, icon="policy")
        audit = Card(tr("Audit log"))
        audit.add(
            Text(
                tr("Every act is chained to the one before, so that nothing can be changed unseen."), "muted"
            )
        )
        audit.add(self.audit)
        audit.body.addLayout(row(self.verify_button, None))
        self.column.addWidget(audit)
        self.column.addStretch(1)

    def refresh(self) -> None:
        workspace = self.page.workspace
        self.folder.setText(str(workspace.settings.home))
        self.database.setText(_without_password(workspace.settings.database_url))
        self.secrets.setText(
            tr("Tokens are in the system's keyring.")
            if workspace.secrets.kind == "keyring"
            else tr("There is no keyring here: tokens are in a file in the folder that only you can read.")
        )

    def show_folder(self) -> None:
        QDesktopServices.openUrl(QUrl.fromLocalFile(str(self.page.workspace.settings.home)))

    def verify(self) -> None:
        from broadcaster.audit import log

        self.page.read(log.verify, self._verified, "verify")

    def _verified(self, found: Any) -> None:
        if found.holds:
            words = plural(found.entries, "{n} entry, chain whole.", "{n} entries, chain whole.")
            self.audit.say(words, "ok")
        else:
            self.audit.say(tr("The chain is broken at entry {n}.", n=text.number(found.broken_at)), "bad")


def _without_password(url: str) -> str:
    """A database URL fit to be shown."""
    scheme, _, rest = url.partition("://")
    user, at, place = rest.rpartition("@")
    return f"{scheme}://{user.partition(':')[0]}{at}{place}"
