"""The table of any length."""

from __future__ import annotations

from array import array
from collections.abc import Sequence
from dataclasses import dataclass

import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QAbstractItemModelTester
from pytestqt.qtbot import QtBot

from ui.models import Column, PagedTable, paged
from ui.widgets.table import DataTable


@dataclass(frozen=True)
class Row:
    id: int
    name: str


COLUMNS = [
    Column("name", "Name", lambda row: row.name, sort="name"),
    Column("id", "Id", lambda row: str(row.id), numeric=True),
]


class Source:
    def __init__(self) -> None:
        self.asked: list[Sequence[int]] = []
        self.gone: set[int] = set()

    def rows(self, ids: Sequence[int]) -> list[Row]:
        self.asked.append(ids)
        return [Row(id, f"person {id}") for id in reversed(ids) if id not in self.gone]


@pytest.fixture
def source() -> Source:
    return Source()


@pytest.fixture
def model(qapp: object, source: Source) -> PagedTable:
    return PagedTable(COLUMNS, source.rows)


def test_it_satisfies_qts_own_tester(model: PagedTable) -> None:
    QAbstractItemModelTester(model, QAbstractItemModelTester.FailureReportingMode.Fatal)
    model.set_ids(array("q", range(300)))
    assert model.rowCount() == 300
    model.invalidate()


def test_a_million_rows_read_only_the_blocks_in_view(qtbot: QtBot, model: PagedTable, source: Source) -> None:
    table = DataTable("People")
    qtbot.addWidget(table)
    table.set_model(model)
    table.resize(600, 400)
    table.show()
    model.set_ids(array("q", range(1, 1_000_001)))
    table.scrollToBottom()
    table.grab()
    assert model.index(999_999, 0).data() == "person 1000000"
    assert len(source.asked) <= 4
    assert max(len(ids) for ids in source.asked) < 100


def test_rows_far_apart_in_blocks_are_read_in_one_question(model: PagedTable, source: Source) -> None:
    model.set_ids(array("q", range(100, 200)))
    model.row(40)
    assert [row.id for row in model.rows(5, 90)] == list(range(105, 191))
    assert len(source.asked) == 2
    assert not set(source.asked[0]) & set(source.asked[1])
    assert [row.id for row in model.rows(99, 99)] == [199]
    assert len(source.asked) == 3


def test_only_what_was_looked_at_last_is_kept(
    model: PagedTable, source: Source, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(paged, "KEPT_BLOCKS", 2)
    model.set_ids(array("q", range(1000)))
    model.row(0), model.row(500), model.row(0), model.row(999)
    model.row(0)
    assert len(source.asked) == 3
    model.row(500)
    assert len(source.asked) == 4
    assert len(model.rows(0, 999)) == 1000


def test_a_row_that_is_gone_stays_in_its_place(model: PagedTable, source: Source) -> None:
    model.set_ids([1, 2, 3])
    source.gone = {2}
    model.invalidate()
    assert [model.index(n, 0).data() for n in range(3)] == ["person 1", "…", "person 3"]
    assert model.index(1, 0).data(Qt.ItemDataRole.AccessibleTextRole) is None


def test_rows_are_read_again_after_a_change(model: PagedTable, source: Source) -> None:
    model.set_ids([1, 2, 3])
    model.index(0, 0).data()
    model.index(1, 0).data()
    model.invalidate()
    model.index(0, 0).data()
    assert len(source.asked) == 2


def test_return_opens_the_row_and_arrow_keys_choose(qtbot: QtBot, model: PagedTable) -> None:
    table = DataTable("People")
    qtbot.addWidget(table)
    table.set_model(model)
    model.set_ids([7, 8, 9])
    table.show()
    table.choose(7)
    chosen: list[object] = []
    table.chosen.connect(chosen.append)
    qtbot.keyClick(table, Qt.Key.Key_Down)
    assert chosen == [8]
    with qtbot.waitSignal(table.opened) as opened:
        qtbot.keyClick(table, Qt.Key.Key_Return)
    assert opened.args == [8]
    assert table.chosen_ids() == [8]


def test_clicking_a_header_asks_for_that_order_and_again_for_the_other(
    qtbot: QtBot, model: PagedTable
) -> None:
    table = DataTable("People")
    qtbot.addWidget(table)
    table.set_model(model)
    model.set_ids([1, 2])
    table.show()
    asked: list[tuple[str, bool]] = []
    table.sort_asked.connect(lambda key, down: asked.append((key, down)))
    header = table.horizontalHeader()
    for _ in range(2):
        qtbot.mouseClick(
            header.viewport(), Qt.MouseButton.LeftButton, pos=header.viewport().rect().center() / 4
        )
    assert asked == [("name", False), ("name", True)]


def test_columns_can_be_chosen_but_never_all_hidden(qtbot: QtBot, model: PagedTable) -> None:
    table = DataTable("People")
    qtbot.addWidget(table)
    table.set_model(model)
    for action in table.column_menu().actions():
        action.trigger()
    assert table.shown_columns() == ["id"]
