"""Choosing the time zone all times are shown in."""

from __future__ import annotations

from zoneinfo import available_timezones

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QComboBox, QCompleter, QWidget

from ui.i18n import tr
from ui.widgets.buttons import button
from ui.widgets.dialogs import Dialog
from ui.widgets.fields import Field


def zone_box(current: str) -> QComboBox:
    """An editable list of all IANA zones that completes anywhere in the name."""
    box = QComboBox()
    box.setEditable(True)
    box.setInsertPolicy(QComboBox.InsertPolicy.NoInsert)
    box.addItems(sorted(available_timezones()))
    box.setCurrentText(current)
    completer = QCompleter(box.model(), box)
    completer.setFilterMode(Qt.MatchFlag.MatchContains)
    completer.setCaseSensitivity(Qt.CaseSensitivity.CaseInsensitive)
    box.setCompleter(completer)
    return box


class ZoneDialog(Dialog):
    chosen = Signal(str)

    def __init__(self, current: str, parent: QWidget) -> None:
        super().__init__(tr("Time zone"), parent, "panel")
        self.box = zone_box(current)
        hint = tr(
            "All times in the window are shown in this zone. Campaigns keep the zone they were planned in."
        )
        self._field = Field(tr("Zone"), self.box, hint)
        self.body.addWidget(self._field)
        self.buttons.addWidget(button(tr("Back"), self.reject))
        self.buttons.addWidget(button(tr("Use this zone"), self._take, "primary"))

    def _take(self) -> None:
        key = self.box.currentText().strip()
        if key not in available_timezones():
            self._field.fault(tr("There is no zone of that name; choose one from the list."))
            return
        self.chosen.emit(key)
        self.accept()
