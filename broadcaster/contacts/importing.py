"""Importing people from a file: previewed, tried out, taken in batches, and taken back if need be.

Each batch is a transaction that also notes how far the import came: a cancelled or killed import has
taken whole batches and says where it stopped; importing the file again goes on without a difference.
"""

from __future__ import annotations

import csv
import threading
from collections.abc import Callable, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, field, replace
from itertools import islice
from pathlib import Path
from typing import Any, Literal

from sqlalchemy import Connection, insert, update

from broadcaster.clock import Clock
from broadcaster.contacts import ahead, reading, staging
from broadcaster.contacts import columns as cells
from broadcaster.contacts.ahead import Orders, Reader
from broadcaster.contacts.attributes import define, definitions
from broadcaster.contacts.columns import AttributeDef, Column
from broadcaster.contacts.formulas import guarded
from broadcaster.contacts.reading import FileShape, RawRow
from broadcaster.contacts.taking import Batch
from broadcaster.errors import BadInput
from broadcaster.states import AttributeType
from broadcaster.store import Store
from broadcaster.store.engine import MAPPED_BYTES
from broadcaster.store.indexes import leave_indexes_for_later, restore_indexes
from broadcaster.store.tables import ImportRun

RUNS = ImportRun.__table__  # type: ignore[attr-defined]

SAMPLE = 20
DECIDING = 100_000
"""So many rows decide the types of new attributes; a value further down that does not fit is rejected."""
CHECKPOINT = 10_000
"""Pages of the write-ahead log after which SQLite copies them into its file: most pages of a batch change again."""
LabelMode = Literal["add", "replace", "update"]


@dataclass(frozen=True, slots=True)
class ImportPreview:
    """What was found out about a file. ``mapping``: column → field as it would be taken."""

    encoding: str
    delimiter: str
    quote: str
    columns: tuple[str, ...]
    sample_rows: tuple[tuple[str, ...], ...]
    mapping: dict[str, str]
    types: dict[str, AttributeType]


@dataclass(frozen=True, slots=True)
class ImportProgress:
    done: int
    total: int
    per_second: float

    @property
    def seconds_left(self) -> float | None:
        return (self.total - self.done) / self.per_second if self.per_second else None

    def __str__(self) -> str:
        left = f", {self.seconds_left:.0f} s left" if self.seconds_left is not None else ""
        return f"{self.done:,} of {self.total:,} rows ({self.per_second:,.0f}/s{left})"


@dataclass(frozen=True, slots=True)
class ImportResult:
    """``rows`` = created + updated + unchanged + duplicates + rejected, unless it was cancelled."""

    rows: int = 0
    created: int = 0
    updated: int = 0
    unchanged: int = 0
    duplicates: int = 0
    rejected: int = 0
    rejects_file: Path | None = None
    encoding: str = ""
    delimiter: str = ""
    import_id: int | None = None
    cancelled: bool = False
    warning: str = ""


Progress = Callable[[ImportProgress], None]


def preview(path: Path, mapping: Mapping[str, str] | None = None) -> ImportPreview:
    """Look at a file without taking anything. Raises BadInput."""
    shape = reading.look_at(path)
    found = cells.assign(shape.columns, mapping, path.name) if _has_psid(shape, mapping) else []
    sample = list(islice(reading.rows(shape), SAMPLE))
    attributes = [column for column in found if column.field.startswith("attribute.")]
    types = cells.infer_types(attributes, iter(sample))
    return ImportPreview(
        shape.encoding,
        shape.delimiter,
        shape.quote,
        shape.columns,
        tuple(tuple(row.cells) for row in sample),
        {column.title: column.field for column in found},
        types,
    )


def import_contacts(
    store: Store,
    clock: Clock,
    page_id: int,
    path: Path,
    *,
    mapping: Mapping[str, str] | None = None,
    rejects: Path | None = None,
    dry_run: bool = False,
    label_mode: LabelMode = "add",
    actor: str = "unknown",
    progress: Progress | None = None,
    cancelled: threading.Event | None = None,
) -> ImportResult:
    """Take people from a CSV or XLSX file into a Page. Raises BadInput before anything is changed.

    ``label_mode``: add the file's labels, replace a person's labels by them, or (update) only where the
    file gives some. ``rejects`` is written where rows were not taken, with their line and the reason.
    """
    shape = reading.look_at(path)
    if rejects is not None and (
        rejects.absolute() == path.absolute() or not rejects.absolute().parent.is_dir()
    ):
        raise BadInput(
            f"The rejected rows cannot be written to {rejects}.",
            "Give another file, in a folder that exists.",
        )
    assigned = cells.assign(shape.columns, mapping, path.name)
    attributes = [column for column in assigned if column.field.startswith("attribute.")]
    if all(column.field != "labels" for column in assigned):
        label_mode = "add"  # a file without labels takes none away
    with closing(ahead.reader(shape.size)) as reads:
        with store.read() as conn:
            known = definitions(conn, page_id)
        _require_types(attributes, known)
        new = [column for column in attributes if column.field.removeprefix("attribute.") not in known]
        types = cells.infer_types(new, islice(reading.rows(shape), DECIDING)) if new else {}
        work = _Import(store, clock, page_id, shape, assigned, types, label_mode, dry_run, actor, reads)
        result = work.run(rejects, progress, cancelled or threading.Event())
    if reading.changed_since(shape):
        result = replace(result, warning="The file changed while it was read: import it again.")
    return result


def _require_types(attributes: Sequence[Column], known: Mapping[str, AttributeDef]) -> None:
    for column in attributes:
        name = column.field.removeprefix("attribute.")
        if column.type and name in known and known[name].type != column.type:
            raise BadInput(
                f"The attribute {name!r} is a {known[name].type} already, not a {column.type}.",
                "Give the column another name, or leave out the type.",
            )


def _has_psid(shape: FileShape, mapping: Mapping[str, str] | None) -> bool:
    fields = {(mapping or {}).get(title, title.strip().casefold()) for title in shape.columns}
    return "psid" in fields


@dataclass(slots=True)
class _Import:
    store: Store
    clock: Clock
    page_id: int
    shape: FileShape
    columns: list[Column]
    types: dict[str, AttributeType]
    label_mode: LabelMode
    dry_run: bool
    actor: str
    reader: Reader
    run_id: int = 0
    indexed_later: bool = False
    known: dict[str, AttributeDef] = field(default_factory=dict)
    done: int = 0
    result: ImportResult = field(default_factory=ImportResult)

    def run(
        self, rejects: Path | None, progress: Progress | None, cancelled: threading.Event
    ) -> ImportResult:
        started = self.clock.monotonic()
        self._begin()
        orders = Orders(self.shape, self.columns, self.known, self.clock.now(), ahead.BATCH)
        try:
            with _RejectsFile(rejects, self.shape) as file:
                for read, taken in self.reader.batches(orders):
                    if cancelled.is_set():
                        self.result = replace(self.result, cancelled=True)
                        break
                    self.done += read
                    self._take(taken)
                    file.write(taken.refused)
                    if progress:
                        seconds = max(0.001, self.clock.monotonic() - started)
                        total = max(self.shape.lines - 1, self.done)
                        progress(ImportProgress(self.done, total, self.done / seconds))
                self.result = replace(self.result, rejects_file=file.path)
        finally:
            if self.indexed_later:
                restore_indexes(self.store)
        self._end()
        return replace(
            self.result, rows=self.done, encoding=self.shape.encoding, delimiter=self.shape.delimiter,
            import_id=self.run_id or None,
        )  # fmt: skip

    def _begin(self) -> None:
        wanted = {name.removeprefix("attribute."): type_ for name, type_ in self.types.items()}
        if self.dry_run:
            with self.store.read() as conn:
                known = definitions(conn, self.page_id)
            self.known = {n: AttributeDef(n, t, None) for n, t in wanted.items()} | known
            return
        with self.store.write() as conn:
            self.indexed_later = self.shape.size >= ahead.WORTH_A_PROCESS and leave_indexes_for_later(conn)
            self.known = define(conn, self.page_id, wanted)
            inserted = conn.execute(
                insert(RUNS).values(
                    page_id=self.page_id, file_name=self.shape.path.name, file_sha256=self.shape.sha256,
                    state="running", label_mode=self.label_mode, done_rows=0, created=0, updated=0, unchanged=0,
                    duplicates=0, rejected=0, started_at=self.clock.now(), actor=self.actor,
                )
            )  # fmt: skip
            self.run_id = int((inserted.inserted_primary_key or (0,))[0])

    def _take(self, batch: Batch) -> None:
        """One batch, one transaction; a dry run undoes its own."""
        with _transaction(self.store, self.dry_run) as conn:
            run = None if self.dry_run else self.run_id
            found = staging.take(conn, self.page_id, batch, self.label_mode, self.clock.now(), run)
            so_far = self.result
            self.result = replace(
                so_far,
                created=so_far.created + found.created,
                updated=so_far.updated + found.updated,
                unchanged=so_far.unchanged + found.unchanged,
                duplicates=so_far.duplicates + batch.duplicates,
                rejected=so_far.rejected + len(batch.refused) - batch.duplicates,
            )
            if not self.dry_run:
                self._note(conn, state="running")

    def _end(self) -> None:
        if self.dry_run:
            return
        with _transaction(self.store, trial=False) as conn:
            state = "cancelled" if self.result.cancelled else "finished"
            rejects = str(self.result.rejects_file) if self.result.rejects_file else None
            self._note(conn, state=state, finished_at=self.clock.now(), rejects_file=rejects)
            staging.refresh_statistics(conn, self.result.created)

    def _note(self, conn: Connection, **values: Any) -> None:
        names = ("created", "updated", "unchanged", "duplicates", "rejected")
        counts = {name: getattr(self.result, name) for name in names}
        conn.execute(
            update(RUNS).where(RUNS.c.id == self.run_id).values(done_rows=self.done, **counts, **values)
        )


class _RejectsFile:
    """The original rows with ``line`` and ``reason`` in front; made when the first one comes."""

    def __init__(self, wanted: Path | None, shape: FileShape) -> None:
        self.path: Path | None = None
        self._wanted, self._shape = wanted, shape
        self._file: Any = None
        self._writer: Any = None

    def write(self, refused: Sequence[tuple[RawRow, str]]) -> None:
        if self._wanted is None or not refused:
            return
        if self._file is None:
            self._file = self._wanted.open("w", encoding="utf-8", newline="")
            self._writer = csv.writer(self._file, delimiter=self._shape.delimiter or ",")
            kept = [title for title in self._shape.columns if title.casefold() not in cells.IGNORED]
            self._writer.writerow(["line", "reason", *kept])
            self.path = self._wanted
        dropped = {i for i, title in enumerate(self._shape.columns) if title.casefold() in cells.IGNORED}
        for row, reason in refused:
            kept_cells = [guarded(cell) for i, cell in enumerate(row.cells) if i not in dropped]
            self._writer.writerow([row.line, reason, *kept_cells])

    def __enter__(self) -> _RejectsFile:
        return self

    def __exit__(self, *_error: object) -> None:
        if self._file is not None:
            self._file.close()


class _Undone(Exception):
    """Ends a trial transaction."""


class _transaction:  # noqa: N801 - used as a with-statement word
    """A write transaction; a trial one is undone at its end."""

    def __init__(self, store: Store, trial: bool) -> None:
        self._outer, self._trial = store.write(own_keys=True), trial

    def __enter__(self) -> Connection:
        self._conn = self._outer.__enter__()
        _tuned(self._conn, mapped=0, checkpoint=CHECKPOINT)  # a mapped file counts as memory when written
        return self._conn

    def __exit__(self, kind: Any, error: Any, trace: Any) -> bool:
        _tuned(self._conn, mapped=MAPPED_BYTES, checkpoint=1000)
        if kind is None and self._trial:
            undone = _Undone()
            try:
                self._outer.__exit__(_Undone, undone, None)
            except _Undone:
                return True
            return True
        return bool(self._outer.__exit__(kind, error, trace))


def _tuned(conn: Connection, *, mapped: int, checkpoint: int) -> None:
    if conn.dialect.name == "sqlite":
        conn.exec_driver_sql(f"PRAGMA mmap_size={mapped}")
        conn.exec_driver_sql(f"PRAGMA wal_autocheckpoint={checkpoint}")
