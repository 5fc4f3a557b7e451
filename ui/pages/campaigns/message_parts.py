"""Buttons, quick replies and cards of a message, edited as rows."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QComboBox, QLineEdit, QVBoxLayout, QWidget

from broadcaster.content.limits import Limits
from ui import theme
from ui.i18n import tr
from ui.widgets.buttons import button, row
from ui.widgets.labels import Card, Text


def line_edit(name: str, value: str, hint: str, changed: Any, most: int = 0) -> QLineEdit:
    """A line with an accessible name. Too long is marked, never cut off: the platform's limit may be met later."""
    edit = QLineEdit(value)
    edit.setAccessibleName(name)
    edit.setPlaceholderText(hint)
    edit.textEdited.connect(changed)
    if most:
        edit.setToolTip(tr("{name}: {most} characters at most", name=name, most=most))
    return edit


class RowsEditor(QWidget):
    """A list of rows with "add" below; ``values`` gives what was entered, in order."""

    changed = Signal()

    def __init__(self, title: str, add: str) -> None:
        super().__init__()
        self._rows: list[QWidget] = []
        self._most = 0
        self._list = QVBoxLayout()
        self._list.setSpacing(theme.space("xs"))
        self._add = button(add, self.add, "link", "add")
        self._note = Text("", "small", wrap=False)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(theme.space("xs"))
        column.addWidget(Text(title, "strong"))
        column.addLayout(self._list)
        column.addLayout(row(self._add, self._note, None))

    def limit(self, most: int) -> None:
        self._most = most
        self._count()

    def add(self, *_pressed: object) -> None:
        made = self._new(None)
        self._append(made)
        made.setFocus()
        self.changed.emit()

    def show_values(self, values: Sequence[Any]) -> None:
        for each in list(self._rows):
            self._drop(each)
        for value in values:
            self._append(self._new(value))

    def values(self) -> list[Any]:
        return [each.value() for each in self._rows]  # type: ignore[attr-defined]

    def _new(self, value: Any) -> QWidget:
        raise NotImplementedError

    def _append(self, made: QWidget) -> None:
        self._rows.append(made)
        self._list.addWidget(made)
        self._count()

    def remove(self, gone: QWidget) -> None:
        self._drop(gone)
        self.changed.emit()
        self._add.setFocus()

    def _drop(self, gone: QWidget) -> None:
        self._rows.remove(gone)
        self._list.removeWidget(gone)
        gone.hide()
        gone.deleteLater()
        self._count()

    def _count(self) -> None:
        self._add.setEnabled(not self._most or len(self._rows) < self._most)
        self._note.setText(tr("{n} of {most}", n=len(self._rows), most=self._most) if self._rows else "")


class _ButtonRow(QWidget):
    def __init__(self, owner: RowsEditor, value: Mapping[str, Any] | None, limits: Limits) -> None:
        super().__init__()
        given = value or {"type": "web_url"}
        self._rest = {
            key: each for key, each in given.items() if key not in ("type", "title", "url", "payload")
        }
        self.kind = QComboBox()
        self.kind.setAccessibleName(tr("What the button does"))
        names = {
            "web_url": tr("opens a link"),
            "postback": tr("answers"),
            "phone_number": tr("calls"),
        }
        for kind in limits.button_types:
            self.kind.addItem(names.get(kind, kind), kind)
        self.kind.setCurrentIndex(max(0, self.kind.findData(given.get("type"))))
        say = owner.changed
        most = limits.button_title_characters
        self.title = line_edit(tr("Words on the button"), str(given.get("title", "")), tr("words"), say, most)
        target = str(given.get("url") or given.get("payload") or "")
        self.target = line_edit(tr("Link, answer or number"), target, "https://…", say)
        self.kind.currentIndexChanged.connect(self._kind_changed)
        self.kind.currentIndexChanged.connect(say)
        gone = button("", partial(owner.remove, self), "quiet", "remove", tr("Remove this button"))
        line = row(self.kind, self.title, self.target, gone)
        line.setStretch(1, 2)
        line.setStretch(2, 3)
        self.setLayout(line)
        self.setFocusProxy(self.title)
        self._kind_changed()

    def _kind_changed(self) -> None:
        hints = {"web_url": "https://…", "postback": tr("what you receive"), "phone_number": "+49…"}
        self.target.setPlaceholderText(hints.get(str(self.kind.currentData()), ""))

    def value(self) -> dict[str, Any]:
        kind, target = str(self.kind.currentData()), self.target.text().strip()
        key = "url" if kind == "web_url" else "payload"
        return {**self._rest, "type": kind, "title": self.title.text().strip(), key: target}


class ButtonsEditor(RowsEditor):
    def __init__(self, limits: Limits, title: str = "") -> None:
        super().__init__(title or tr("Buttons"), tr("Add a button"))
        self._limits = limits
        self.limit(limits.buttons)

    def _new(self, value: Any) -> QWidget:
        return _ButtonRow(self, value, self._limits)


class _ReplyRow(QWidget):
    def __init__(self, owner: RowsEditor, value: Any, limits: Limits) -> None:
        super().__init__()
        self._given = value if isinstance(value, dict) else None
        title = str(value.get("title", "")) if isinstance(value, dict) else str(value or "")
        most = limits.quick_reply_title_characters
        self.title = line_edit(tr("Quick reply"), title, tr("Yes, please"), owner.changed, most)
        gone = button("", partial(owner.remove, self), "quiet", "remove", tr("Remove this quick reply"))
        line = row(self.title, gone)
        line.setStretch(0, 1)
        self.setLayout(line)
        self.setFocusProxy(self.title)

    def value(self) -> Any:
        title = self.title.text().strip()
        return {**self._given, "title": title} if self._given else title


class RepliesEditor(RowsEditor):
    def __init__(self, limits: Limits) -> None:
        super().__init__(tr("Quick replies"), tr("Add a quick reply"))
        self._limits = limits
        self.limit(limits.quick_replies)

    def _new(self, value: Any) -> QWidget:
        return _ReplyRow(self, value, self._limits)


class _CardRow(Card):
    KEYS = ("title", "subtitle", "image_url", "url")

    def __init__(self, owner: RowsEditor, value: Mapping[str, Any] | None, limits: Limits) -> None:
        super().__init__(role="sunken")
        given = value or {}
        names = {
            "title": (tr("Title of the card"), tr("title"), limits.card_title_characters),
            "subtitle": (tr("Subtitle of the card"), tr("subtitle"), limits.card_subtitle_characters),
            "image_url": (tr("Picture of the card"), tr("picture: https://…"), 0),
            "url": (tr("Link of the card"), tr("link: https://…"), 0),
        }
        self.edits = {
            key: line_edit(name, str(given.get(key, "")), hint, owner.changed, most)
            for key, (name, hint, most) in names.items()
        }
        self.buttons = ButtonsEditor(limits, tr("Buttons of the card"))
        self.buttons.show_values(given.get("buttons", ()))
        self.buttons.changed.connect(owner.changed)
        gone = button("", partial(owner.remove, self), "quiet", "remove", tr("Remove this card"))
        head = row(self.edits["title"], gone)
        head.setStretch(0, 1)
        self.body.addLayout(head)
        self.add(self.edits["subtitle"], self.edits["image_url"], self.edits["url"], self.buttons)
        self.setFocusProxy(self.edits["title"])

    def value(self) -> dict[str, Any]:
        made: dict[str, Any] = {key: edit.text().strip() for key, edit in self.edits.items()}
        made = {key: each for key, each in made.items() if each or key == "title"}
        buttons = self.buttons.values()
        return {**made, "buttons": buttons} if buttons else made


class CardsEditor(RowsEditor):
    def __init__(self, limits: Limits) -> None:
        super().__init__(tr("Cards"), tr("Add a card"))
        self._limits = limits
        self.limit(limits.cards)

    def _new(self, value: Any) -> QWidget:
        return _CardRow(self, value, self._limits)
