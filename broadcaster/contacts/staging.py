"""A batch of an import, set-based: who is new is inserted, who is known is staged, compared and updated."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import compress
from typing import Any

from sqlalchemy import Connection, insert, select

from broadcaster.clock import epoch_ms
from broadcaster.contacts.taking import Batch
from broadcaster.store.tables import Label
from broadcaster.store.tables.contact import NUMBER_SLOTS, TEXT_SLOTS

LABELS = Label.__table__  # type: ignore[attr-defined]

PLAIN = ("first_name", "last_name", "locale", "timezone", *TEXT_SLOTS, *NUMBER_SLOTS)
BEFORE = (
    *PLAIN,
    "opted_out",
    "opted_out_at",
    "last_interaction_at",
    "last_interaction_source",
    "last_interaction_kind",
)
WORTH_STATISTICS = 5_000
OPT_OUT_REASON = "opted_out in the imported file"
_STAGED = ("contact_id", "opted_out", "last_interaction_at", "loose", *PLAIN)


@dataclass(frozen=True, slots=True)
class BatchResult:
    created: int
    updated: int
    unchanged: int


def take(
    conn: Connection, page_id: int, batch: Batch, label_mode: str, now: datetime, import_id: int | None
) -> BatchResult:
    """Take a batch into a Page; with ``import_id`` None only find out what would happen."""
    at = epoch_ms(now)
    known = _known(conn, page_id, batch.psids)
    labels = _label_ids(conn, page_id, batch.labels)
    ids = list(map(known.get, batch.psids))
    new = [id_ is None for id_ in ids]
    created = sum(new)
    if created and import_id is not None:
        fresh = _ids_for(conn, created)
        _create(conn, page_id, _part(batch, new), fresh, labels, at, import_id)
    if created == len(ids):
        return BatchResult(created, 0, 0)
    old = [not one for one in new]
    _stage(conn, _part(batch, old), [id_ for id_ in ids if id_ is not None], labels)
    changed = _keep_changed(conn, label_mode)
    if changed and import_id is not None:
        _change(conn, page_id, label_mode, at, import_id)
    return BatchResult(created, changed, len(ids) - created - changed)


def refresh_statistics(conn: Connection, created: int) -> None:
    """Let the database look at its tables again, so that it plans well with many new people."""
    if created >= WORTH_STATISTICS:
        if conn.dialect.name == "sqlite":
            conn.exec_driver_sql("PRAGMA analysis_limit=2000")
        conn.exec_driver_sql("ANALYZE")


def _part(batch: Batch, chosen: Sequence[bool]) -> Batch:
    if all(chosen):
        return batch
    return Batch(
        list(compress(batch.psids, chosen)),
        {name: list(compress(column, chosen)) for name, column in batch.values.items()},
        list(compress(batch.loose, chosen)),
        list(compress(batch.labels, chosen)),
    )


def _known(conn: Connection, page_id: int, psids: Sequence[str]) -> dict[str, int]:
    """psid → contact id of those the Page knows; all PSIDs travel as one JSON array (they are digits)."""
    listed = '["' + '","'.join(psids) + '"]' if psids else "[]"
    sql = (
        "SELECT c.psid, c.id FROM json_each(?) j CROSS JOIN contact c ON c.page_id = ? AND c.psid = j.value"
        if conn.dialect.name == "sqlite"
        else "SELECT c.psid, c.id FROM jsonb_array_elements_text(CAST(%s AS JSONB)) j(psid) "
        "JOIN contact c ON c.page_id = %s AND c.psid = j.psid"
    )
    return {row[0]: row[1] for row in conn.exec_driver_sql(sql, (listed, page_id))}


def _ids_for(conn: Connection, count: int) -> list[int]:
    """Ids for new people, so that everything that hangs on them is written without looking them up."""
    if conn.dialect.name == "sqlite":
        highest = conn.exec_driver_sql("SELECT COALESCE(max(id), 0) FROM contact").scalar_one()
        return list(range(highest + 1, highest + 1 + count))
    given = conn.exec_driver_sql(
        "SELECT nextval(pg_get_serial_sequence('contact', 'id')) FROM generate_series(1, %s)", (count,)
    )
    return list(given.scalars())


def _label_ids(conn: Connection, page_id: int, cells: Iterable[str | None]) -> dict[str, list[int]]:
    """Label cell → ids of its labels, made where they do not exist yet."""
    named = {cell: sorted({name.strip() for name in cell.split(";")} - {""}) for cell in set(cells) if cell}
    wanted = sorted({name for names in named.values() for name in names})
    if not wanted:
        return {}
    query = select(LABELS.c.name, LABELS.c.id).where(LABELS.c.page_id == page_id)
    known: dict[str, int] = {row.name: row.id for row in conn.execute(query)}
    if missing := [name for name in wanted if name not in known]:
        conn.execute(insert(LABELS), [{"page_id": page_id, "name": name} for name in missing])
        known = {row.name: row.id for row in conn.execute(query)}
    return {cell: [known[name] for name in names] for cell, names in named.items()}


def _labelled(
    labels: Mapping[str, Sequence[int]], cells: Sequence[str | None], ids: Sequence[int]
) -> dict[int, list[int]]:
    """Label id → ids of those who carry it, both rising as the table keeps them."""
    alike: dict[str, list[int]] = {}
    for cell, id_ in zip(cells, ids, strict=False):
        if cell:
            alike.setdefault(cell, []).append(id_)
    found: dict[int, list[int]] = {}
    for cell, people in alike.items():
        for label in labels.get(cell, ()):
            found.setdefault(label, []).extend(people)
    return {label: sorted(found[label]) for label in sorted(found)}


def _label(conn: Connection, table: str, labelled: Mapping[int, Sequence[int]]) -> None:
    """Put each label on its people; on SQLite they travel as one JSON array, which it takes apart itself."""
    if conn.dialect.name == "sqlite":
        sql = f"INSERT INTO {table} (label_id, contact_id) SELECT ?, value FROM json_each(?)"
        for label, people in labelled.items():
            conn.exec_driver_sql(sql, (label, str(list(people))))
        return
    pairs = ((label, one) for label, people in labelled.items() for one in people)
    _insert(conn, table, ("label_id", "contact_id"), pairs)


def _create(
    conn: Connection,
    page_id: int,
    batch: Batch,
    ids: Sequence[int],
    labels: dict[str, list[int]],
    at: int,
    run: int,
) -> None:
    values = dict(batch.values)
    opted = values.pop("opted_out", None) or [None] * len(ids)
    acted = values.pop("last_interaction_at", None) or [None] * len(ids)
    by = [None if when is None else "import" for when in acted]
    columns: dict[str, Iterable[Any]] = {
        "id": ids, "psid": batch.psids, **values,
        "opted_out": map(bool, opted), "opted_out_at": [at if out else None for out in opted],
        "last_interaction_at": acted, "last_interaction_source": by, "last_interaction_kind": by,
    }  # fmt: skip
    same: dict[str, str | int] = {
        "page_id": page_id, "unreachable": False, "source": "import", "created_at": at, "updated_at": at,
        "import_id": run,
    }  # fmt: skip
    _insert(conn, "contact", tuple(columns), zip(*columns.values(), strict=True), same)
    if any(by):
        conn.exec_driver_sql(
            "INSERT INTO interaction (page_id, contact_id, kind, at, source) "
            f"SELECT page_id, id, 'import', last_interaction_at, 'import' FROM contact "
            f"WHERE id BETWEEN {ids[0]} AND {ids[-1]} AND import_id = {int(run)} AND last_interaction_at IS NOT NULL"
        )
    _label(conn, "contact_label", _labelled(labels, batch.labels, ids))
    loose = [(id_, given) for id_, given in zip(ids, batch.loose, strict=False) if given is not None]
    _insert(conn, "contact_attributes", ("contact_id", "values"), loose)
    _insert(
        conn,
        "opt_record",
        ("contact_id", "opted_out", "at", "source", "reason", "actor"),
        [(id_, True, at, "import", OPT_OUT_REASON, "import") for id_ in compress(ids, opted)],
    )


def _insert(
    conn: Connection,
    table: str,
    columns: Sequence[str],
    rows: Iterable[tuple[Any, ...]],
    same: Mapping[str, str | int] = {},
) -> None:
    """Many rows at once as the driver likes it best: executemany, or COPY on PostgreSQL.

    Both take rows one by one, so that a batch is never laid out a second time.
    ``same``: what stands in every row, words of our own without quotes.
    """
    driver: Any = conn.connection.driver_connection
    names = ", ".join(f'"{name}"' for name in (*columns, *same))
    if conn.dialect.name == "sqlite":
        places = ", ".join(
            (
                *"?" * len(columns),
                *(repr(value).upper() if isinstance(value, bool) else repr(value) for value in same.values()),
            )
        )
        driver.executemany(f"INSERT INTO {table} ({names}) VALUES ({places})", rows)
        return
    rest = tuple(same.values())
    with driver.cursor() as cursor, cursor.copy(f"COPY {table} ({names}) FROM STDIN") as copy:
        for row in rows:
            copy.write_row((*row, *rest))


def _stage(conn: Connection, batch: Batch, ids: Sequence[int], labels: dict[str, list[int]]) -> None:
    """Put known people's new values beside them."""
    types = {"contact_id": "BIGINT PRIMARY KEY", "opted_out": "BOOLEAN", "last_interaction_at": "BIGINT"}
    if conn.dialect.name == "sqlite":
        types["contact_id"] = "INTEGER PRIMARY KEY"
    columns = ", ".join(
        f"{name} {types.get(name, 'DOUBLE PRECISION' if name in NUMBER_SLOTS else 'TEXT')}"
        for name in _STAGED
    )
    for table, definition in (
        ("import_stage", columns),
        ("import_stage_label", "label_id BIGINT, contact_id BIGINT, PRIMARY KEY (contact_id, label_id)"),
    ):
        conn.exec_driver_sql(f"CREATE TEMPORARY TABLE IF NOT EXISTS {table} ({definition})")
        conn.exec_driver_sql(f"DELETE FROM {table}")
    given: dict[str, Iterable[Any]] = {"contact_id": ids, **batch.values}
    if batch.loose:
        given["loose"] = batch.loose
    _insert(conn, "import_stage", tuple(given), zip(*given.values(), strict=True))
    _label(conn, "import_stage_label", _labelled(labels, batch.labels, ids))


def _keep_changed(conn: Connection, label_mode: str) -> int:
    """Take out of the stage who would stay the same; returns how many are left."""
    differs = [f"(s.{name} IS NOT NULL AND c.{name} IS DISTINCT FROM s.{name})" for name in PLAIN]
    differs += [
        "(s.opted_out AND NOT c.opted_out)",
        "(s.last_interaction_at > COALESCE(c.last_interaction_at, -1))",
        "EXISTS (SELECT 1 FROM import_stage_label l WHERE l.contact_id = s.contact_id AND NOT EXISTS "
        "(SELECT 1 FROM contact_label k WHERE k.label_id = l.label_id AND k.contact_id = c.id))",
        f"(s.loose IS NOT NULL AND COALESCE((SELECT {_merged(conn)} FROM contact_attributes a "
        "WHERE a.contact_id = c.id), TRUE))",
    ]
    if label_mode != "add":
        differs.append(
            "EXISTS (SELECT 1 FROM contact_label k WHERE k.contact_id = c.id AND NOT EXISTS (SELECT 1 FROM "
            "import_stage_label l WHERE l.contact_id = s.contact_id AND l.label_id = k.label_id))"
            + (f" AND {_HAS_LABELS}" if label_mode == "update" else "")
        )
    condition = " OR ".join(f"({one})" for one in differs)
    if conn.dialect.name == "sqlite":
        condition = condition.replace("IS DISTINCT FROM", "IS NOT")
    conn.exec_driver_sql(
        "DELETE FROM import_stage WHERE contact_id NOT IN "
        f"(SELECT s.contact_id FROM import_stage s JOIN contact c ON c.id = s.contact_id WHERE {condition})"
    )
    left: int = conn.exec_driver_sql("SELECT count(*) FROM import_stage").scalar_one()
    return left


_HAS_LABELS = "EXISTS (SELECT 1 FROM import_stage_label h WHERE h.contact_id = s.contact_id)"


def _change(conn: Connection, page_id: int, label_mode: str, at: int, run: int) -> None:
    """Note how it was before, then lay what is staged over it."""
    _note_before(conn, run)
    _append_happenings(conn, page_id, at)
    _update(conn, at)
    _apply_labels(conn, label_mode)
    _apply_loose(conn)


def _note_before(conn: Connection, run: int) -> None:
    """How changed people stood, as JSON with their labels: what an undo puts back."""
    lite = conn.dialect.name == "sqlite"
    build = "json_object" if lite else "json_build_object"
    columns = ", ".join(f"'{name}', c.{name}" for name in BEFORE)
    gather = "json_group_array(k.label_id)" if lite else "json_agg(k.label_id)"
    labels = f"(SELECT {gather} FROM contact_label k WHERE k.contact_id = c.id)"
    kept = 'json(a."values")' if lite else 'a."values"'
    loose = f"(SELECT {kept} FROM contact_attributes a WHERE a.contact_id = c.id)"
    conn.exec_driver_sql(
        f"INSERT INTO import_change (import_id, contact_id, before) SELECT {int(run)}, c.id, "
        f"{build}({columns}, 'labels', {labels}, 'loose', {loose}) "
        "FROM import_stage s JOIN contact c ON c.id = s.contact_id"
    )


def _append_happenings(conn: Connection, page_id: int, at: int) -> None:
    """Interactions that move a window, opt-outs that are new."""
    people = "FROM import_stage s JOIN contact c ON c.id = s.contact_id"
    conn.exec_driver_sql(
        "INSERT INTO interaction (page_id, contact_id, kind, at, source) "
        f"SELECT {int(page_id)}, c.id, 'import', s.last_interaction_at, 'import' {people} "
        "WHERE s.last_interaction_at > COALESCE(c.last_interaction_at, -1)"
    )
    conn.exec_driver_sql(
        "INSERT INTO opt_record (contact_id, opted_out, at, source, reason, actor) "
        f"SELECT c.id, TRUE, {at}, 'import', '{OPT_OUT_REASON}', 'import' {people} "
        "WHERE s.opted_out AND NOT c.opted_out"
    )


def _update(conn: Connection, at: int) -> None:
    newer = "s.last_interaction_at > COALESCE(contact.last_interaction_at, -1)"
    sets = [f"{name} = COALESCE(s.{name}, contact.{name})" for name in PLAIN]
    sets += [
        f"opted_out_at = CASE WHEN s.opted_out AND NOT contact.opted_out THEN {at} ELSE contact.opted_out_at END",
        "opted_out = (contact.opted_out OR COALESCE(s.opted_out, FALSE))",
        *(
            f"{column} = CASE WHEN {newer} THEN {value} ELSE contact.{column} END"
            for column, value in (
                ("last_interaction_source", "'import'"),
                ("last_interaction_kind", "'import'"),
                ("last_interaction_at", "s.last_interaction_at"),
            )
        ),
        f"updated_at = {at}",
    ]
    conn.exec_driver_sql(
        f"UPDATE contact SET {', '.join(sets)} FROM import_stage s WHERE contact.id = s.contact_id"
    )


def _apply_labels(conn: Connection, label_mode: str) -> None:
    if label_mode != "add":
        whose = f" WHERE {_HAS_LABELS}" if label_mode == "update" else ""
        conn.exec_driver_sql(
            f"DELETE FROM contact_label WHERE contact_id IN (SELECT s.contact_id FROM import_stage s{whose}) "
            "AND NOT EXISTS (SELECT 1 FROM import_stage_label l WHERE l.contact_id = contact_label.contact_id "
            "AND l.label_id = contact_label.label_id)"
        )
    conn.exec_driver_sql(
        "INSERT INTO contact_label (label_id, contact_id) SELECT l.label_id, l.contact_id "
        "FROM import_stage_label l JOIN import_stage s ON s.contact_id = l.contact_id "
        "WHERE TRUE ON CONFLICT DO NOTHING"
    )


def _merged(conn: Connection) -> str:
    """Would laying the staged attributes over the kept ones change them? (``a`` is the kept row)"""
    if conn.dialect.name == "sqlite":
        return 'json_patch(a."values", s.loose) IS NOT json(a."values")'
    return '(CAST(a."values" AS JSONB) || CAST(s.loose AS JSONB)) IS DISTINCT FROM CAST(a."values" AS JSONB)'


def _apply_loose(conn: Connection) -> None:
    if conn.dialect.name == "sqlite":
        given, merged = "s.loose", 'json_patch(contact_attributes."values", excluded."values")'
    else:
        given = "CAST(s.loose AS JSON)"
        merged = (
            'CAST(CAST(contact_attributes."values" AS JSONB) || CAST(excluded."values" AS JSONB) AS JSON)'
        )
    conn.exec_driver_sql(
        f'INSERT INTO contact_attributes (contact_id, "values") SELECT s.contact_id, {given} FROM import_stage s '
        "WHERE s.loose IS NOT NULL "
        f'ON CONFLICT (contact_id) DO UPDATE SET "values" = {merged}'
    )
