"""The people behind a figure: searchable, filterable, of any length."""

from __future__ import annotations

from array import array
from collections.abc import Callable, Sequence
from typing import Any

from PySide6.QtCore import QTimer, Signal
from PySide6.QtWidgets import QComboBox, QLineEdit, QVBoxLayout, QWidget

from ui import theme
from ui.i18n import plural, tr
from ui.models import Column, PagedTable
from ui.widgets.buttons import row
from ui.widgets.labels import Text
from ui.widgets.table import DataTable

SEARCH_MS = 200


class PeopleList(QWidget):
    """``wanted`` asks the page for the ids that fit (search text, filter key); ``show_ids`` brings them.

    ``opened`` says a person (Return or double click), ``chosen`` the current one or None.
    """

    wanted = Signal(str, str)
    opened = Signal(object)
    chosen = Signal(object)

    def __init__(
        self, name: str, columns: Sequence[Column], rows: Callable[[Sequence[int]], list[Any]]
    ) -> None:
        super().__init__()
        self.search = QLineEdit()
        self.search.setPlaceholderText(tr("Search by name or id"))
        self.search.setAccessibleName(tr("Search by name or id"))
        self.search.setClearButtonEnabled(True)
        self.filter = QComboBox()
        self.filter.setAccessibleName(tr("Show only"))
        self.count = Text("", "muted", wrap=False)
        self.model = PagedTable(columns, rows, self)
        self.table = DataTable(name)
        self.table.set_model(self.model)
        self.table.setMinimumHeight(theme.size("row") * 8)
        self.table.opened.connect(self.opened)
        self.table.chosen.connect(self.chosen)
        self._timer = QTimer(self)
        self._timer.setSingleShot(True)
        self._timer.setInterval(SEARCH_MS)
        self._timer.timeout.connect(self._rested)
        self.search.textChanged.connect(self._timer.start)
        self.filter.currentIndexChanged.connect(self.ask)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(theme.space("s"))
        line = row(self.search, self.filter, self.count)
        line.setStretch(0, 2)
        line.setStretch(1, 1)
        column.addLayout(line)
        column.addWidget(self.table, 1)

    def use_filters(self, filters: Sequence[tuple[str, str]]) -> None:
        """(key, words) of what can be shown; keeps the one in use."""
        kept = self.filter.currentData()
        self.filter.blockSignals(True)
        self.filter.clear()
        for key, words in filters:
            self.filter.addItem(words, key)
        self.filter.setCurrentIndex(max(0, self.filter.findData(kept)))
        self.filter.blockSignals(False)

    def show_filter(self, key: str) -> None:
        place = max(0, self.filter.findData(key))
        if place == self.filter.currentIndex():
            self.ask()
        else:
            self.filter.setCurrentIndex(place)
        self.table.setFocus()

    @property
    def filter_key(self) -> str:
        return str(self.filter.currentData() or "")

    def _rested(self) -> None:
        if self.isVisible():
            self.ask()

    def ask(self, *_place: object) -> None:
        self._timer.stop()
        self.count.setText(tr("Looking…"))
        self.wanted.emit(self.search.text().strip(), self.filter_key)

    def show_ids(self, ids: array[int]) -> None:
        self.model.set_ids(ids)
        self.count.setText(plural(len(ids), "{n} person", "{n} people"))
