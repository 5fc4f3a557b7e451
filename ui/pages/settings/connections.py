"""Pages: connect, health check point by point with the mend for each, reconnect, disconnect."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import Any

from PySide6.QtWidgets import QComboBox, QLineEdit, QVBoxLayout, QWidget

from broadcaster.errors import BroadcasterError
from broadcaster.settings import META_GRAPH_URL
from broadcaster.states import PageState, Platform
from ui import text, theme
from ui.i18n import plural, tr
from ui.pages.settings.section import Section
from ui.tasks import Work
from ui.view import PageView
from ui.widgets.buttons import button, row
from ui.widgets.clearing import clear
from ui.widgets.dialogs import Dialog, ask
from ui.widgets.fields import Field
from ui.widgets.labels import Card, Icon, Pill, Text
from ui.widgets.notice import Notice


class ConnectionsSection(Section):
    def __init__(self, page: PageView) -> None:
        super().__init__(page)
        connect = button(tr("Connect a Page"), self.connect_page, "primary", "connect")
        self.column.addLayout(row(Text(tr("Pages"), "lead", wrap=False), None, connect))
        words = tr("Tokens and secrets are kept in the system's keyring, or in a file only you can read.")
        self.column.addWidget(Text(words, "muted"))
        self._list = QVBoxLayout()
        self._list.setSpacing(theme.space("m"))
        self.column.addLayout(self._list)
        self.column.addStretch(1)
        self._cards: dict[int, PageCard] = {}

    def refresh(self) -> None:
        from broadcaster.pages import listing

        self.page.read(listing.pages, self._show, "pages")

    def _show(self, pages: Sequence[Any]) -> None:
        reports = {card.row.id: card.report for card in self._cards.values() if card.report is not None}
        clear(self._list)
        self._cards = {}
        for row_ in pages:
            card = self._cards[row_.id] = PageCard(row_, self)
            if row_.id in reports:
                card.show_report(reports[row_.id])
            self._list.addWidget(card)
        if not pages:
            self._list.addWidget(Text(tr("No Page is connected yet."), "muted"))

    def card(self, page_id: int) -> PageCard:
        return self._cards[page_id]

    def connect_page(self, known: Any = None) -> None:
        """The dialog that connects a Page, or the known one again."""
        self.dialog = ConnectDialog(self.page, known if hasattr(known, "graph_id") else None)
        self.dialog.open()

    def check(self, page_id: int) -> None:
        from broadcaster.pages import health

        workspace = self.page.workspace

        def run(_work: Work) -> Any:
            client = workspace.graph_client(page_id)
            report = health.check_page(workspace.store, client, workspace.clock, page_id)
            workspace.hub.post("page", page_id)
            return report

        card = self._cards[page_id]
        card.show_checking()
        self.page.tasks.run(card, run, partial(self._checked, page_id), card.show_error, key="check")

    def _checked(self, page_id: int, report: Any) -> None:
        if page_id in self._cards:
            self._cards[page_id].show_report(report)

    def disconnect_page(self, row_: Any) -> None:
        words = tr(
            "Its token is forgotten and its campaigns stop. People and history stay, and it can be connected again."
        )
        title = tr("Disconnect {page}?", page=row_.name)
        ask(self, title, words, tr("Disconnect"), partial(self._disconnect, row_.id), danger=True)

    def _disconnect(self, page_id: int) -> None:
        from broadcaster.pages import connect

        workspace = self.page.workspace

        def run(_work: Work) -> None:
            actor = workspace.settings.actor
            connect.disconnect_page(workspace.store, workspace.secrets, workspace.clock, page_id, actor=actor)
            workspace.forget_client(page_id)
            workspace.hub.post("page", page_id)

        self.page.tasks.run(self, run, None, self.page.notice.error)


class PageCard(Card):
    """One Page: who it is, how it stands, its health points."""

    def __init__(self, row_: Any, section: ConnectionsSection) -> None:
        super().__init__()
        self.row = row_
        self.report: Any = None
        self.setAccessibleName(row_.name)
        word, tone, icon = text.page_state(row_.state)
        people = text.people(row_.people)
        about = [row_.graph_id, platform_word(row_.platform), people]
        if row_.practice:
            about.append(tr("practice"))
        elif row_.graph_url.rstrip("/") != META_GRAPH_URL:
            about.append(tr("not Meta's address: {address}", address=row_.graph_url))
        self.body.addLayout(row(Text(row_.name, "lead", wrap=False), Pill(word, tone, icon), None))
        self.add(Text(" · ".join(about), "muted"))
        if row_.state_text:
            self.add(Text(row_.state_text, "body", tone))
        if row_.token_expires_at is not None:
            page = section.page
            until = text.when(row_.token_expires_at, page.zone, page.now())
            self.add(Text(tr("The token is valid until {when}.", when=until), "muted"))
        self._points = QVBoxLayout()
        self._points.setSpacing(theme.space("xs"))
        self.body.addLayout(self._points)
        gone = row_.state == PageState.DISCONNECTED
        self.check_button = button(tr("Check its health"), partial(section.check, row_.id), icon="check")
        self.check_button.setEnabled(not gone)
        again = button(tr("Connect again…"), partial(section.connect_page, row_), icon="connect")
        leave = button(tr("Disconnect…"), partial(section.disconnect_page, row_), "quiet")
        leave.setEnabled(not gone)
        self.body.addLayout(row(self.check_button, again, leave, None))

    def show_checking(self) -> None:
        self.check_button.setEnabled(False)
        self._fill([Text(tr("Asking the platform…"), "muted")])

    def show_error(self, error: BroadcasterError) -> None:
        self.check_button.setEnabled(True)
        self._fill([Text(str(error), "body", "bad")])

    def show_report(self, report: Any) -> None:
        self.report = report
        self.check_button.setEnabled(True)
        bad = sum(not point.ok for point in report.points)
        head = (
            Text(tr("All points are fine."), "strong", "ok")
            if not bad
            else Text(plural(bad, "{n} point needs mending:", "{n} points need mending:"), "strong", "bad")
        )
        self._fill([head, *(_Point(point) for point in report.points)])

    def _fill(self, widgets: Sequence[QWidget]) -> None:
        clear(self._points)
        for widget in widgets:
            self._points.addWidget(widget)


class _Point(QWidget):
    def __init__(self, point: Any) -> None:
        super().__init__()
        tone = "ok" if point.ok else "bad"
        words = point.text if point.ok or not point.mend else f"{point.text} {point.mend}"
        line = row(Icon(tone, tone), Text(words))
        line.setStretch(1, 1)
        self.setLayout(line)


class ConnectDialog(Dialog):
    """Page id, platform, token and app secret. The token is tried before anything is kept."""

    def __init__(self, page: Any, known: Any) -> None:
        title = tr("Connect {page} again", page=known.name) if known else tr("Connect a Page")
        super().__init__(title, page)
        self._page = page
        self.graph_id, self.name_edit = QLineEdit(), QLineEdit()
        self.token, self.secret, self.verify = QLineEdit(), QLineEdit(), QLineEdit()
        for secret in (self.token, self.secret, self.verify):
            secret.setEchoMode(QLineEdit.EchoMode.Password)
        self.platform = QComboBox()
        for platform in Platform:
            self.platform.addItem(platform_word(platform), platform.value)
        if known:
            self.graph_id.setText(known.graph_id)
            self.graph_id.setEnabled(False)
            self.name_edit.setText(known.name)
            self.platform.setCurrentIndex(self.platform.findData(known.platform))
            self.platform.setEnabled(False)
        self._notice = Notice(closable=False)
        self.body.addWidget(self._notice)
        self._id_field = Field(
            tr("Page id"), self.graph_id, tr("The number in the Page's settings under “Page transparency”.")
        )
        self._token_field = Field(
            tr("Page token"),
            self.token,
            tr("From your app in Meta's developer pages; it is never written to the database or a log."),
        )
        fields = [
            self._id_field,
            Field(tr("Name"), self.name_edit, tr("Left empty, the Page's own name is taken.")),
            Field(tr("Platform"), self.platform),
            self._token_field,
            Field(
                tr("App secret"),
                self.secret,
                tr("Needed for webhooks: it proves that events come from Meta."),
            ),
            Field(
                tr("Verify token"),
                self.verify,
                tr("A word you choose and give Meta when you set up the webhook."),
            ),
        ]
        for field in fields:
            self.body.addWidget(field)
        self.connect_button = button(tr("Connect"), self._connect, "primary", "connect")
        self.connect_button.setDefault(True)
        self.buttons.addWidget(button(tr("Back"), self.reject))
        self.buttons.addWidget(self.connect_button)
        (self.token if known else self.graph_id).setFocus()

    def _connect(self) -> None:
        from broadcaster.pages import connect

        given, token = self.graph_id.text().strip(), self.token.text().strip()
        self._id_field.fault("" if given else tr("Give the Page's id."))
        self._token_field.fault("" if token else tr("Give the Page's token."))
        if not given or not token:
            return
        workspace = self._page.workspace
        values = {
            "page_id": given,
            "name": self.name_edit.text().strip() or None,
            "platform": self.platform.currentData(),
            "token": token,
            "app_secret": self.secret.text().strip() or None,
            "verify_token": self.verify.text().strip() or None,
            "actor": workspace.settings.actor,
        }

        def run(_work: Work) -> Any:
            found = connect.connect_page(
                workspace.store, workspace.secrets, workspace.clock, workspace.settings, **values
            )
            workspace.forget_client(found.id)
            workspace.hub.post("page", found.id)
            return found

        self.connect_button.setEnabled(False)
        self._notice.say(tr("Trying the token…"), "wait")
        self._page.tasks.run(self, run, self._connected, self._failed)

    def _connected(self, found: Any) -> None:
        words = tr("{page} is connected.", page=found.name)
        if not found.verified:
            words += " " + tr("The address could not tell whether the token opens this Page.")
        self._page.notice.say(words, "ok" if found.verified else "warn")
        self.accept()

    def _failed(self, error: BroadcasterError) -> None:
        self.connect_button.setEnabled(True)
        self._notice.error(error)


def platform_word(platform: str) -> str:
    return {Platform.MESSENGER: "Messenger", Platform.INSTAGRAM: "Instagram"}[Platform(platform)]
