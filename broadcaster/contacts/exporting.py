"""People to a CSV that imports again without a difference: streamed, formula-safe."""

from __future__ import annotations

import csv
import json
import os
import tempfile
import threading
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

from sqlalchemy import BigInteger, ColumnElement, Connection, Select, select, type_coerce

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
REMEMBERED = 20_000
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
    writer = csv.writer(file)
    writer.writerow([*KNOWN, *known])
    count = 0
    for block in _blocks(conn, page_id, known, clause):
        if cancelled.is_set():
            raise EnvironmentFault("The export was stopped; no file was written.")
        writer.writerows(block)
        count += len(block)
        if progress:
            progress(count)
    return count


def _blocks(
    conn: Connection, page_id: int, known: dict[str, AttributeDef], clause: ColumnElement[bool] | None
) -> Iterator[list[tuple[Any, ...]]]:
    """Rows in blocks by id: each block is one short query, so memory stays flat."""
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
    last, written = 0, _Written()
    while True:
        found = _plain(conn, query.where(CONTACTS.c.id > last).order_by(CONTACTS.c.id).limit(BLOCK))
        if not found:
            return
        ids, *columns = zip(*found, strict=True)
        last = ids[-1]
        labels = _labels(conn, names, ids[0], last)
        loose = _loose(conn, known, ids[0], last)
        yield list(zip(*_cells(ids, columns, known, labels, loose, written), strict=True))


def _plain(conn: Connection, query: Select[Any]) -> list[tuple[Any, ...]]:
    """Rows as the driver gives them: none of these columns needs to be made into something."""
    cursor: Any = conn.execute(query).cursor
    found: list[tuple[Any, ...]] = cursor.fetchall()
    return found


def _cells(
    ids: Sequence[int],
    columns: Sequence[Sequence[Any]],
    known: dict[str, AttributeDef],
    labels: dict[int, str],
    loose: dict[int, dict[str, Any]],
    written: _Written,
) -> Iterator[Iterable[Any]]:
    """The file's columns of one block, in the order of its header."""
    psids, *texts, opted, acted = columns[:7]
    yield psids
    for column in texts:
        yield map(written.__getitem__, column)
    yield map(written.instant, acted)
    yield ["true" if out else "false" for out in opted]
    yield [written[labels.get(id_, "")] for id_ in ids]
    slots = iter(columns[7:])
    for name, definition in known.items():
        values = next(slots) if definition.slot else [loose.get(id_, {}).get(name) for id_ in ids]
        if definition.slot:
            yield map(written.__getitem__, values)
        else:
            yield [guarded(_cell(value)) for value in values]


class _Written(dict[Any, Any]):
    """Stored value → what is written; most values stand in many rows, so each is worked out once."""

    def __init__(self) -> None:
        super().__init__()
        self._minutes: dict[int, str] = {}

    def instant(self, ms: int | None) -> str:
        """A time in ISO 8601; people's times share their minutes."""
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

    def __missing__(self, value: Any) -> Any:
        cell = guarded(_cell(value))
        if len(self) < REMEMBERED:
            self[value] = cell
        return cell


def _labels(conn: Connection, names: dict[int, str], first: int, last: int) -> dict[int, str]:
    if not names:
        return {}
    query = select(LABELLED.c.contact_id, LABELLED.c.label_id).where(
        LABELLED.c.contact_id.between(first, last)
    )
    found: dict[int, list[str]] = {}
    for contact_id, label_id in _plain(conn, query):
        if label_id in names:
            found.setdefault(contact_id, []).append(names[label_id])
    return {one: given[0] if len(given) == 1 else ";".join(sorted(given)) for one, given in found.items()}


def _loose(
    conn: Connection, known: dict[str, AttributeDef], first: int, last: int
) -> dict[int, dict[str, Any]]:
    if all(definition.slot for definition in known.values()):
        return {}
    query = select(ATTRIBUTES).where(ATTRIBUTES.c.contact_id.between(first, last))
    return {row.contact_id: row._mapping["values"] for row in conn.execute(query)}


def _cell(value: Any) -> Any:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float) and value.is_integer():
        return int(value)
    return json.dumps(value) if isinstance(value, dict | list) else value
