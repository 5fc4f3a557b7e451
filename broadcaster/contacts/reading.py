"""Reading a contacts file: encoding, delimiter and quoting found out, rows streamed with their line numbers.

A broken quote cannot swallow the rest of the file: rows that do not fit are read again line by line.
"""

from __future__ import annotations

import codecs
import csv
import hashlib
import re
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from datetime import date, datetime
from functools import partial
from itertools import count, islice
from pathlib import Path
from typing import NamedTuple, TextIO
from zipfile import BadZipFile

from openpyxl import load_workbook
from openpyxl.utils.exceptions import InvalidFileException

from broadcaster.errors import BadInput

DELIMITERS = ",;\t|"
CELL_LIMIT = 100_000
"""Characters in one cell: more is a quote that was never closed."""
MAX_COLUMNS = 500
LINE_LIMIT = CELL_LIMIT * 4
_CHUNK = 1 << 20
_HEAD = 1 << 16
_BLOCK = 2_000
"""Lines that are read at once as long as each of them is a whole row."""


@dataclass(frozen=True, slots=True)
class FileShape:
    """What was found out about a file. ``delimiter`` and ``quote`` are empty for a workbook."""

    path: Path
    encoding: str
    delimiter: str
    quote: str
    columns: tuple[str, ...]
    sha256: str
    size: int
    lines: int
    """Rows at most, 0 where it is not known (a workbook)."""


class RawRow(NamedTuple):
    """One row: the line it starts on (1 is the header) and its cells; ``problem`` when it cannot be read."""

    line: int
    cells: list[str]
    problem: str = ""


def look_at(path: Path) -> FileShape:
    """Find out how to read the file. Raises BadInput for one that is no contacts file."""
    try:
        size = path.stat().st_size
        if path.suffix.lower() in (".xlsx", ".xlsm"):
            columns, encoding, delimiter, quote = _workbook_header(path), "xlsx", "", ""
        else:
            encoding = _encoding(path)
            header = _first_line(path, encoding)
            delimiter = _delimiter(header)
            quote = _quote(path, encoding, delimiter)
            columns = [
                cell.strip() for cell in next(csv.reader([header], delimiter=delimiter, quotechar=quote), [])
            ]
        digest, breaks = _digest(path)
    except OSError as error:
        raise BadInput(
            f"{path} cannot be read: {error.strerror or error}.", "Check the path and its rights."
        ) from error
    _check_header(path, columns)
    return FileShape(
        path, encoding, delimiter, quote, tuple(columns), digest, size, breaks if delimiter else 0
    )


def rows(shape: FileShape) -> Iterator[RawRow]:
    """Every data row in order, also those that cannot be taken (with their problem)."""
    return _workbook_rows(shape) if shape.encoding == "xlsx" else _csv_rows(shape)


def changed_since(shape: FileShape) -> bool:
    """Did the file grow or change while it was read?"""
    return shape.path.stat().st_size != shape.size


def _check_header(path: Path, columns: list[str]) -> None:
    if not any(columns):
        raise BadInput(f"{path} is empty.", "It needs a header row with a column psid.")
    if len(columns) > MAX_COLUMNS:
        raise BadInput(
            f"{path} has {len(columns)} columns; {MAX_COLUMNS} are the most.", "Leave out what is not needed."
        )
    seen: set[str] = set()
    for column in columns:
        if column and column.casefold() in seen:
            raise BadInput(
                f"{path}, line 1: the column {column!r} stands there twice.", "Rename one of them."
            )
        seen.add(column.casefold())


def _encoding(path: Path) -> str:
    with path.open("rb") as file:
        head = file.read(4096)
        for mark, name in (
            (codecs.BOM_UTF8, "utf-8-sig"),
            (codecs.BOM_UTF16_LE, "utf-16"),
            (codecs.BOM_UTF16_BE, "utf-16"),
        ):
            if head.startswith(mark):
                return name
        if head[1::2].count(0) > len(head) // 4:
            return "utf-16-le"
        if head[::2].count(0) > len(head) // 4:
            return "utf-16-be"
        file.seek(0)
        decoder = codecs.getincrementaldecoder("utf-8")()
        try:
            while chunk := file.read(_CHUNK):
                decoder.decode(chunk)
            decoder.decode(b"", final=True)
        except UnicodeDecodeError:
            return "cp1252"
    return "utf-8"


def _open(path: Path, encoding: str) -> TextIO:
    return path.open(encoding=encoding, errors="replace", newline="")


def _first_line(path: Path, encoding: str) -> str:
    with _open(path, encoding) as file:
        return file.readline(_CHUNK).lstrip("\ufeff")


def _delimiter(header: str) -> str:
    """The one that cuts a ``psid`` out of the header, else the one that cuts most."""

    def rank(delimiter: str) -> tuple[bool, int]:
        cells = next(csv.reader([header], delimiter=delimiter), [])
        return any(cell.strip().casefold() == "psid" for cell in cells), len(cells)

    return max(DELIMITERS, key=rank)


def _quote(path: Path, encoding: str, delimiter: str) -> str:
    """The sign around cells: the apostrophe only where it frames more of them than the quotation mark."""
    with _open(path, encoding) as file:
        head = file.read(_HEAD)

    def framed(sign: str) -> int:
        side = rf"[{re.escape(delimiter)}\r\n]"
        return len(re.findall(rf"(?:^|(?<={side})){sign}[^{sign}\r\n]{{0,500}}{sign}(?={side}|$)", head))

    return "'" if framed("'") > framed('"') else '"'


class _Lines:
    """Lines of a block and then of the file; those of the row being read are kept, to read it again."""

    def __init__(self, block: list[str], file: TextIO, number: int) -> None:
        self._block, self._file, self._used = block, file, 0
        self.number = number
        self.kept: list[str] = []

    @property
    def block_ended(self) -> bool:
        return self._used >= len(self._block)

    def __iter__(self) -> _Lines:
        return self

    def __next__(self) -> str:
        line = self._file.readline(LINE_LIMIT) if self.block_ended else self._block[self._used]
        if not line:
            raise StopIteration
        self._used += 1
        self.number += 1
        self.kept.append(line)
        return line


def _csv_rows(shape: FileShape) -> Iterator[RawRow]:
    csv.field_size_limit(CELL_LIMIT)
    wide, number = len(shape.columns), 1
    with _open(shape.path, shape.encoding) as file:
        file.readline(_CHUNK)
        while block := list(islice(iter(partial(file.readline, LINE_LIMIT), ""), _BLOCK)):
            whole = _whole_rows(block, wide, shape.delimiter, shape.quote)
            if whole is not None:
                yield from map(RawRow, count(number + 1), whole)
                number += len(block)
                continue
            lines = _Lines(block, file, number)
            yield from _careful(lines, wide, shape.delimiter, shape.quote)
            number = lines.number


def _whole_rows(block: list[str], wide: int, delimiter: str, quote: str) -> list[list[str]] | None:
    """The cells of a block in which every line is one row of the right width; None for any other."""
    if block[-1].count(quote) % 2:
        return None
    try:
        found = list(csv.reader(block, delimiter=delimiter, quotechar=quote))
    except csv.Error:
        return None
    return found if len(found) == len(block) and set(map(len, found)) == {wide} else None


def _careful(lines: _Lines, wide: int, delimiter: str, quote: str) -> Iterator[RawRow]:
    """Row by row to the end of the block and of the row that reaches over it."""
    reader = csv.reader(lines, delimiter=delimiter, quotechar=quote)
    while not lines.block_ended:
        start = lines.number + 1
        lines.kept.clear()
        try:
            cells = next(reader)
        except StopIteration:
            return
        except csv.Error:
            yield from _one_by_one(lines.kept, start, wide, delimiter, quote)
            reader = csv.reader(lines, delimiter=delimiter, quotechar=quote)
            continue
        if len(cells) == wide:
            yield RawRow(start, cells)
        elif len(lines.kept) > 1:
            yield from _one_by_one(list(lines.kept), start, wide, delimiter, quote)
        elif cells:
            yield RawRow(start, cells, _width_problem(len(cells), wide))


def _one_by_one(kept: list[str], start: int, wide: int, delimiter: str, quote: str) -> Iterator[RawRow]:
    for number, line in enumerate(kept, start):
        try:
            cells = next(csv.reader([line.rstrip("\r\n")], delimiter=delimiter, quotechar=quote), [])
        except csv.Error:
            cells = [line.rstrip("\r\n")[:CELL_LIMIT]]
        if cells:
            problem = "" if len(cells) == wide else _width_problem(len(cells), wide)
            yield RawRow(number, cells, problem)


def _width_problem(found: int, wide: int) -> str:
    return f"the row has {found} cells, the header {wide}"


def _workbook_header(path: Path) -> list[str]:
    return next(_workbook_cells(path), [])


def _workbook_rows(shape: FileShape) -> Iterator[RawRow]:
    wide = len(shape.columns)
    for number, cells in enumerate(_workbook_cells(shape.path), 1):
        if number > 1 and any(cells):
            yield RawRow(number, (cells + [""] * wide)[:wide])


def _workbook_cells(path: Path) -> Iterator[list[str]]:
    try:
        book = load_workbook(path, read_only=True, data_only=True)
    except (InvalidFileException, BadZipFile, KeyError, ValueError) as error:
        raise BadInput(
            f"{path} is not a workbook that can be read.", "Save it again as XLSX or CSV."
        ) from error
    with closing(book):
        sheet = book.worksheets[0]
        sheet.reset_dimensions()
        for row in sheet.iter_rows(values_only=True):
            yield [_cell_text(value) for value in row]


def _cell_text(value: object) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float) and value.is_integer() and abs(value) < 2**53:
        return str(int(value))
    if isinstance(value, datetime | date):
        return value.isoformat()
    return str(value)


def _digest(path: Path) -> tuple[str, int]:
    """SHA-256 of the file, and its line breaks."""
    digest, breaks = hashlib.sha256(), 0
    with path.open("rb") as file:
        while chunk := file.read(_CHUNK):
            digest.update(chunk)
            breaks += chunk.count(b"\n")
    return digest.hexdigest(), breaks
