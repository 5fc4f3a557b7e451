"""A batch of an import, set-based: staged beside the people, compared, then created or updated in one go."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, insert, select

from broadcaster.clock import epoch_ms
from broadcaster.store.tables import ContactAttributes, Label
from broadcaster.store.tables.contact import NUMBER_SLOTS, TEXT_SLOTS

LABELS = Label.__table__  # type: ignore[attr-defined]
ATTRIBUTES = ContactAttributes.__table__  # type: ignore[attr-defined]

PLAIN = ("first_name", "last_name", "locale", "timezone", *TEXT_SLOTS, *NUMBER_SLOTS)
STAGED = ("psid", "opted_out", "last_interaction_at", "loose", *PLAIN)
"""Columns of a staged row, in the order of the tuples given to ``stage``."""
BEFORE = (
    *PLAIN,
    "opted_out",
    "opted_out_at",
    "last_interaction_at",
    "last_interaction_source",
    "last_interaction_kind",
)


@dataclass(frozen=True, slots=True)
class BatchResult:
    created: int
    updated: int
    unchanged: int


def stage(conn: Connection, rows: Sequence[tuple[Any, ...]], labels: Sequence[tuple[str, int]]) -> None:
    """Put a batch beside the people: rows in the order of STAGED, and (psid, label id) pairs."""
    types = {"opted_out": "BOOLEAN", "last_interaction_at": "BIGINT"}
    columns = ", ".join(
        f"{name} {types.get(name, 'DOUBLE PRECISION' if name in NUMBER_SLOTS else 'TEXT')}"
        for name in STAGED[1:]
    )
    for table, definition in (
        ("import_stage", f"psid TEXT PRIMARY KEY, {columns}, contact_id BIGINT, verdict TEXT"),
        ("import_stage_label", "psid TEXT, label_id BIGINT, PRIMARY KEY (psid, label_id)"),
    ):
        conn.exec_driver_sql(f"CREATE TEMPORARY TABLE IF NOT EXISTS {table} ({definition})")
        conn.exec_driver_sql(f"DELETE FROM {table}")
    mark = "?" if conn.dialect.name == "sqlite" else "%s"
    places = ", ".join([mark] * len(STAGED))
    conn.exec_driver_sql(f"INSERT INTO import_stage ({', '.join(STAGED)}) VALUES ({places})", list(rows))
    if labels:
        conn.exec_driver_sql(
            f"INSERT INTO import_stage_label (psid, label_id) VALUES ({mark}, {mark}) ON CONFLICT DO NOTHING",
            list(labels),
        )


def compare(conn: Connection, page_id: int, label_mode: str) -> BatchResult:
    """Find out who is new, who would change and who not."""
    conn.exec_driver_sql(
        "UPDATE import_stage SET contact_id = "
        f"(SELECT c.id FROM contact c WHERE c.page_id = {int(page_id)} AND c.psid = import_stage.psid)"
    )
    differs = [f"(s.{name} IS NOT NULL AND c.{name} IS DISTINCT FROM s.{name})" for name in PLAIN]
    differs += [
        "(s.opted_out AND NOT c.opted_out)",
        "(s.last_interaction_at > COALESCE(c.last_interaction_at, -1))",
        "EXISTS (SELECT 1 FROM import_stage_label l WHERE l.psid = s.psid AND NOT EXISTS "
        "(SELECT 1 FROM contact_label k WHERE k.label_id = l.label_id AND k.contact_id = c.id))",
        f"(s.loose IS NOT NULL AND COALESCE((SELECT {_merged(conn)} FROM contact_attributes a "
        "WHERE a.contact_id = c.id), TRUE))",
    ]
    if label_mode == "replace":
        differs.append(
            "EXISTS (SELECT 1 FROM contact_label k WHERE k.contact_id = c.id AND NOT EXISTS "
            "(SELECT 1 FROM import_stage_label l WHERE l.psid = s.psid AND l.label_id = k.label_id))"
        )
    conn.exec_driver_sql(
        "UPDATE import_stage SET verdict = CASE WHEN contact_id IS NULL THEN 'new' ELSE 'same' END"
    )
    condition = " OR ".join(differs)
    if conn.dialect.name == "sqlite":
        condition = condition.replace("IS DISTINCT FROM", "IS NOT")
    conn.exec_driver_sql(
        "UPDATE import_stage SET verdict = 'changed' WHERE verdict = 'same' AND psid IN "
        f"(SELECT s.psid FROM import_stage s JOIN contact c ON c.id = s.contact_id WHERE {condition})"
    )
    found = conn.exec_driver_sql("SELECT verdict, count(*) FROM import_stage GROUP BY verdict")
    counts: dict[str, int] = {row[0]: row[1] for row in found}
    return BatchResult(counts.get("new", 0), counts.get("changed", 0), counts.get("same", 0))


def apply(conn: Connection, page_id: int, import_id: int, label_mode: str, now: datetime) -> None:
    """Create, update, note how it was before, append the interactions that move a window."""
    at, page, run = epoch_ms(now), int(page_id), int(import_id)
    _note_before(conn, run)
    kept = ", ".join(PLAIN)
    conn.exec_driver_sql(
        f"INSERT INTO contact (page_id, psid, {kept}, opted_out, opted_out_at, unreachable, last_interaction_at, "
        "last_interaction_source, last_interaction_kind, source, created_at, updated_at) "
        f"SELECT {page}, psid, {kept}, COALESCE(opted_out, FALSE), CASE WHEN opted_out THEN {at} END, FALSE, "
        "last_interaction_at, CASE WHEN last_interaction_at IS NOT NULL THEN 'import' END, "
        f"CASE WHEN last_interaction_at IS NOT NULL THEN 'import' END, 'import', {at}, {at} "
        "FROM import_stage WHERE verdict = 'new'"
    )
    conn.exec_driver_sql(
        "INSERT INTO interaction (page_id, contact_id, kind, at, source) "
        f"SELECT {page}, c.id, 'import', s.last_interaction_at, 'import' FROM import_stage s "
        f"JOIN contact c ON c.page_id = {page} AND c.psid = s.psid "
        "WHERE s.last_interaction_at IS NOT NULL AND (s.verdict = 'new' OR (s.verdict = 'changed' "
        "AND s.last_interaction_at > COALESCE(c.last_interaction_at, -1)))"
    )
    _update(conn, at)
    conn.exec_driver_sql(
        "UPDATE import_stage SET contact_id = "
        f"(SELECT c.id FROM contact c WHERE c.page_id = {page} AND c.psid = import_stage.psid) WHERE verdict = 'new'"
    )
    conn.exec_driver_sql(
        f"INSERT INTO import_change (import_id, contact_id) SELECT {run}, contact_id FROM import_stage "
        "WHERE verdict = 'new'"
    )
    _apply_labels(conn, label_mode)
    _apply_loose(conn)


def label_ids(conn: Connection, page_id: int, names: Sequence[str]) -> dict[str, int]:
    """Name → id of a Page's labels, made where they do not exist yet."""
    query = select(LABELS.c.name, LABELS.c.id).where(LABELS.c.page_id == page_id)
    known: dict[str, int] = {row.name: row.id for row in conn.execute(query)}
    if missing := [name for name in dict.fromkeys(names) if name not in known]:
        conn.execute(insert(LABELS), [{"page_id": page_id, "name": name} for name in missing])
        known = {row.name: row.id for row in conn.execute(query)}
    return known


def _note_before(conn: Connection, run: int) -> None:
    """How changed people stood, as JSON with their labels: what an undo puts back."""
    build = "json_object" if conn.dialect.name == "sqlite" else "json_build_object"
    columns = ", ".join(f"'{name}', c.{name}" for name in BEFORE)
    gather = "json_group_array(k.label_id)" if conn.dialect.name == "sqlite" else "json_agg(k.label_id)"
    labels = f"(SELECT {gather} FROM contact_label k WHERE k.contact_id = c.id)"
    conn.exec_driver_sql(
        f"INSERT INTO import_change (import_id, contact_id, before) SELECT {run}, c.id, "
        f"{build}({columns}, 'labels', {labels}) FROM import_stage s JOIN contact c ON c.id = s.contact_id "
        "WHERE s.verdict = 'changed'"
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
        f"UPDATE contact SET {', '.join(sets)} FROM import_stage s WHERE contact.id = s.contact_id "
        "AND s.verdict = 'changed'"
    )


def _apply_labels(conn: Connection, label_mode: str) -> None:
    if label_mode == "replace":
        conn.exec_driver_sql(
            "DELETE FROM contact_label WHERE contact_id IN (SELECT contact_id FROM import_stage) AND NOT EXISTS "
            "(SELECT 1 FROM import_stage s JOIN import_stage_label l ON l.psid = s.psid "
            "WHERE s.contact_id = contact_label.contact_id AND l.label_id = contact_label.label_id)"
        )
    conn.exec_driver_sql(
        "INSERT INTO contact_label (label_id, contact_id) SELECT l.label_id, s.contact_id "
        "FROM import_stage_label l JOIN import_stage s ON s.psid = l.psid WHERE TRUE ON CONFLICT DO NOTHING"
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
        "WHERE s.loose IS NOT NULL AND s.verdict <> 'same' "
        f'ON CONFLICT (contact_id) DO UPDATE SET "values" = {merged}'
    )
