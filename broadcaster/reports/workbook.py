"""Tables as an XLSX workbook, one sheet each, streamed."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import islice
from pathlib import Path
from typing import Any

from openpyxl import Workbook
from openpyxl.cell import WriteOnlyCell
from openpyxl.cell.cell import ILLEGAL_CHARACTERS_RE
from openpyxl.styles import Font

from broadcaster.audit.log import formula_safe
from broadcaster.reports.tables import ALARM_RED, Alarm, Table

XLSX_ROWS = 1_048_575


def write_workbook(tables: Sequence[Table], path: Path) -> None:
    """Write all tables to ``path``."""
    book = Workbook(write_only=True)
    for table in tables:
        sheet = book.create_sheet(table.title[:31])
        for name, value in table.facts:
            sheet.append([name, _cell(sheet, value)])
        if table.facts:
            sheet.append([])
        bold = [WriteOnlyCell(sheet, value=column) for column in table.columns]
        for cell in bold:
            cell.font = Font(bold=True)
        sheet.append(bold)
        for row in islice(table.rows, XLSX_ROWS - len(table.facts) - 2):
            sheet.append([_cell(sheet, value) for value in row])
    book.save(path)


def _cell(sheet: Any, value: Any) -> Any:
    if not isinstance(value, Alarm):
        return _xlsx(value)
    cell = WriteOnlyCell(sheet, value=_xlsx(str(value)))
    cell.font = Font(bold=True, color=ALARM_RED)
    return cell


def _xlsx(value: Any) -> Any:
    if isinstance(value, str):
        return formula_safe(ILLEGAL_CHARACTERS_RE.sub("", value))
    return value
