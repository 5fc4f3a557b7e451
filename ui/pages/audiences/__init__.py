"""Audiences: saved ones at the leading edge, the builder in the middle, who is in it at the trailing edge."""

from __future__ import annotations

import json
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from PySide6.QtCore import Qt, QTimer
from PySide6.QtGui import QGuiApplication, QResizeEvent
from PySide6.QtWidgets import (
    QFileDialog,
    QLineEdit,
    QListWidget,
    QListWidgetItem,
    QPlainTextEdit,
    QSplitter,
    QVBoxLayout,
    QWidget,
)

from broadcaster.errors import BadInput
from broadcaster.states import AudienceKind
from ui import theme
from ui.bridge import Bridge
from ui.i18n import plural, tr
from ui.pages import PageView
from ui.pages.audiences import reading
from ui.pages.audiences.builder import Builder, Surroundings
from ui.pages.audiences.result import Result
from ui.tasks import Tasks, Work
from ui.widgets.buttons import button, menu_button, row
from ui.widgets.dialogs import Dialog, ask
from ui.widgets.fields import Field
from ui.widgets.labels import Text
from ui.widgets.scroll import scrolled
from ui.widgets.states import Stage

if TYPE_CHECKING:
    from broadcaster.workspace import Workspace

COUNT_DELAY_MS = 150
EVERYONE: dict[str, Any] = {"all": []}


class AudiencesPage(PageView):
    name = "audiences"
    watches = frozenset({"audience", "contact", "import", "campaign"})

    def __init__(self, workspace: Workspace, bridge: Bridge, tasks: Tasks) -> None:
        super().__init__(workspace, bridge, tasks)
        self._shelf = reading.Shelf()
        self._audience_id: int | None = None
        self._wanted: int | None = None
        self._seed = 1
        self._dirty = False
        self._timer = QTimer(self)
        self._timer.setSingleShot(True)
        self._timer.setInterval(COUNT_DELAY_MS)
        self._timer.timeout.connect(self._look)
        self._build()

    # -- building

    def _build(self) -> None:
        new = button(tr("New audience"), self.start_new, "primary", "add")
        self.body.addLayout(row(Text(tr("Audiences"), "title"), None, new))
        self.list = QListWidget()
        self.list.setAccessibleName(tr("Saved audiences"))
        self.list.currentItemChanged.connect(self._chosen)
        self.builder = Builder()
        self.builder.changed.connect(self._edited)
        self.result = Result()
        self.result.again.connect(self._other_sample)
        self.result.person.connect(partial(self.navigate.emit, "contacts"))
        self.result.campaign.connect(self._open_campaign)
        split = self.split = QSplitter(Qt.Orientation.Horizontal)
        split.setChildrenCollapsible(False)
        split.setHandleWidth(theme.space("l"))
        split.addWidget(self.list)
        split.addWidget(self._editor())
        split.addWidget(scrolled(self.result))
        self.list.setMinimumWidth(theme.size("rail"))
        split.setSizes([theme.size("rail"), theme.size("dialog"), theme.size("panel") * 3 // 4])
        for place, share in enumerate((0, 1, 0)):
            split.setStretchFactor(place, share)
        self.stage = Stage(split)
        self.body.addWidget(self.stage, 1)

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Side by side where there is room, else one below the other."""
        super().resizeEvent(event)
        narrow = self.width() < theme.size("dialog") + theme.size("rail")
        wanted = Qt.Orientation.Vertical if narrow else Qt.Orientation.Horizontal
        if self.split.orientation() != wanted:
            self.split.setOrientation(wanted)
            self.list.setMaximumHeight(3 * theme.size("row") if narrow else self.maximumHeight())

    def _editor(self) -> QWidget:
        self.name_edit = QLineEdit()
        self.name_edit.setMaxLength(120)
        self.name_edit.setPlaceholderText(tr("for instance: Owners in Berlin"))
        self.name_edit.textEdited.connect(self._edited)
        self.name_field = Field(tr("Name"), self.name_edit)
        self.save_button = button(tr("Save"), self.save, "primary", "check")
        more = menu_button(
            tr("More"),
            [
                (tr("Save as a frozen list of the people in it now"), "lock", self.freeze),
                (tr("Make a campaign for it"), "campaigns", self._make_campaign),
                None,
                (tr("Copy as JSON"), "copy", self.copy_json),
                (tr("Edit as JSON…"), "edit", self.edit_json),
                (tr("Static list from a file of ids…"), "import", self.static_list),
            ],
        )
        self.kind_note = Text("", "muted")
        content = QWidget()
        column = QVBoxLayout(content)
        column.setContentsMargins(0, 0, theme.space("s"), 0)
        column.setSpacing(theme.space("m"))
        head = row(self.name_field, self.save_button, more)
        head.setStretch(0, 1)
        for deed in (self.save_button, more):
            head.setAlignment(deed, Qt.AlignmentFlag.AlignBottom)
        column.addLayout(head)
        column.addWidget(Text(tr("Who is in it"), "strong"))
        column.addWidget(self.builder)
        column.addWidget(self.kind_note)
        column.addStretch(1)
        return scrolled(content)

    # -- reading

    def refresh(self) -> None:
        if self.page_id is None:
            action = (tr("Connect a Page"), partial(self.navigate.emit, "settings", "pages"))
            self.stage.show_empty("audiences", tr("No Page yet"), tr("Audiences belong to a Page."), action)
            return
        page_id = self.page_id
        self.read(lambda conn: reading.shelf(conn, page_id), self._show_shelf, "shelf", self.stage.show_error)

    def _show_shelf(self, shelf: reading.Shelf) -> None:
        first = self.builder.root is None
        self._shelf = shelf
        self.stage.show_content()
        self.list.blockSignals(True)
        self.list.clear()
        for audience in shelf.audiences:
            item = QListWidgetItem(theme.icon(_KIND_ICONS[audience.kind]), audience.name)
            item.setData(Qt.ItemDataRole.UserRole, audience.id)
            item.setToolTip(_kind_words(audience.kind))
            self.list.addItem(item)
        self.list.blockSignals(False)
        wanted = self._wanted if self._wanted is not None else self._audience_id
        if first and wanted is None and shelf.audiences:
            wanted = shelf.audiences[0].id
        self._wanted = None
        if wanted is not None and (not self._dirty or wanted != self._audience_id):
            self._show_audience(wanted)
        elif first:
            self.start_new()
        else:
            self._timer.start()

    def open(self, argument: object) -> None:
        if isinstance(argument, dict) and argument.get("new"):
            self.start_new(given=argument.get("filter", EVERYONE))
        elif isinstance(argument, int):
            self._wanted = argument
            self._dirty = False
            self.mark_stale()

    def use_page(self, page_id: int | None) -> None:
        if page_id != self.page_id:
            self._audience_id, self._dirty = None, False
        super().use_page(page_id)

    def _chosen(self, item: QListWidgetItem | None, _previous: QListWidgetItem | None) -> None:
        if item is None:
            return
        wanted = item.data(Qt.ItemDataRole.UserRole)
        if self._dirty and wanted != self._audience_id:
            question = tr(
                "Changes to {name} are not saved.", name=self.name_edit.text() or tr("the new audience")
            )
            ask(
                self, tr("Leave without saving?"), question, tr("Leave"), partial(self._show_audience, wanted)
            )
            return
        self._show_audience(wanted)

    def _show_audience(self, audience_id: int) -> None:
        audience = next((a for a in self._shelf.audiences if a.id == audience_id), None)
        if audience is None:
            self.start_new()
            return
        self._audience_id, self._dirty = audience.id, False
        self.name_edit.setText(audience.name)
        self.builder.show_filter(audience.filter or EVERYONE, self._around())
        fixed = audience.kind != AudienceKind.DYNAMIC
        self.builder.setEnabled(not fixed)
        self.kind_note.setText(_kind_words(audience.kind))
        self.result.show_used(self._shelf.used.get(audience.id, ()))
        self._mark_current()
        self._look()

    def _mark_current(self) -> None:
        self.list.blockSignals(True)
        self.list.setCurrentRow(-1)
        for place in range(self.list.count()):
            if self.list.item(place).data(Qt.ItemDataRole.UserRole) == self._audience_id:
                self.list.setCurrentRow(place)
        self.list.blockSignals(False)

    def _around(self) -> Surroundings:
        return Surroundings(self._shelf.words, self.zone, self.now())

    # -- editing

    def start_new(self, *_pressed: object, given: dict[str, Any] = EVERYONE) -> None:
        """A new audience: everyone, until a condition is added, or those of a filter."""
        self._audience_id, self._dirty = None, False
        self.name_edit.setText("")
        self.builder.setEnabled(True)
        self.builder.show_filter(given, self._around())
        self.kind_note.setText(_kind_words(AudienceKind.DYNAMIC))
        self.result.show_used(())
        self._mark_current()
        self.name_edit.setFocus()
        self._timer.start()

    def _edited(self) -> None:
        self._dirty = True
        self.name_field.fault("")
        self.result.show_counting()
        self._timer.start()

    def _other_sample(self) -> None:
        self._seed += 1
        self._look()

    def _look(self) -> None:
        """Count what the builder says now; a newer question interrupts this one."""
        given = self.builder.filter()
        if self.page_id is None:
            return
        if given is None:
            self.tasks.cancel(self, "look")
            self.result.show_incomplete()
            return
        self.result.show_counting()
        workspace, page_id, now, seed = self.workspace, self.page_id, self.now(), self._seed
        fixed = self._fixed()

        def run(work: Work) -> reading.Looked:
            if fixed is not None:
                return reading.look_saved(workspace, page_id, fixed, now, seed, work)
            return reading.look(workspace, page_id, given, now, seed, work)

        self.tasks.run(self, run, self.result.show_looked, self.result.show_error, key="look")

    def _fixed(self) -> int | None:
        """The id of a shown audience that is a list rather than a question."""
        audience = next((a for a in self._shelf.audiences if a.id == self._audience_id), None)
        return audience.id if audience is not None and audience.kind != AudienceKind.DYNAMIC else None

    def save(self) -> None:
        self._save(AudienceKind.DYNAMIC)

    def freeze(self) -> None:
        """The people in it now, whatever they do later."""
        self._save(AudienceKind.FROZEN)

    def _save(self, kind: AudienceKind) -> None:
        name, given = self.name_edit.text().strip(), self.builder.filter()
        if not name:
            self.name_field.fault(tr("Give the audience a name."))
            self.name_edit.setFocus()
            return
        if given is None or self.page_id is None:
            self.notice.say(tr("A marked condition still needs a value; nothing was saved."), "warn")
            return
        other = next((a for a in self._shelf.audiences if a.name == name and a.id != self._audience_id), None)
        if other is not None:
            question = tr("There is already an audience “{name}”. Saving replaces its filter.", name=name)
            ask(self, tr("Replace it?"), question, tr("Replace"), partial(self._store, name, given, kind))
            return
        self._store(name, given, kind)

    def _store(self, name: str, given: dict[str, Any], kind: AudienceKind) -> None:
        workspace, page_id = self.workspace, self.page_id
        if page_id is None:
            return
        self.tasks.run(
            self,
            lambda _work: reading.save(workspace, page_id, name, given, kind),
            partial(self._saved, name),
            self.notice.error,
        )

    def _saved(self, name: str, stored: Any) -> None:
        self._audience_id, self._dirty = stored.id, False
        self._wanted = stored.id
        self.notice.say(tr("Saved “{name}”.", name=name), "ok")
        self.mark_stale()

    # -- JSON and lists

    def copy_json(self) -> None:
        given = self.builder.filter()
        if given is None:
            self.notice.say(tr("A marked condition still needs a value."), "warn")
            return
        QGuiApplication.clipboard().setText(json.dumps(given, ensure_ascii=False, indent=2))
        self.notice.say(tr("The filter is on the clipboard as JSON."), "ok")

    def edit_json(self) -> None:
        dialog = JsonDialog(self.builder.filter() or EVERYONE, self)
        dialog.accepted.connect(partial(self._take_json, dialog))
        dialog.open()

    def _take_json(self, dialog: JsonDialog) -> None:
        self.builder.show_filter(dialog.given, self._around())
        self._edited()

    def static_list(self) -> None:
        """A list of ids from a file, one per line."""
        chooser = QFileDialog(self, tr("File of ids, one per line"))
        chooser.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        chooser.fileSelected.connect(self._take_list)
        chooser.open()

    def _take_list(self, path: str) -> None:
        if self.page_id is None:
            return
        workspace, page_id = self.workspace, self.page_id
        name = self.name_edit.text().strip() or Path(path).stem
        self.tasks.run(
            self,
            lambda _work: reading.static_list(workspace, page_id, name, Path(path)),
            partial(self._listed, name),
            self.notice.error,
            title=tr("Reading {file}", file=Path(path).name),
        )

    def _listed(self, name: str, listed: reading.Listed) -> None:
        self._saved(name, listed)
        words = plural(listed.taken, "“{name}” holds {n} person.", "“{name}” holds {n} people.", name=name)
        if listed.unknown:
            words += " " + plural(
                listed.unknown,
                "{n} id is not a person of this Page and was left out.",
                "{n} ids are not people of this Page and were left out.",
            )
        self.notice.say(words, "warn" if listed.unknown else "ok")

    def _make_campaign(self) -> None:
        self.navigate.emit("campaigns", {"new": True, "audience": self.name_edit.text().strip()})

    def _open_campaign(self, name: str) -> None:
        self.navigate.emit("campaigns", name)

    def commands(self) -> list[tuple[str, Any]]:
        return [(tr("Copy the audience as JSON"), self.copy_json)]


class JsonDialog(Dialog):
    """The filter as JSON, checked before it is taken."""

    def __init__(self, given: dict[str, Any], parent: QWidget) -> None:
        super().__init__(tr("The filter as JSON"), parent)
        self.given = given
        self.edit = QPlainTextEdit(json.dumps(given, ensure_ascii=False, indent=2))
        self.edit.setMinimumHeight(theme.size("chart"))
        self._field = Field(tr("Filter"), self.edit)
        self.body.addWidget(self._field)
        self.buttons.addWidget(button(tr("Back"), self.reject))
        self.buttons.addWidget(button(tr("Use it"), self._take, "primary"))

    def _take(self) -> None:
        from broadcaster.audiences import filters

        try:
            given = json.loads(self.edit.toPlainText())
            filters.parse_shape(given)
        except json.JSONDecodeError as error:
            self._field.fault(
                tr(
                    "Not JSON: {what} in line {line}, column {column}.",
                    what=error.msg,
                    line=error.lineno,
                    column=error.colno,
                )
            )
            return
        except BadInput as error:
            self._field.fault(str(error))
            return
        self.given = given
        self.accept()


_KIND_ICONS = {AudienceKind.DYNAMIC: "filter", AudienceKind.FROZEN: "lock", AudienceKind.STATIC: "table"}


def _kind_words(kind: str) -> str:
    return {
        AudienceKind.DYNAMIC: tr("Decided anew each time it is used: who fits at that moment is in it."),
        AudienceKind.FROZEN: tr("Frozen: the people who were in it when it was saved."),
        AudienceKind.STATIC: tr("A fixed list of people from a file."),
    }[AudienceKind(kind)]
