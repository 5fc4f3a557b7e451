"""Tables to files: CSV and XLSX streamed whole, PDF for reading. Formula-safe everywhere."""

from __future__ import annotations

import csv
import os
import tempfile
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path

from broadcaster.audit.log import formula_safe
from broadcaster.errors import BadInput, EnvironmentFault
from broadcaster.reports.tables import Table


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
    # loaded when needed: the library takes a quarter of a second
    from broadcaster.reports.workbook import write_workbook

    write_workbook(tables, path)


def _write_pdf(tables: Sequence[Table], path: Path) -> None:
    # loaded when needed: the library takes half a second
    from broadcaster.reports.pdf import write_pdf

    write_pdf(tables, path)


_WRITERS: dict[str, Callable[[Sequence[Table], Path], None]] = {
    "csv": _write_csv,
    "xlsx": _write_xlsx,
    "pdf": _write_pdf,
}
