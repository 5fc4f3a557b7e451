"""Tables to files: CSV and XLSX streamed whole, PDF for reading. Formula-safe everywhere."""

from __future__ import annotations

import csv
import logging
import os
import tempfile
from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from importlib import resources
from itertools import islice
from pathlib import Path
from typing import Any

from fpdf import FPDF
from fpdf.fonts import FontFace
from openpyxl import Workbook
from openpyxl.cell import WriteOnlyCell
from openpyxl.cell.cell import ILLEGAL_CHARACTERS_RE
from openpyxl.styles import Font

from broadcaster.audit.log import formula_safe
from broadcaster.errors import BadInput, EnvironmentFault

logging.getLogger("fpdf").setLevel(logging.ERROR)  # it reports every character a font lacks

PDF_ROWS = 1000
"""A PDF is for reading: longer tables end with a sentence that names the full files."""
XLSX_ROWS = 1_048_575


@dataclass(frozen=True, slots=True)
class Table:
    """One table: ``facts`` stand above it as (name, value); ``rows`` may be a stream."""

    title: str
    columns: Sequence[str]
    rows: Iterable[Sequence[Any]]
    facts: Sequence[tuple[str, Any]] = ()


def write(tables: Sequence[Table], format: str, out: Path) -> None:
    """Write to ``out`` whole or not at all. CSV holds the first table only. BadInput, EnvironmentFault."""
    writer = _WRITERS.get(format)
    if writer is None:
        raise BadInput(f"There is no report format {format!r}.", f"Known: {', '.join(_WRITERS)}.")
    replace_whole(out, lambda part: writer(tables, part))


def replace_whole(out: Path, fill: Callable[[Path], None]) -> None:
    """Fill a new file beside ``out`` and put it in its place at the end; nothing half done stays."""
    try:
        handle, name = tempfile.mkstemp(dir=out.absolute().parent, prefix=f".{out.name}-")
    except OSError as error:
        raise EnvironmentFault(
            f"{out} cannot be written: {error.strerror}.", "Choose another folder with --out."
        ) from error
    part = Path(name)
    try:
        with suppress(OSError):
            os.close(handle)
        fill(part)
        part.chmod(0o644)
        part.replace(out)
    except BaseException:
        part.unlink(missing_ok=True)
        raise


def _write_csv(tables: Sequence[Table], path: Path) -> None:
    with path.open("w", encoding="utf-8-sig", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(tables[0].columns)
        writer.writerows([formula_safe(value) for value in row] for row in tables[0].rows)


def _write_xlsx(tables: Sequence[Table], path: Path) -> None:
    book = Workbook(write_only=True)
    for table in tables:
        sheet = book.create_sheet(table.title[:31])
        for name, value in table.facts:
            sheet.append([name, _xlsx(value)])
        if table.facts:
            sheet.append([])
        bold = [WriteOnlyCell(sheet, value=column) for column in table.columns]
        for cell in bold:
            cell.font = Font(bold=True)
        sheet.append(bold)
        for row in islice(table.rows, XLSX_ROWS - len(table.facts) - 2):
            sheet.append([_xlsx(value) for value in row])
    book.save(path)


def _xlsx(value: Any) -> Any:
    if isinstance(value, str):
        return formula_safe(ILLEGAL_CHARACTERS_RE.sub("", value))
    return value


def _write_pdf(tables: Sequence[Table], path: Path) -> None:
    pdf = FPDF(orientation="landscape", format="A4")
    pdf.set_auto_page_break(True, margin=12)
    fonts = resources.files("resources") / "fonts"
    for style, name in (("", "DejaVuSans.ttf"), ("B", "DejaVuSans-Bold.ttf")):
        with resources.as_file(fonts / name) as font:
            pdf.add_font("DejaVu", style, font)
    for table in tables:
        pdf.add_page()
        pdf.set_font("DejaVu", "B", 14)
        pdf.cell(0, 9, table.title, new_x="LMARGIN", new_y="NEXT")
        pdf.set_font("DejaVu", "", 9)
        for name, value in table.facts:
            pdf.cell(0, 5, f"{name}: {value}", new_x="LMARGIN", new_y="NEXT")
        pdf.ln(3)
        _pdf_table(pdf, table)
    pdf.output(str(path))


def _pdf_table(pdf: FPDF, table: Table) -> None:
    rows = iter(table.rows)
    shown = list(islice(rows, PDF_ROWS))
    more = sum(1 for _ in rows)
    pdf.set_font("DejaVu", "", 6)
    with pdf.table(headings_style=FontFace(emphasis="BOLD"), line_height=3.4, padding=0.6) as grid:
        for values in (table.columns, *shown):
            line = grid.row()
            for value in values:
                line.cell(_pdf_text(value))
    if more:
        pdf.set_font("DejaVu", "", 9)
        pdf.cell(0, 8, f"… and {more:,} more rows: the CSV and XLSX files hold them all.")


def _pdf_text(value: Any) -> str:
    """Text the font can show: characters outside the basic plane (emoji) become a mark."""
    text = "" if value is None else str(value)
    return "".join(c if c.isprintable() and ord(c) < 0x10000 else "□" for c in text)


_WRITERS: dict[str, Callable[[Sequence[Table], Path], None]] = {
    "csv": _write_csv,
    "xlsx": _write_xlsx,
    "pdf": _write_pdf,
}
