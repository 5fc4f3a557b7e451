"""A small table of words: a few dozen rows at most, read by eye and by ear."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from PySide6.QtCore import QAbstractTableModel, QModelIndex, QPersistentModelIndex, Qt, Signal
from PySide6.QtWidgets import QAbstractItemView, QHeaderView, QTableView

from ui import theme

_NONE = QModelIndex()
Index = QModelIndex | QPersistentModelIndex


class _Words(QAbstractTableModel):
    def __init__(self, header: Sequence[str], rows: Sequence[Sequence[str]], numeric: frozenset[int]) -> None:
        super().__init__()
        self.header, self.rows, self.numeric = list(header), [list(row) for row in rows], numeric

    def rowCount(self, parent: Index = _NONE) -> int:
        return 0 if parent.isValid() else len(self.rows)

    def columnCount(self, parent: Index = _NONE) -> int:
        return 0 if parent.isValid() else len(self.header)

    def data(self, index: Index, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        if role in (Qt.ItemDataRole.DisplayRole, Qt.ItemDataRole.ToolTipRole):
            return self.rows[index.row()][index.column()]
        if role == Qt.ItemDataRole.TextAlignmentRole and index.column() in self.numeric:
            return int(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)
        if role == Qt.ItemDataRole.AccessibleTextRole:
            return f"{self.header[index.column()]}: {self.rows[index.row()][index.column()]}"
        return None

    def headerData(
        self, section: int, orientation: Qt.Orientation, role: int = Qt.ItemDataRole.DisplayRole
    ) -> Any:
        if orientation == Qt.Orientation.Horizontal and role == Qt.ItemDataRole.DisplayRole:
            return self.header[section]
        if orientation == Qt.Orientation.Horizontal and role == Qt.ItemDataRole.TextAlignmentRole:
            side = Qt.AlignmentFlag.AlignRight if section in self.numeric else Qt.AlignmentFlag.AlignLeft
            return int(side | Qt.AlignmentFlag.AlignVCenter)
        return None


class TextGrid(QTableView):
    """``opened`` says a row's number (Return or double click). ``numeric``: columns that are numbers."""

    opened = Signal(int)

    def __init__(
        self,
        name: str,
        header: Sequence[str],
        rows: Sequence[Sequence[str]] = (),
        numeric: frozenset[int] = frozenset(),
    ) -> None:
        super().__init__()
        self.setAccessibleName(name)
        self._header, self._numeric = header, numeric
        self.verticalHeader().hide()
        self.verticalHeader().setSectionResizeMode(QHeaderView.ResizeMode.Fixed)
        self.verticalHeader().setDefaultSectionSize(theme.size("row"))
        self.setWordWrap(False)
        self.setShowGrid(False)
        self.setTabKeyNavigation(False)
        self.setSelectionBehavior(QAbstractItemView.SelectionBehavior.SelectRows)
        self.setHorizontalScrollMode(QAbstractItemView.ScrollMode.ScrollPerPixel)
        self.horizontalHeader().setHighlightSections(False)
        self.horizontalHeader().setStretchLastSection(True)
        self.activated.connect(self._open)
        self.show_rows(rows)

    def show_rows(self, rows: Sequence[Sequence[str]]) -> None:
        self._words = _Words(self._header, rows, self._numeric)
        self.setModel(self._words)
        self.resizeColumnsToContents()

    def cell(self, row: int, column: int) -> str:
        return self._words.rows[row][column]

    @property
    def count(self) -> int:
        return len(self._words.rows)

    def chosen_rows(self) -> list[int]:
        return sorted(index.row() for index in self.selectionModel().selectedRows())

    def _open(self, index: QModelIndex) -> None:
        self.opened.emit(index.row())
