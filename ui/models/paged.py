"""A table of any length: the ids of the current filter and order, and rows read in blocks when looked at."""

from __future__ import annotations

import logging
from array import array
from collections import OrderedDict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from PySide6.QtCore import QAbstractTableModel, QModelIndex, QObject, QPersistentModelIndex, Qt

log = logging.getLogger(__name__)

BLOCK = 16
KEPT_BLOCKS = 480
Index = QModelIndex | QPersistentModelIndex
_NOTHING = QModelIndex()
_DISPLAY, _ALIGN = Qt.ItemDataRole.DisplayRole, Qt.ItemDataRole.TextAlignmentRole
_TIP, _SAID = Qt.ItemDataRole.ToolTipRole, Qt.ItemDataRole.AccessibleTextRole
GONE = "…"
"""What a row says that is no longer there."""


@dataclass(frozen=True, slots=True)
class Column:
    """One column, declared once: how a row reads in it and what it sorts by."""

    key: str
    title: str
    text: Callable[[Any], str]
    numeric: bool = False
    sort: str | None = None
    """What the core sorts by; None: cannot be sorted."""
    tip: Callable[[Any], str] | None = None
    tone: Callable[[Any], str | None] | None = None
    """Token name of the text's colour."""
    clock: Callable[[Any], tuple[str, str, float]] | None = None
    """Words and tone as above, in one call, and the share, 0 … 1, of a small clock's face that is filled
    before the words; None: no clock."""
    width: int = 140
    """At 100 % text size."""
    shown: bool = True
    """In view until the person chooses otherwise."""


class PagedTable(QAbstractTableModel):
    """Rows by id, in blocks with the least used dropped; read when looked at.

    The order never jumps by itself: only ``set_ids`` changes it. A row that is gone keeps its place.
    How a cell looks is the matter of ``DataTable``.
    """

    def __init__(
        self,
        columns: Sequence[Column],
        rows: Callable[[Sequence[int]], Iterable[Any]],
        parent: QObject | None = None,
    ) -> None:
        super().__init__(parent)
        self.columns = list(columns)
        self._read = rows
        self._ids: Sequence[int] = array("q")
        self._blocks: OrderedDict[int, list[Any]] = OrderedDict()

    # -- what is in it

    def set_ids(self, ids: Sequence[int]) -> None:
        """Show these rows in this order."""
        self.beginResetModel()
        self._ids = ids
        self._blocks.clear()
        self.endResetModel()

    def set_columns(self, columns: Sequence[Column]) -> None:
        """Other columns for the same rows."""
        self.beginResetModel()
        self.columns = list(columns)
        self.endResetModel()

    def invalidate(self) -> None:
        """Rows may have changed: those in view are read again; order and length stay."""
        self._blocks.clear()
        if self._ids:
            self.dataChanged.emit(self.index(0, 0), self.index(len(self._ids) - 1, len(self.columns) - 1))

    def id_at(self, row: int) -> int:
        return int(self._ids[row])

    def ids(self) -> Sequence[int]:
        return self._ids

    def row_of(self, id: int) -> int | None:
        """Where ``id`` stands, None when it is not in the table."""
        try:
            return self._ids.index(id)
        except ValueError:
            return None

    def row(self, row: int) -> Any:
        """The row itself, None when it is gone or cannot be read."""
        return self.rows(row, row)[0]

    def rows(self, first: int, last: int) -> list[Any]:
        """The rows from ``first`` to ``last``; those not at hand are read together."""
        numbers = range(first // BLOCK, last // BLOCK + 1)
        missing = [number for number in numbers if number not in self._blocks]
        if missing:
            self._read_blocks(missing)
        found = list[Any]()
        for number in numbers:
            self._blocks.move_to_end(number)
            found += self._blocks[number]
        while len(self._blocks) > max(KEPT_BLOCKS, len(numbers)):
            self._blocks.popitem(last=False)
        return found[first - numbers[0] * BLOCK : last + 1 - numbers[0] * BLOCK]

    def _read_blocks(self, numbers: Sequence[int]) -> None:
        wanted = {number: self._ids[number * BLOCK : (number + 1) * BLOCK] for number in numbers}
        try:
            found = {row.id: row for row in self._read([id for ids in wanted.values() for id in ids])}
        except Exception:  # a model never raises: Qt would print it once per cell
            log.exception("rows could not be read")
            found = {}
        for number, ids in wanted.items():
            self._blocks[number] = [found.get(id) for id in ids]

    # -- Qt's questions

    def rowCount(self, parent: Index = _NOTHING) -> int:
        return 0 if parent.isValid() else len(self._ids)

    def columnCount(self, parent: Index = _NOTHING) -> int:
        return 0 if parent.isValid() else len(self.columns)

    def data(self, index: Index, role: int = _DISPLAY) -> Any:
        if role not in (_DISPLAY, _TIP, _SAID):
            return None
        row, column = self.row(index.row()), self.columns[index.column()]
        if row is None:
            return GONE if role == _DISPLAY else None
        if role == _DISPLAY:
            return column.text(row)
        if role == _TIP:
            return column.tip(row) if column.tip else None
        return f"{column.title}: {column.text(row)}"

    def headerData(self, section: int, orientation: Qt.Orientation, role: int = _DISPLAY) -> Any:
        if orientation == Qt.Orientation.Vertical or not 0 <= section < len(self.columns):
            return None
        if role == _DISPLAY:
            return self.columns[section].title
        if role == _ALIGN:
            return _RIGHT if self.columns[section].numeric else _LEFT
        return None


_LEFT = int(Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter)
_RIGHT = int(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)
