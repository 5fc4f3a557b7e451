"""People to a CSV that imports again without a difference: streamed, formula-safe."""

from __future__ import annotations

import csv
import io
import json
import os
import tempfile
import threading
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

from sqlalchemy import BigInteger, ColumnElement, Connection, Select, String, cast, func, select, type_coerce

from broadcaster.clock import from_epoch_ms, iso
from broadcaster.contacts.attributes import AttributeDef, definitions
from broadcaster.contacts.formulas import guarded
from broadcaster.errors import EnvironmentFault
from broadcaster.store import Store
from broadcaster.store.tables import Contact, ContactAttributes, ContactLabel, Label

CONTACTS = Contact.__table__  # type: ignore[attr-defined]
ATTRIBUTES = ContactAttributes.__table__  # type: ignore[attr-defined]
LABELS = Label.__table__  # type: ignore[attr-defined]
LABELLED = ContactLabel.__table__  # type: ignore[attr-defined]

KNOWN = (
    "psid",
    "first_name",
    "last_name",
    "locale",
    "timezone",
    "last_interaction_at",
    "opted_out",
    "labels",
)
BLOCK = 5_000
PIECE = 500
"""So many rows of a block become lines at a time: they stay in the processor's cache."""
REMEMBERED = 10_000
"""Distinct values of a column whose cells are kept."""
END = "\r\n"
Progress = Callable[[int], None]


def export_contacts(
    store: Store,
    page_id: int,
    out: Path,
    *,
    clause: ColumnElement[bool] | None = None,
    progress: Progress | None = None,
    cancelled: threading.Event | None = None,
) -> int:
    """Write a Page's people (or those of ``clause``) to ``out``, whole or not at all; returns how many."""
    try:
        handle, name = tempfile.mkstemp(dir=out.absolute().parent, prefix=f".{out.name}-")
    except OSError as error:
        raise EnvironmentFault(
            f"{out} cannot be written: {error.strerror}.", "Choose another folder."
        ) from error
    part = Path(name)
    try:
        with os.fdopen(handle, "w", encoding="utf-8", newline="") as file, store.read() as conn:
            count = _write(conn, page_id, file, clause, progress, cancelled or threading.Event())
        part.chmod(0o644)
        part.replace(out)
    except BaseException:
        with suppress(OSError):
            part.unlink()
        raise
    return count


def _write(
    conn: Connection,
    page_id: int,
    file: Any,
    clause: ColumnElement[bool] | None,
    progress: Progress | None,
    cancelled: threading.Event,
) -> int:
    known = definitions(conn, page_id)
    file.write(",".join(map(_Quoted(), (*KNOWN, *known))) + END)
    count = 0
    for rows in _blocks(conn, page_id, known, clause):
        if cancelled.is_set():
            raise EnvironmentFault("The export was stopped; no file was written.")
        file.write(END.join(rows) + END)
        count += len(rows)
        if progress:
            progress(count)
    return count


def _blocks(
    conn: Connection, page_id: int, known: dict[str, AttributeDef], clause: ColumnElement[bool] | None
) -> Iterator[list[str]]:
    """Lines of the file in blocks by id: each block is one short query, so memory stays flat."""
    names = {row.id: row.name for row in conn.execute(select(LABELS).where(LABELS.c.page_id == page_id))}
    slots = [definition.slot for definition in known.values() if definition.slot]
    plain = [CONTACTS.c[name] for name in (*KNOWN[:5], "opted_out")]
    query = select(
        CONTACTS.c.id,
        *(type_coerce(column, BigInteger) if column.name == "opted_out" else column for column in plain),
        type_coerce(CONTACTS.c.last_interaction_at, BigInteger).label("at"),
        *(CONTACTS.c[s] for s in slots),
    ).where(CONTACTS.c.page_id + 0 == page_id)  # in the order of ids, without sorting each block
    if clause is not None:
        query = query.where(clause)
    last, cells = 0, _Columns(names, known)
    while True:
        before = last
        cursor = _plain(conn, query.where(CONTACTS.c.id > last).order_by(CONTACTS.c.id).limit(BLOCK))
        while found := cursor.fetchmany(PIECE):
            ids, *columns = zip(*found, strict=True)
            last = ids[-1]
            labels = _labels(conn, ids[0], last) if names else {}
            loose = _loose(conn, known, ids[0], last)
            yield list(map(",".join, zip(*cells.of(ids, columns, labels, loose), strict=True)))
        if last == before:
            return


def _plain(conn: Connection, query: Select[Any]) -> Any:
    """The driver's cursor: none of these columns needs to be made into something."""
    return conn.execute(query).cursor


def _labels(conn: Connection, first: int, last: int) -> dict[int, str]:
    """Contact id → ids of its labels with commas between."""
    ids = func.aggregate_strings(cast(LABELLED.c.label_id, String), ",")
    query = (
        select(LABELLED.c.contact_id, ids)
        .where(LABELLED.c.contact_id.between(first, last))
        .group_by(LABELLED.c.contact_id)
    )
    return dict(_plain(conn, query).fetchall())


def _loose(
    conn: Connection, known: dict[str, AttributeDef], first: int, last: int
) -> dict[int, dict[str, Any]]:
    if all(definition.slot for definition in known.values()):
        return {}
    query = select(ATTRIBUTES).where(ATTRIBUTES.c.contact_id.between(first, last))
    return {row.contact_id: row._mapping["values"] for row in conn.execute(query)}


class _Columns:
    """Makes the cells of a block, column by column, in the order of the header."""

    def __init__(self, names: dict[int, str], known: dict[str, AttributeDef]) -> None:
        self._names, self._known = names, known
        self._quoted = _Quoted()
        self._cells = {name: _Cells(self._quoted) for name in (*KNOWN[1:5], *known)}
        self._labels, self._instants = _Cells(self._label), _Cells(_Instants())

    def of(
        self,
        ids: Sequence[int],
        columns: Sequence[Sequence[Any]],
        labels: dict[int, str],
        loose: dict[int, dict[str, Any]],
    ) -> Iterator[Iterable[str]]:
        """``columns``: what the query asks for after the id; ``loose``: attributes without a slot."""
        psids, *texts, opted, acted = columns[:7]
        yield psids if "".join(psids).isdigit() else map(self._quoted, psids)
        for name, column in zip(KNOWN[1:5], texts, strict=True):
            yield map(self._cells[name].__getitem__, column)
        yield map(self._instants.__getitem__, acted)
        yield ["true" if out else "false" for out in opted]
        yield map(self._labels.__getitem__, map(labels.get, ids))
        slots = iter(columns[7:])
        for name, definition in self._known.items():
            if definition.slot:
                yield map(self._cells[name].__getitem__, next(slots))
            else:
                yield [self._quoted(loose.get(id_, {}).get(name)) for id_ in ids]

    def _label(self, ids: str | None) -> str:
        if ids is None:
            return ""
        known = (self._names.get(int(one)) for one in ids.split(","))
        return self._quoted(";".join(sorted(name for name in known if name is not None)))


class _Cells(dict[Any, str]):
    """Stored value → its cell; most values stand in many rows, so each is made once."""

    def __init__(self, make: Callable[[Any], str]) -> None:
        super().__init__()
        self._make = make

    def __missing__(self, value: Any) -> str:
        cell = self._make(value)
        if len(self) < REMEMBERED:
            self[value] = cell
        return cell


class _Quoted:
    """A value as the csv module writes it among others, safe from being run as a formula."""

    def __init__(self) -> None:
        self._buffer = io.StringIO(newline="")
        self._writer = csv.writer(self._buffer, lineterminator=END)

    def __call__(self, value: Any) -> str:
        if type(value) is float:
            return str(int(value)) if value.is_integer() else repr(value)
        cell = guarded(_cell(value))
        self._buffer.seek(0)
        self._buffer.truncate()
        self._writer.writerow((cell, None))
        return self._buffer.getvalue().removesuffix(f",{END}")


class _Instants:
    """A time in ISO 8601; people's times share their minutes."""

    def __init__(self) -> None:
        self._minutes: dict[int, str] = {}

    def __call__(self, ms: int | None) -> str:
        if ms is None:
            return ""
        minute, rest = divmod(ms, 60_000)
        if rest % 1000:
            return iso(from_epoch_ms(ms))
        start = self._minutes.get(minute)
        if start is None:
            start = iso(from_epoch_ms(minute * 60_000))[:-3]
            if len(self._minutes) < REMEMBERED:
                self._minutes[minute] = start
        return f"{start}{rest // 1000:02}Z"


def _cell(value: Any) -> Any:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float) and value.is_integer():
        return int(value)
    return json.dumps(value) if isinstance(value, dict | list) else value
