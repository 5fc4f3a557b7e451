"""A table view set up for any length: fixed row heights, sorting in the core, columns chosen by the person."""

from __future__ import annotations

import html

from PySide6.QtCore import QEvent, QModelIndex, QPoint, QRect, Qt, Signal
from PySide6.QtGui import QHelpEvent, QKeyEvent, QPainter, QPaintEvent
from PySide6.QtWidgets import QAbstractItemView, QHeaderView, QMenu, QTableView, QToolTip, QWidget

from ui import theme
from ui.i18n import tr
from ui.models import PagedTable
from ui.widgets.cells import Cells, Line, Place

MOST_IDS = 100_000
"""More chosen rows than this are never handed out as a list: act on the filter instead."""


class DataTable(QTableView):
    """Shows a PagedTable. ``chosen`` says an id or None; ``opened`` an id (Return or double click)."""

    chosen = Signal(object)
    opened = Signal(object)
    sort_asked = Signal(str, bool)
    """Sort key of the column and whether descending."""
    columns_changed = Signal(object)
    """Keys of the columns now shown: the page keeps them."""

    def __init__(self, name: str, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setAccessibleName(name)
        self._model = PagedTable([], lambda _ids: [], self)
        self._cells = Cells()
        self._sort: tuple[str, bool] | None = None
        vertical = self.verticalHeader()
        vertical.setSectionResizeMode(QHeaderView.ResizeMode.Fixed)
        vertical.setDefaultSectionSize(theme.size("row"))
        vertical.setMinimumSectionSize(theme.size("row"))
        vertical.hide()
        header = self.horizontalHeader()
        header.setHighlightSections(False)
        header.setSectionsMovable(True)
        header.setSectionsClickable(True)
        header.setStretchLastSection(True)
        header.setMinimumHeight(theme.size("row"))
        header.setContextMenuPolicy(Qt.ContextMenuPolicy.CustomContextMenu)
        header.customContextMenuRequested.connect(self._column_menu)
        header.sectionClicked.connect(self._sort_clicked)
        self.setWordWrap(False)
        self.setShowGrid(False)
        self.setTabKeyNavigation(False)
        self.setSelectionBehavior(QAbstractItemView.SelectionBehavior.SelectRows)
        self.setEditTriggers(QAbstractItemView.EditTrigger.NoEditTriggers)
        self.setHorizontalScrollMode(QAbstractItemView.ScrollMode.ScrollPerPixel)
        self.doubleClicked.connect(self._open)

    def set_model(self, model: PagedTable, shown: list[str] | None = None) -> None:
        """Take the model; ``shown``: keys of the columns to show (kept from last time), None for the usual."""
        self._model = model
        self.setModel(model)
        self.fit_columns(shown)
        self.selectionModel().currentRowChanged.connect(self._current_changed)

    def fit_columns(self, shown: list[str] | None = None) -> None:
        """Widths as declared, and which columns are in view (None or none: the usual ones)."""
        for place, column in enumerate(self._model.columns):
            self.setColumnWidth(place, round(column.width * theme.current().scale))
            visible = column.shown if not shown else column.key in shown
            self.setColumnHidden(place, not visible)

    def sorted(self, key: str, descending: bool) -> None:
        """Show by which column the rows are sorted (the core sorted them)."""
        self._sort = (key, descending)
        keys = [column.sort for column in self._model.columns]
        order = Qt.SortOrder.DescendingOrder if descending else Qt.SortOrder.AscendingOrder
        header = self.horizontalHeader()
        header.setSortIndicatorShown(key in keys)
        if key in keys:
            header.setSortIndicator(keys.index(key), order)

    def shown_columns(self) -> list[str]:
        return [c.key for n, c in enumerate(self._model.columns) if not self.isColumnHidden(n)]

    def chosen_ids(self) -> list[int]:
        """Ids of the selected rows, from ranges; at most 100,000."""
        found: list[int] = []
        for part in self.selectionModel().selection():
            for row in range(part.top(), part.bottom() + 1):
                found.append(self._model.id_at(row))
                if len(found) >= MOST_IDS:
                    return found
        return sorted(set(found), key=found.index) if len(found) < 2000 else found

    def choose(self, id: int) -> bool:
        """Select the row of ``id`` and bring it into view; False when it is not in the table."""
        row = self._model.row_of(id)
        if row is None:
            return False
        self.selectRow(row)
        self.setCurrentIndex(self._model.index(row, self._first_shown()))
        return True

    def selectAll(self) -> None:
        """Only where it is quick: a million selected rows take Qt ten seconds."""
        if self._model.rowCount() <= MOST_IDS:
            super().selectAll()

    def paintEvent(self, event: QPaintEvent) -> None:
        places, lines = self._places(event.rect()), self._lines(event.rect())
        if not places or not lines:
            return
        with QPainter(self.viewport()) as painter:
            self._cells.paint(
                painter, places, lines, self.rowHeight(0),
                enabled=self.isEnabled(), mirrored=self.isRightToLeft(),
            )  # fmt: skip

    def viewportEvent(self, event: QEvent) -> bool:
        if isinstance(event, QHelpEvent) and event.type() == QEvent.Type.ToolTip:
            at = self.indexAt(event.pos())
            tip = at.data(Qt.ItemDataRole.ToolTipRole) or self._cut(at)
            QToolTip.showText(event.globalPos(), tip, self.viewport(), self.visualRect(at))
            return True
        return super().viewportEvent(event)

    def _cut(self, at: QModelIndex) -> str:
        """The whole text of a cell that shows a part of it; marked as HTML, since a tooltip guesses."""
        if not at.isValid():
            return ""
        column, row = self._model.columns[at.column()], self._model.row(at.row())
        text = self._cells.cut(column, row, self.columnWidth(at.column()))
        return f"<span>{html.escape(text)}</span>" if text else ""

    def _places(self, area: QRect) -> list[Place]:
        """The columns that are shown within ``area``."""
        found = []
        for number, column in enumerate(self._model.columns):
            x, width = self.columnViewportPosition(number), self.columnWidth(number)
            if width and x <= area.right() and x + width > area.left():
                found.append(Place(column, x, width))
        return found

    def _lines(self, area: QRect) -> list[Line]:
        """The rows within ``area``; those not at hand are read."""
        first, last = self.rowAt(area.top()), self.rowAt(area.bottom())
        if first < 0:
            return []
        if last < 0:
            last = self._model.rowCount() - 1
        height, y = self.rowHeight(0), self.rowViewportPosition(first)
        selection, any_chosen = self.selectionModel(), self.selectionModel().hasSelection()
        return [
            Line(row, y + n * height, any_chosen and selection.isRowSelected(first + n, QModelIndex()))
            for n, row in enumerate(self._model.rows(first, last))
        ]

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter) and self.currentIndex().isValid():
            self._open(self.currentIndex())
            return
        super().keyPressEvent(event)

    def _first_shown(self) -> int:
        return next((n for n in range(len(self._model.columns)) if not self.isColumnHidden(n)), 0)

    def _current_changed(self, current: QModelIndex, _previous: QModelIndex) -> None:
        self.chosen.emit(self._model.id_at(current.row()) if current.isValid() else None)

    def _open(self, index: QModelIndex) -> None:
        self.opened.emit(self._model.id_at(index.row()))

    def _sort_clicked(self, section: int) -> None:
        key = self._model.columns[section].sort
        if key is None:
            return
        descending = self._sort == (key, False)
        self.sorted(key, descending)
        self.sort_asked.emit(key, descending)

    def column_menu(self) -> QMenu:
        """The menu that chooses columns; also reached by a button for the keyboard."""
        menu = QMenu(tr("Columns"), self)
        for place, column in enumerate(self._model.columns):
            action = menu.addAction(column.title)
            action.setCheckable(True)
            action.setChecked(not self.isColumnHidden(place))
            action.setData(place)
            action.toggled.connect(self._column_toggled)
        return menu

    def _column_toggled(self, shown: bool) -> None:
        place = self.sender().data()
        if not shown and len(self.shown_columns()) == 1:
            return
        self.setColumnHidden(place, not shown)
        self.columns_changed.emit(self.shown_columns())

    def _column_menu(self, at: QPoint) -> None:
        self.column_menu().popup(self.horizontalHeader().mapToGlobal(at))
