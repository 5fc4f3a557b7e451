"""The builder: nested groups of all / any / none, each row a field, an operator and a value."""

from __future__ import annotations

from datetime import datetime
from functools import partial
from typing import Any
from zoneinfo import ZoneInfo

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QComboBox, QCompleter, QFrame, QHBoxLayout, QVBoxLayout, QWidget

from ui import theme
from ui.i18n import tr
from ui.pages.audiences.fields import FieldChoice, Vocabulary, operators
from ui.pages.audiences.values import ValueEditor, editor_for
from ui.widgets.buttons import button, row
from ui.widgets.labels import Text, restyle

DEEPEST = 6
"""Groups nest this deep in the window; deeper filters come in and go out as JSON."""


class Surroundings:
    """What every row needs to know: the fields there are, the zone shown, the time it is."""

    def __init__(self, words: Vocabulary, zone: ZoneInfo, now: datetime) -> None:
        self.words, self.zone, self.now = words, zone, now


class ConditionRow(QWidget):
    """One condition. ``removed`` asks its group to take it out."""

    changed = Signal()
    removed = Signal()

    def __init__(self, around: Surroundings, given: dict[str, Any] | None = None) -> None:
        super().__init__()
        self._around = around
        given = given or {"field": around.words.fields[0].key}
        self.field = self._field_box(given["field"])
        self.operator = QComboBox()
        self.operator.setAccessibleName(tr("Comparison"))
        _may_shrink(self.operator, 8)
        self._line = QHBoxLayout(self)
        self._line.setContentsMargins(0, 0, 0, 0)
        self._line.setSpacing(theme.space("s"))
        self._editor = ValueEditor()
        remove = button("", self.removed.emit, "quiet", "close", tr("Remove this condition"))
        for part, share in ((self.field, 3), (self.operator, 2), (self._editor, 4), (remove, 0)):
            self._line.addWidget(part, share)
        self._fill_operators(given.get("op"))
        self._new_editor(given.get("value"))
        self.field.currentIndexChanged.connect(self._field_changed)
        self.operator.currentIndexChanged.connect(self._operator_changed)

    def _field_box(self, key: str) -> QComboBox:
        box = QComboBox()
        box.setEditable(True)
        box.setInsertPolicy(QComboBox.InsertPolicy.NoInsert)
        box.setAccessibleName(tr("Field"))
        _may_shrink(box, 10)
        for choice in self._around.words.fields:
            box.addItem(choice.title, choice.key)
        if box.findData(key) < 0:
            unknown = self._around.words.get(key)
            box.addItem(unknown.title, key)
        box.setCurrentIndex(box.findData(key))
        completer = QCompleter(box.model(), box)
        completer.setFilterMode(Qt.MatchFlag.MatchContains)
        completer.setCaseSensitivity(Qt.CaseSensitivity.CaseInsensitive)
        box.setCompleter(completer)
        return box

    @property
    def choice(self) -> FieldChoice:
        return self._around.words.get(str(self.field.currentData()))

    @property
    def editor(self) -> ValueEditor:
        return self._editor

    def condition(self) -> dict[str, Any] | None:
        """As in the filter's JSON; None while a value is missing (the row is then marked)."""
        given: dict[str, Any] = {"field": self.choice.key, "op": self.operator.currentData()}
        value = self._editor.value()
        missing = self._editor.needs_value() and value is None
        for child in self._editor.findChildren(QWidget):
            restyle(child, "invalid", missing)
        if missing:
            return None
        return given if not self._editor.needs_value() else {**given, "value": value}

    def _fill_operators(self, chosen: object = None) -> None:
        self.operator.blockSignals(True)
        self.operator.clear()
        for key, words in operators(self.choice.kind).items():
            self.operator.addItem(words, key)
        self.operator.setCurrentIndex(max(0, self.operator.findData(chosen)))
        self.operator.blockSignals(False)

    def _new_editor(self, given: object = None) -> None:
        around = self._around
        fresh = editor_for(self.choice, str(self.operator.currentData()), given, around.zone, around.now)
        fresh.changed.connect(self.changed)
        self._line.replaceWidget(self._editor, fresh)
        self._line.setStretch(2, 4)
        self._editor.deleteLater()
        self._editor = fresh

    def _field_changed(self) -> None:
        self._fill_operators()
        self._new_editor()
        self.changed.emit()

    def _operator_changed(self) -> None:
        self._new_editor(self._editor.value())
        self.changed.emit()


class GroupEditor(QFrame):
    """All, any or none of what stands in it."""

    changed = Signal()
    removed = Signal()

    def __init__(self, around: Surroundings, depth: int = 0) -> None:
        super().__init__()
        self.setProperty("role", "card" if depth % 2 else "sunken")
        self.setAccessibleName(tr("Group of conditions"))
        self._around, self._depth = around, depth
        self._parts: list[ConditionRow | GroupEditor] = []
        self.kind = QComboBox()
        self.kind.setAccessibleName(tr("How the conditions of this group work together"))
        for key, words in (("all", tr("All of")), ("any", tr("Any of")), ("none", tr("None of"))):
            self.kind.addItem(words, key)
        self.kind.currentIndexChanged.connect(self.changed)
        self.empty = Text(tr("No condition: everyone."), "muted")
        self._add_row = button(tr("Condition"), self._add_condition, "quiet", "add", tr("Add a condition"))
        self._add_group = button(tr("Group"), self._add_subgroup, "quiet", "add", tr("Add a group"))
        if depth >= DEEPEST:
            self._add_group.hide()
        remove = button("", self.removed.emit, "quiet", "close", tr("Remove this group"))
        if depth == 0:
            remove.hide()
        self._list = QVBoxLayout()
        self._list.setSpacing(theme.space("s"))
        outer = QVBoxLayout(self)
        outer.setContentsMargins(*(theme.space("m"),) * 4)
        outer.setSpacing(theme.space("s"))
        outer.addLayout(row(self.kind, Text(tr("these are true"), "muted", wrap=False), None, remove))
        outer.addWidget(self.empty)
        outer.addLayout(self._list)
        outer.addLayout(row(self._add_row, self._add_group, None))

    @property
    def parts(self) -> list[ConditionRow | GroupEditor]:
        return list(self._parts)

    def add(self, node: dict[str, Any] | None = None) -> ConditionRow | GroupEditor:
        """Take a node of the filter's tree (None: a fresh condition)."""
        made: ConditionRow | GroupEditor
        if node is None or "field" in node:
            made = ConditionRow(self._around, node)
        else:
            made = GroupEditor(self._around, self._depth + 1)
            made.fill(node)
        made.changed.connect(self.changed)
        made.removed.connect(partial(self._remove, made))
        self._parts.append(made)
        self._list.addWidget(made)
        self.empty.hide()
        return made

    def fill(self, node: dict[str, Any]) -> None:
        """Show a group node: all, any, or not (of an any, of an all, of one condition)."""
        kind, children = _read_group(node)
        self.kind.blockSignals(True)
        self.kind.setCurrentIndex(self.kind.findData(kind))
        self.kind.blockSignals(False)
        for child in children:
            self.add(child)

    def node(self) -> dict[str, Any] | None:
        """As in the filter's JSON; None while anything in it is incomplete."""
        nodes = [part.condition() if isinstance(part, ConditionRow) else part.node() for part in self._parts]
        if any(node is None for node in nodes):
            return None
        kind = self.kind.currentData()
        return {"not": {"any": nodes}} if kind == "none" else {kind: nodes}

    def _add_condition(self) -> None:
        made = self.add()
        if isinstance(made, ConditionRow):
            made.field.setFocus()
        self.changed.emit()

    def _add_subgroup(self) -> None:
        made = self.add({"any": []})
        if isinstance(made, GroupEditor):
            made.add()
            made.kind.setFocus()
        self.changed.emit()

    def _remove(self, part: ConditionRow | GroupEditor) -> None:
        self._parts.remove(part)
        self._list.removeWidget(part)
        part.deleteLater()
        self.empty.setVisible(not self._parts)
        self._add_row.setFocus()
        self.changed.emit()


def _read_group(node: dict[str, Any]) -> tuple[str, list[dict[str, Any]]]:
    if "not" in node:
        inner = node["not"]
        return ("none", list(inner["any"])) if "any" in inner else ("none", [inner])
    if "field" in node:
        return "all", [node]
    kind = "any" if "any" in node else "all"
    return kind, list(node.get(kind, []))


class Builder(QWidget):
    """The whole filter. ``filter()`` is its JSON, None while a row is incomplete."""

    changed = Signal()

    def __init__(self) -> None:
        super().__init__()
        self._column = QVBoxLayout(self)
        self._column.setContentsMargins(0, 0, 0, 0)
        self.root: GroupEditor | None = None

    def show_filter(self, node: dict[str, Any], around: Surroundings) -> None:
        """Show this filter; an empty one is everyone."""
        if self.root is not None:
            self._column.removeWidget(self.root)
            self.root.deleteLater()
        self.root = GroupEditor(around)
        self.root.fill(node or {"all": []})
        self.root.changed.connect(self.changed)
        self._column.addWidget(self.root)

    def filter(self) -> dict[str, Any] | None:
        return self.root.node() if self.root is not None else None


def _may_shrink(box: QComboBox, letters: int) -> None:
    """Be as narrow as ``letters`` where there is no room; the list still shows every word whole."""
    box.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon)
    box.setMinimumContentsLength(letters)
