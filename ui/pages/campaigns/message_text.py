"""The text editor: findings underlined as one types, placeholders as chips with completion, counters."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any

from PySide6.QtCore import QStringListModel, Qt, Signal
from PySide6.QtGui import QKeyEvent, QTextCursor
from PySide6.QtWidgets import QCompleter, QLineEdit, QListView, QMenu, QPlainTextEdit, QVBoxLayout, QWidget

from broadcaster.content.placeholders import Placeholder, placeholders
from broadcaster.errors import BadInput
from ui import text, theme
from ui.i18n import plural, tr
from ui.widgets.buttons import fill_menu, menu_button, row
from ui.widgets.clearing import clear
from ui.widgets.findings import FindingHighlighter, FindingTips
from ui.widgets.labels import Text


class TextEditor(QPlainTextEdit):
    """Plain text with ``{{field|fallback}}``; typing ``{{`` offers the fields. Tab leaves it."""

    def __init__(self) -> None:
        super().__init__()
        self.setTabChangesFocus(True)
        self.setPlaceholderText(tr("Hi {{first_name|there}}, …"))
        self.highlighter = FindingHighlighter(self.document())
        self.tips = FindingTips(self)
        self._fields = QStringListModel(self)
        self._completer = QCompleter(self._fields, self)
        self._completer.setWidget(self)
        self._completer.setCaseSensitivity(Qt.CaseSensitivity.CaseInsensitive)
        self._completer.setFilterMode(Qt.MatchFlag.MatchContains)
        self._popup = QListView()
        self._completer.setPopup(self._popup)
        self._completer.activated.connect(self._complete)
        self.setFixedHeight(theme.size("chart") // 2 + theme.space("xl"))

    def use_fields(self, fields: Sequence[str]) -> None:
        self._fields.setStringList(list(fields))

    def show_findings(self, findings: Sequence[Any], read: str) -> None:
        self.highlighter.show_findings(findings, read)
        self.tips.show_findings(findings)

    def insert_field(self, name: str) -> None:
        """Put a placeholder where the cursor is."""
        self.insertPlainText("{{" + name + "}}")
        self.setFocus()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        popup = self._popup
        if popup.isVisible() and event.key() in (
            Qt.Key.Key_Return,
            Qt.Key.Key_Enter,
            Qt.Key.Key_Tab,
            Qt.Key.Key_Escape,
        ):
            event.ignore()
            return
        super().keyPressEvent(event)
        begun = self._begun()
        if begun is None:
            popup.hide()
            return
        self._completer.setCompletionPrefix(begun)
        box = self.cursorRect()
        box.setWidth(theme.size("field"))
        if self._completer.completionCount():
            popup.setCurrentIndex(self._completer.completionModel().index(0, 0))
            self._completer.complete(box)

    def _begun(self) -> str | None:
        """The part of a field's name after an open ``{{`` before the cursor."""
        cursor = self.textCursor()
        before = cursor.block().text()[: cursor.positionInBlock()]
        opened = before.rfind("{{")
        typed = before[opened + 2 :] if opened >= 0 else ""
        return typed if opened >= 0 and not set(typed) & set("}|{") else None

    def _complete(self, name: str) -> None:
        begun = self._begun() or ""
        cursor = self.textCursor()
        cursor.movePosition(QTextCursor.MoveOperation.Left, QTextCursor.MoveMode.KeepAnchor, len(begun))
        cursor.insertText(name + "}}")
        self.setTextCursor(cursor)


class TextPart(QWidget):
    """Editor, "insert a field", counter, and one line per placeholder with its fallback and who lacks it."""

    changed = Signal()

    def __init__(self) -> None:
        super().__init__()
        self.editor = TextEditor()
        self.editor.setAccessibleName(tr("Text of the message"))
        self._menu = menu_button(tr("Insert a field"), [], "add", tip=tr("Insert a field of the person"))
        self._counter = Text("", "muted", wrap=False)
        self._problem = Text("", "small", "bad")
        self._chips = QVBoxLayout()
        self._chips.setSpacing(theme.space("xs"))
        self._shown: list[tuple[str, str | None]] = []
        self._notes: dict[str, Text] = {}
        self._missing: Mapping[str, int] = {}
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(theme.space("s"))
        column.addWidget(self.editor)
        column.addLayout(row(self._menu, None, self._counter))
        column.addWidget(self._problem)
        column.addLayout(self._chips)
        self._problem.hide()
        self._typed_last: str | None = None
        self.editor.textChanged.connect(self._typed)

    @property
    def text(self) -> str:
        return self.editor.toPlainText()

    @property
    def counter(self) -> str:
        return self._counter.text()

    def use_fields(self, fields: Sequence[str]) -> None:
        self.editor.use_fields(fields)
        menu = self._menu.menu()
        if isinstance(menu, QMenu):
            fill_menu(menu, [(name, "", partial(self.editor.insert_field, name)) for name in fields])

    def set_text(self, words: str) -> None:
        if words != self.text:
            self.editor.setPlainText(words)

    def show_count(self, most: int, most_bytes: int = 0) -> None:
        """How much of the platform's limit is used; of the text as written."""
        used = len(self.text.encode()) if most_bytes else len(self.text)
        unit = tr("bytes") if most_bytes else tr("characters")
        limit = most_bytes or most
        words = tr("{n} of {most} {unit}", n=text.number(used), most=text.number(limit), unit=unit)
        self._counter.say(words, "bad" if used > limit else "warn" if used > limit * 0.9 else "")

    def show_missing(self, missing: Mapping[str, int]) -> None:
        self._missing = missing
        for key, note in self._notes.items():
            _say_missing(note, missing.get(key))

    def _typed(self) -> None:
        if self.text == self._typed_last:
            return  # underlining findings is a change of the document too
        self._typed_last = self.text
        try:
            found = list(placeholders(self.text))
            self._problem.hide()
        except BadInput as error:
            self._problem.setText(str(error))
            self._problem.show()
            found = []
        self._show_chips(found)
        self.changed.emit()

    def _show_chips(self, found: Sequence[Placeholder]) -> None:
        wanted = list(dict.fromkeys((each.field, each.fallback) for each in found))
        if [field for field, _ in wanted] == [field for field, _ in self._shown]:
            self._shown = wanted  # the person types into a fallback: leave the editors alone
            return
        self._shown = wanted
        clear(self._chips)
        self._notes = {}
        for field, fallback in wanted:
            self._chips.addLayout(self._chip(field, fallback))

    def _chip(self, field: str, fallback: str | None) -> Any:
        name = Text(field, "chip", wrap=False)
        edit = QLineEdit(fallback or "")
        edit.setPlaceholderText(tr("fallback when there is no value"))
        edit.setAccessibleName(tr("Fallback for {field}", field=field))
        edit.textEdited.connect(partial(self._fallback_edited, field))
        note = Text("", "small", wrap=False)
        if fallback is None:
            self._notes[Placeholder(field, None, 0, 0).key] = note
            _say_missing(note, self._missing.get(Placeholder(field, None, 0, 0).key))
        line = row(name, edit, note)
        line.setStretch(1, 1)
        return line

    def _fallback_edited(self, field: str, fallback: str) -> None:
        """Write the fallback into every placeholder of that field."""
        whole = self.text
        for each in reversed(list(placeholders(whole))):
            if each.field == field:
                filled = "{{" + field + ("|" + _tame(fallback) if fallback else "") + "}}"
                whole = whole[: each.start] + filled + whole[each.end :]
        self.editor.setPlainText(whole)


def _tame(fallback: str) -> str:
    return fallback.replace("{", "").replace("}", "")


def _say_missing(note: Text, count: int | None) -> None:
    if count:
        words = plural(count, "{n} person has no value", "{n} people have no value")
        note.say(words, "warn")
    else:
        note.say(tr("everybody has a value") if count == 0 else "", "")
