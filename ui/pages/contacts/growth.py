"""Ways in: a link with its QR code that opens a conversation, and which one brought how many people."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from PySide6.QtCore import QByteArray, Qt
from PySide6.QtGui import QGuiApplication
from PySide6.QtSvgWidgets import QSvgWidget
from PySide6.QtWidgets import QFileDialog, QLineEdit

from broadcaster.errors import BroadcasterError
from ui import text, theme
from ui.i18n import plural, tr
from ui.models import Column, PagedTable
from ui.pages.contacts import reading
from ui.widgets.buttons import button, column, row
from ui.widgets.dialogs import Dialog
from ui.widgets.fields import Field
from ui.widgets.labels import Text
from ui.widgets.notice import Notice
from ui.widgets.states import Stage
from ui.widgets.table import DataTable

if TYPE_CHECKING:
    from ui.pages.contacts import ContactsPage


class _Way:
    """A row of the table."""

    def __init__(self, id: int, point: Any) -> None:
        self.id, self.point = id, point


class GrowthDialog(Dialog):
    """The link follows the typing; what a link cannot carry is said at once."""

    def __init__(self, page: ContactsPage, page_id: int) -> None:
        super().__init__(tr("Links and QR codes"), page, "wide_dialog")
        self._page = page
        self._ways: list[_Way] = []
        self._graph_id = ""
        self.link = ""
        self.body.addWidget(
            Text(
                tr(
                    "Whoever opens the link can write to the Page, and that opens their window. The ref comes back "
                    "with them, so that you see which poster, shop or post brought whom."
                ),
                "muted",
            )
        )
        self.ref = QLineEdit()
        self.ref.setPlaceholderText(tr("for instance poster-berlin"))
        self.ref.textChanged.connect(self._follow)
        self.shown = QLineEdit()
        self.shown.setReadOnly(True)
        self.notice = Notice(closable=False)
        self.picture = QSvgWidget()
        self.picture.setFixedSize(theme.size("code"), theme.size("code"))
        self.picture.setAccessibleName(tr("QR code of the link"))
        self.copy_button = button(tr("Copy link"), self._copy, icon="copy")
        self.save_button = button(tr("Save QR code…"), self._save, icon="export")
        fields = column(
            Field(tr("Ref (letters, digits, - _ =)"), self.ref),
            Field(tr("Link"), self.shown),
            self.notice,
            row(self.copy_button, self.save_button, None),
            None,
        )
        top = row(fields, self.picture, gap="l")
        top.setStretch(0, 1)
        top.setAlignment(self.picture, Qt.AlignmentFlag.AlignTop)
        self.body.addLayout(top)
        self.body.addWidget(Text(tr("Which way in brought whom"), "strong"))
        self.table = DataTable(tr("Ways in"))
        self.model = PagedTable(_columns(), lambda ids: [self._ways[id] for id in ids], self.table)
        self.table.set_model(self.model)
        self.table.opened.connect(self._use)
        self.stage = Stage(self.table)
        self.stage.setMinimumHeight(5 * theme.size("row"))
        self.body.addWidget(self.stage, 1)
        self.buttons.addWidget(button(tr("Back"), self.reject))
        self.ref.setFocus()
        page.read(lambda conn: reading.ways_in(conn, page_id), self._show, "ways in")

    def _show(self, found: tuple[str, str, list[Any]]) -> None:
        platform, self._graph_id, points = found
        if platform != "messenger":
            self.notice.say(tr("m.me links exist for Messenger Pages only."), "warn")
            self.ref.setEnabled(False)
        self._follow()
        self._ways = [_Way(number, point) for number, point in enumerate(points)]
        self.model.set_ids(list(range(len(points))))
        if points:
            self.stage.show_content()
        else:
            words = tr("It fills when somebody comes by a link with a ref or by an ad.")
            self.stage.show_empty("link", tr("Nobody came by a link yet"), words, None)

    def _follow(self) -> None:
        """The link and code of what is typed."""
        usable = bool(self._graph_id) and self.ref.isEnabled()
        try:
            self.link = reading.link(self._graph_id, self.ref.text().strip()) if usable else ""
        except BroadcasterError as error:
            self.link = ""
            self.notice.error(error)
        else:
            if usable:
                self.notice.clear()
        self.shown.setText(self.link)
        self.picture.setVisible(bool(self.link))
        if self.link:
            self.picture.load(QByteArray(reading.qr_svg(self.link).encode()))
        for deed in (self.copy_button, self.save_button):
            deed.setEnabled(bool(self.link))

    def _copy(self) -> None:
        QGuiApplication.clipboard().setText(self.link)
        self.notice.say(tr("Copied."), "ok")

    def _save(self) -> None:
        chooser = QFileDialog(self, tr("Save QR code"))
        chooser.setAcceptMode(QFileDialog.AcceptMode.AcceptSave)
        chooser.setNameFilter(tr("Pictures (*.png *.svg)"))
        chooser.setDefaultSuffix("png")
        chooser.fileSelected.connect(self.save_to)
        chooser.open()

    def save_to(self, path: str) -> None:
        try:
            reading.save_qr(self.link, Path(path))
        except BroadcasterError as error:
            self.notice.error(error)
            return
        self.notice.say(tr("The QR code is in {file}.", file=path), "ok")

    def _use(self, number: object) -> None:
        """Show the people of that way in."""
        if isinstance(number, int):
            self.accept()
            ref = self._ways[number].point.ref
            self._page.navigate.emit("audiences", {"new": True, "filter": came_by(ref)})


def came_by(ref: str) -> dict[str, Any]:
    """The filter of whom that way in brought last."""
    return {"all": [{"field": "entry_ref", "op": "eq", "value": ref}]}


def _columns() -> list[Column]:
    return [
        Column("ref", tr("Ref or ad"), lambda way: way.point.ref, width=260),
        Column("people", tr("People"), lambda way: text.number(way.point.people), numeric=True, width=100),
        Column(
            "openings",
            tr("Opened a window"),
            lambda way: plural(way.point.openings, "{n} time", "{n} times"),
            width=160,
        ),
    ]
