"""How cells of the tables are painted, seen by their pixels."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from unittest.mock import patch

import pytest
from PySide6.QtCore import QEvent, QRect, Qt
from PySide6.QtGui import QHelpEvent, QImage, QTextDocument
from PySide6.QtWidgets import QApplication, QToolTip
from pytestqt.qtbot import QtBot

from ui import theme
from ui.models import Column, PagedTable
from ui.widgets.table import DataTable

WIDTH = 200


@dataclass(frozen=True)
class Row:
    id: int
    name: str
    tone: str | None = None
    left: float = 0.0


@pytest.fixture
def application(qapp: QApplication) -> Iterator[QApplication]:
    theme.apply(qapp, "light")
    yield qapp
    qapp.setLayoutDirection(Qt.LayoutDirection.LeftToRight)
    theme.apply(qapp, "light")


def _table(qtbot: QtBot, *rows: Row, numeric: bool = False, clock: bool = False) -> DataTable:
    known = {row.id: row for row in rows}
    left = (lambda row: (row.name, row.tone, row.left)) if clock else None
    column = Column("name", "Name", lambda row: row.name, numeric, tone=lambda row: row.tone, clock=left)
    table = DataTable("People")
    qtbot.addWidget(table)
    table.set_model(PagedTable([column], lambda ids: [known[id] for id in ids if known[id].name], table))
    table.horizontalHeader().setStretchLastSection(False)
    table.resize(400, 300)
    table.show()
    table.model().set_ids(list(known))
    table.setColumnWidth(0, WIDTH)
    return table


def _cell(table: DataTable, row: int) -> QImage:
    table.viewport().repaint()
    seen = table.viewport().grab(table.visualRect(table.model().index(row, 0)))
    return seen.toImage().convertToFormat(QImage.Format.Format_RGB32)


def _ink(image: QImage) -> list[int]:
    """Columns in which something else than the ground is painted."""
    ground = image.pixel(0, 0)
    return [
        x for x in range(image.width()) if any(image.pixel(x, y) != ground for y in range(image.height()))
    ]


def _has(image: QImage, token: str) -> bool:
    wanted = theme.color(token).rgb()
    return any(image.pixel(x, y) == wanted for x in range(image.width()) for y in range(image.height()))


def test_words_begin_at_the_left_and_numbers_end_at_the_right(
    qtbot: QtBot, application: QApplication
) -> None:
    word = _ink(_cell(_table(qtbot, Row(1, "1,204")), 0))
    number = _ink(_cell(_table(qtbot, Row(1, "1,204"), numeric=True), 0))
    gap = theme.space("s")
    assert gap <= word[0] <= gap + 2
    assert WIDTH - gap - 3 <= number[-1] < WIDTH - gap + 1


def test_from_right_to_left_the_sides_change(qtbot: QtBot, application: QApplication) -> None:
    application.setLayoutDirection(Qt.LayoutDirection.RightToLeft)
    word = _ink(_cell(_table(qtbot, Row(1, "1,204")), 0))
    number = _ink(_cell(_table(qtbot, Row(1, "1,204"), numeric=True), 0))
    assert word[0] > WIDTH // 2
    assert number[-1] < WIDTH // 2


def test_a_name_with_a_line_break_is_one_line(qtbot: QtBot, application: QApplication) -> None:
    table = _table(qtbot, Row(1, "Anna\nBell"), Row(2, "Anna Bell"))
    assert _cell(table, 0) == _cell(table, 1)


def test_what_has_no_room_ends_in_an_ellipsis_within_the_cell(
    qtbot: QtBot, application: QApplication
) -> None:
    table = _table(qtbot, Row(1, "W" * 400), Row(2, "W" * 401))
    ink = _ink(_cell(table, 0))
    assert ink[-1] <= WIDTH - theme.space("s")
    assert _cell(table, 0) == _cell(table, 1)
    table.horizontalHeader().setMinimumSectionSize(1)
    table.setColumnWidth(0, theme.space("s"))
    assert _ink(_cell(table, 0)) == []


def test_tones_selection_and_the_look_in_use(qtbot: QtBot, application: QApplication) -> None:
    table = _table(qtbot, Row(1, "IIII", "bad"), Row(2, "IIII"), Row(3, ""))
    assert _has(_cell(table, 0), "bad")
    assert not _has(_cell(table, 1), "bad")
    assert _ink(_cell(table, 2))
    assert not _has(_cell(table, 2), "text")
    assert not _has(_cell(table, 0), "accent_soft")
    table.selectRow(0)
    assert _has(_cell(table, 0), "accent_soft")
    assert _has(_cell(table, 0), "bad")
    theme.apply(application, "dark", 1.5)
    assert _has(_cell(table, 0), "accent_soft")
    assert _has(_cell(table, 1), "text")


def test_the_clock_stands_before_its_words_and_shows_what_is_left(
    qtbot: QtBot, application: QApplication
) -> None:
    shares = ((1.0, "ok"), (0.5, "ok"), (0.1, "warn"), (0.0, "muted"))
    rows = [Row(id, "Window", tone, left) for id, (left, tone) in enumerate(shares)]
    table = _table(qtbot, *rows, clock=True)
    whole, half, closing, closed = (_cell(table, place) for place in range(4))
    assert _has(closing, "warn")
    assert not _has(closed, "ok")
    gap, edge, below = theme.space("s"), theme.size("bar"), whole.height() // 2 + 2
    first, second = gap + edge // 4, gap + edge * 3 // 4
    assert whole.pixel(first, below) == whole.pixel(second, below) == theme.color("ok").rgb()
    assert half.pixel(first, below) != half.pixel(second, below)
    assert closed.pixel(first, below) == closed.pixel(0, 0)


def _tip(application: QApplication, table: DataTable, row: int) -> str:
    """What is shown to who rests the mouse on a cell."""
    at, shown = table.visualRect(table.model().index(row, 0)).center(), list[str]()
    asked = QHelpEvent(QEvent.Type.ToolTip, at, table.viewport().mapToGlobal(at))
    with patch.object(QToolTip, "showText", lambda _at, text, *_where: shown.append(text)):
        application.sendEvent(table.viewport(), asked)
    (told,) = shown
    if not told.startswith("<"):  # a tooltip takes what has no tag for plain text
        return told
    document = QTextDocument()
    document.setHtml(told)
    return document.toPlainText()


def test_the_whole_of_what_is_cut_is_told_on_resting_there(qtbot: QtBot, application: QApplication) -> None:
    long = "Anna <b> O'Neill & Sons " + "W" * 400
    table = _table(qtbot, Row(1, long), Row(2, "Anna Bell"), Row(3, ""), Row(4, long.replace("<b>", "")))
    for place in range(4):
        _cell(table, place)
    assert _tip(application, table, 0) == long
    assert not _tip(application, table, 1)
    assert not _tip(application, table, 2)
    assert _tip(application, table, 3) == long.replace("<b>", "").replace("  ", " ")
    table.setColumnWidth(0, 10_000)
    assert not _tip(application, table, 0)


def test_the_room_of_a_clock_counts_for_what_is_cut(qtbot: QtBot, application: QApplication) -> None:
    table = _table(qtbot, Row(1, "Closing: 2 h 5 min", "warn", 0.1), clock=True)
    _cell(table, 0)
    fits = next(width for width in range(WIDTH) if not _cut_at(application, table, width))
    assert _ink(_cell(table, 0))[-1] <= fits - theme.space("s")
    assert _cut_at(application, table, fits - 1)
    bare = _table(qtbot, Row(1, "Closing: 2 h 5 min"))
    _cell(bare, 0)
    assert not _cut_at(application, bare, fits - theme.size("bar") - theme.space("s"))


def _cut_at(application: QApplication, table: DataTable, width: int) -> str:
    table.horizontalHeader().setMinimumSectionSize(1)
    table.setColumnWidth(0, width)
    return _tip(application, table, 0) if width else "no room"


def test_a_part_of_the_table_is_painted_as_in_the_whole(qtbot: QtBot, application: QApplication) -> None:
    table = _table(qtbot, *(Row(id, f"Person {id}") for id in range(1, 200)))
    table.viewport().repaint()
    whole = table.viewport().grab().toImage()
    for area in (QRect(0, 40, 390, 3), QRect(20, 0, 30, 260), QRect(50, 61, 1, 1)):
        assert table.viewport().grab(area).toImage() == whole.copy(area)
