"""The webhook receiver: switch, address, how the inbox stands."""

from __future__ import annotations

from typing import Any

from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import QLineEdit, QSpinBox

from ui import text
from ui.i18n import plural, tr
from ui.pages.settings.section import Section
from ui.tasks import Work
from ui.view import PageView
from ui.widgets.buttons import button, row
from ui.widgets.fields import Field
from ui.widgets.labels import Card, Pill, Text

MOST_PORT = 65_535


class WebhooksSection(Section):
    def __init__(self, page: PageView) -> None:
        super().__init__(page)
        self.intro(
            tr("Webhook receiver"),
            tr(
                "Meta reports deliveries, reads and answers as they happen. The receiver listens on this machine; "
                "a tunnel or reverse proxy with https must lead to it."
            ),
        )
        self.state = Pill()
        self.port = QSpinBox()
        self.port.setRange(0, MOST_PORT)
        self.port.setValue(8080)
        self.start_button = button(tr("Listen"), self.start, "primary", "webhook")
        self.address = QLineEdit()
        self.address.setReadOnly(True)
        copy = button(tr("Copy"), self.copy_address, icon="copy", tip=tr("Copy the address"))
        card = Card()
        card.body.addLayout(row(self.state, None))
        card.add(Field(tr("Port"), self.port, tr("0 takes any free port."), narrow=True))
        card.body.addLayout(row(self.start_button, None))
        address_row = row(self.address, copy)
        self.address.setAccessibleName(tr("Address of the receiver"))
        self.address.setPlaceholderText(tr("The address appears when it listens"))
        card.body.addLayout(address_row)
        self.column.addWidget(card)
        self.inbox, self.trouble = Text(""), Text("", "body", "bad")
        self.column.addWidget(Card(tr("Inbox")).add(self.inbox, self.trouble))
        self.column.addStretch(1)

    def refresh(self) -> None:
        from broadcaster.webhooks import inbox

        receiver = self.page.workspace.receiver
        self.start_button.setEnabled(receiver is None)
        self.port.setEnabled(receiver is None)
        if receiver is None:
            self.state.say(tr("Not listening"), "wait", "wait")
            self.address.setText("")
        else:
            self.state.say(tr("Listening on port {port}", port=receiver.port), "ok", "ok")
            self.address.setText(receiver.url)
        self.page.read(inbox.state, self._show, "inbox")

    def _show(self, state: Any) -> None:
        last = text.when(state.last_received_at, self.page.zone, self.page.now())
        self.inbox.setText(
            plural(
                state.stored,
                "{n} event received; the last {last}.",
                "{n} events received; the last {last}.",
                last=last,
            )
            if state.stored
            else tr("No event has been received yet.")
        )
        self.trouble.setText(
            plural(
                state.failed,
                "{n} event could not be applied; it is kept with the reason in the log.",
                "{n} events could not be applied; they are kept with the reason in the log.",
            )
        )
        self.trouble.setVisible(bool(state.failed))

    def start(self) -> None:
        workspace, port = self.page.workspace, self.port.value()
        self.start_button.setEnabled(False)

        def run(_work: Work) -> int:
            return int(workspace.start_receiver(port))

        self.page.tasks.run(self, run, self._started, self._failed)

    def _started(self, port: int) -> None:
        self.page.notice.say(tr("Listening for webhooks on port {port}.", port=port), "ok")
        self.refresh()

    def _failed(self, error: Any) -> None:
        self.start_button.setEnabled(True)
        self.page.notice.error(error)

    def copy_address(self) -> None:
        if self.address.text():
            QGuiApplication.clipboard().setText(self.address.text())
            self.page.notice.say(tr("The address is on the clipboard."), "ok")
