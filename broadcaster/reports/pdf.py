"""Tables as a PDF for reading."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from importlib import resources
from itertools import islice
from pathlib import Path
from typing import Any

from fpdf import FPDF
from fpdf.fonts import FontFace

from broadcaster.reports.tables import ALARM_RED, Alarm, Table

logging.getLogger("fpdf").setLevel(logging.ERROR)  # it reports every character a font lacks

ALARMING = FontFace(emphasis="BOLD", color=f"#{ALARM_RED}")

PDF_ROWS = 1000
"""A PDF is for reading: longer tables end with a sentence that names the full files."""


def write_pdf(tables: Sequence[Table], path: Path) -> None:
    """Write all tables to ``path``, long ones cut with a sentence that says so."""
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
            pdf.set_text_color(f"#{ALARM_RED}" if isinstance(value, Alarm) else "#000000")
            pdf.cell(0, 5, f"{name}: {value}", new_x="LMARGIN", new_y="NEXT")
        pdf.set_text_color("#000000")
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
                line.cell(_pdf_text(value), style=ALARMING if isinstance(value, Alarm) else None)
    if more:
        pdf.set_font("DejaVu", "", 9)
        pdf.cell(0, 8, f"… and {more:,} more rows: the CSV and XLSX files hold them all.")


def _pdf_text(value: Any) -> str:
    """Text the font can show: characters outside the basic plane (emoji) become a mark."""
    text = "" if value is None else str(value)
    return "".join(c if c.isprintable() and ord(c) < 0x10000 else "□" for c in text)
