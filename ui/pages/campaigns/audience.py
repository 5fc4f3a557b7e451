"""To whom: one saved audience, and those that are left out."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QComboBox, QMenu, QVBoxLayout, QWidget

from ui import theme
from ui.i18n import plural, tr
from ui.widgets.buttons import button, menu_button, row
from ui.widgets.labels import Text


class AudienceSection(QWidget):
    """``changed`` after every choice; ``edit_asked`` says the audience to open (None: a new one)."""

    changed = Signal()
    edit_asked = Signal(object)

    def __init__(self) -> None:
        super().__init__()
        self.choice = QComboBox()
        self.choice.setAccessibleName(tr("Audience"))
        self.choice.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon)
        self.out = menu_button(tr("Leave out…"), [], "remove", tip=tr("Audiences to leave out"))
        self._menu = QMenu(self.out)
        self.out.setMenu(self._menu)
        self._open = button(tr("Open audience"), self._edit, "link", "audiences")
        self._note = Text("", "muted")
        self._excluded: list[str] = []
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(theme.space("s"))
        line = row(self.choice, self.out, self._open)
        line.setStretch(0, 1)
        column.addLayout(line)
        column.addWidget(self._note)
        self.choice.currentIndexChanged.connect(self._chosen)

    @property
    def audience_id(self) -> int | None:
        chosen = self.choice.currentData()
        return None if chosen is None else int(chosen)

    @property
    def name(self) -> str:
        return self.choice.currentText() if self.audience_id is not None else ""

    @property
    def excluded(self) -> tuple[str, ...]:
        return tuple(self._excluded)

    def use_audiences(self, rows: Sequence[Any]) -> None:
        """The Page's audiences; the choice stays where it is still there."""
        kept = self.audience_id
        self.choice.blockSignals(True)
        self.choice.clear()
        self.choice.addItem(tr("Choose an audience…"), None)
        for each in rows:
            self.choice.addItem(each.name, each.id)
        self.choice.setCurrentIndex(max(0, self.choice.findData(kept)) if kept is not None else 0)
        self.choice.blockSignals(False)
        self._fill_menu([each.name for each in rows])
        self._say()

    def show_choice(self, audience_id: int | None, excluded: Sequence[str]) -> None:
        self._excluded = list(excluded)
        found = self.choice.findData(audience_id) if audience_id is not None else 0
        self.choice.setCurrentIndex(max(0, found))
        for action in self._menu.actions():
            action.blockSignals(True)
            action.setChecked(action.text() in self._excluded)
            action.blockSignals(False)
        self._say()

    def choose_name(self, name: str) -> None:
        self.choice.setCurrentIndex(max(0, self.choice.findText(name)))

    def _fill_menu(self, names: Sequence[str]) -> None:
        self._menu.clear()
        for name in names:
            action = self._menu.addAction(name)
            action.setCheckable(True)
            action.setChecked(name in self._excluded)
            action.toggled.connect(self._toggled)
        self.out.setEnabled(bool(names))

    def _toggled(self, _on: bool) -> None:
        self._excluded = [action.text() for action in self._menu.actions() if action.isChecked()]
        self._say()
        self.changed.emit()

    def _chosen(self, _place: int) -> None:
        self._say()
        self.changed.emit()

    def _say(self) -> None:
        words = ""
        if self.choice.count() <= 1:
            words = tr("This Page has no saved audience yet: make one first.")
        elif self._excluded:
            names = ", ".join(self._excluded)
            words = plural(len(self._excluded), "Left out: {names}", "Left out: {names}", names=names)
        self._note.setText(words)
        self._note.setVisible(bool(words))
        self._open.setText(tr("New audience") if self.audience_id is None else tr("Open audience"))
        self._open.setAccessibleName(self._open.text())

    def _edit(self) -> None:
        self.edit_asked.emit(self.audience_id)
