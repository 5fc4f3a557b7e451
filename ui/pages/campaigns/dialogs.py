"""What is asked before a test is sent or a copy is made."""

from __future__ import annotations

from typing import Any

from PySide6.QtWidgets import QLineEdit

from broadcaster.campaigns.catalogue import CampaignRow
from ui.i18n import tr
from ui.pages.campaigns import reading
from ui.view import PageView
from ui.widgets.buttons import button
from ui.widgets.dialogs import Dialog
from ui.widgets.fields import Field
from ui.widgets.labels import Text


class TestDialog(Dialog):
    """A test to one person: outside every count, and marked as such."""

    __test__ = False

    def __init__(self, page: PageView, row: CampaignRow) -> None:
        super().__init__(tr("Send a test"), page, "panel")
        self._page, self._row = page, row
        self.psid = QLineEdit()
        hint = tr(
            "Somebody who wrote to the Page, best yourself. They get the message at once, with their own values."
        )
        self.field = Field(tr("Id of the person (PSID)"), self.psid, hint)
        self.body.addWidget(self.field)
        self.outcome = Text("")
        self.body.addWidget(self.outcome)
        self.buttons.addWidget(button(tr("Close"), self.reject))
        self.send = button(tr("Send the test"), self._send, "primary", "send")
        self.buttons.addWidget(self.send)

    def _send(self) -> None:
        psid = self.psid.text().strip()
        if not psid:
            self.field.fault(tr("Give the id of a person."))
            return
        self.send.setEnabled(False)
        self.outcome.say(tr("Sending…"), "")
        workspace, campaign_id = self._page.workspace, self._row.id
        self._page.tasks.run(
            self, lambda _work: reading.send_trial(workspace, campaign_id, psid), self._sent, self._failed
        )

    def _sent(self, found: Any) -> None:
        self.send.setEnabled(True)
        words = {
            "accepted": (tr("The platform took it."), "ok"),
            "refused": (tr("The platform refused it: {error}", error=found.error), "bad"),
        }
        unknown = (tr("It is not known whether it arrived: {error}", error=found.error), "doubt")
        self.outcome.say(*words.get(found.outcome, unknown))

    def _failed(self, error: Any) -> None:
        self.send.setEnabled(True)
        self.outcome.say(str(error), "bad")


class CopyDialog(Dialog):
    """The name of a copy."""

    def __init__(self, page: PageView, name: str) -> None:
        super().__init__(tr("Copy “{name}”", name=name), page, "panel")
        self._edit = QLineEdit(tr("{name} (copy)", name=name))
        self._edit.setMaxLength(120)
        self.body.addWidget(Field(tr("Name of the copy"), self._edit))
        self.buttons.addWidget(button(tr("Back"), self.reject))
        self.buttons.addWidget(button(tr("Make the copy"), self.accept, "primary"))

    @property
    def name(self) -> str:
        return self._edit.text().strip()
