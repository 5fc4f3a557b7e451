"""Receipts quicker than our own result: kept by message id until the row knows its id."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import Connection, Row, delete, func, select
from sqlalchemy.dialects import postgresql, sqlite

from broadcaster.queue import evidence, ledger
from broadcaster.queue.prepared import PreparedQuery
from broadcaster.states import DeliveryState
from broadcaster.store.tables import EarlyReceipt

_UNKNOWN = datetime(1970, 1, 1, tzinfo=UTC)
EARLY = EarlyReceipt.__table__  # type: ignore[attr-defined]
_ANY = PreparedQuery(select(EARLY.c.message_id).limit(1))


def keep(conn: Connection, column: str, rows: Sequence[tuple[str, datetime | None]]) -> None:
    """Note (message id, instant) under ``delivered_at`` or ``read_at``; the first instant stays.

    An unknown instant becomes 0, so that the fact itself is not lost."""
    if not rows:
        return
    insert = postgresql.insert if conn.dialect.name == "postgresql" else sqlite.insert
    statement = insert(EARLY)
    statement = statement.on_conflict_do_update(
        index_elements=[EARLY.c.message_id],
        set_={column: func.coalesce(EARLY.c[column], statement.excluded[column])},
    )
    conn.execute(statement, [{"message_id": mid, column: at or _UNKNOWN} for mid, at in rows])


def catch_up(conn: Connection, message_ids: Sequence[str]) -> None:
    """Apply what came early for messages whose ids are known now."""
    if not message_ids or not _ANY.rows(conn):
        return
    found: list[Row[Any]] = []
    for part in ledger.chunks(message_ids):
        found += conn.execute(select(EARLY).where(EARLY.c.message_id.in_(part))).all()
    evidence.lift(
        conn,
        DeliveryState.DELIVERED,
        [(row.message_id, row.delivered_at) for row in found if row.delivered_at],
    )
    evidence.lift(conn, DeliveryState.READ, [(row.message_id, row.read_at) for row in found if row.read_at])
    for part in ledger.chunks([row.message_id for row in found]):
        conn.execute(delete(EARLY).where(EARLY.c.message_id.in_(part)))


def forget(conn: Connection) -> None:
    """Drop what nobody can claim any more: called when nothing is on the wire or in doubt."""
    conn.execute(delete(EARLY))
