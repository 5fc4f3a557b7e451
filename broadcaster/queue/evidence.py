"""What the platform shows of our messages lifts their ledger rows: an echo, a receipt by message id.

Evidence outranks who holds a row and only moves up; what was noted of a failure or a doubt stays beside it.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Column, Connection, bindparam, func, update

from broadcaster.clock import epoch_ms
from broadcaster.queue.ledger import FREE, ROWS, moving, note_proven
from broadcaster.queue.prepared import Prepared
from broadcaster.states import DeliveryState

_seen = (ROWS.c.id == bindparam("b_id"), ROWS.c.attempt >= bindparam("b_attempt"))
_ECHOING = Prepared(
    moving(DeliveryState.SENT)
    .where(*_seen)
    .values(**FREE, sent_at=bindparam("b_at"), message_id=bindparam("b_mid")),
    "b_id", "b_attempt", "b_mid", "b_at",
)  # fmt: skip
_NAMING = Prepared(
    update(ROWS).where(*_seen, ROWS.c.message_id.is_(None)).values(message_id=bindparam("b_mid")),
    "b_id", "b_attempt", "b_mid",
)  # fmt: skip


def _lifting(to: DeliveryState, column: Column[Any]) -> Prepared:
    at = bindparam("b_at", type_=column.type)
    values = {
        column.name: func.coalesce(at, ROWS.c.sent_at, ROWS.c.intent_at),
        "sent_at": func.coalesce(ROWS.c.sent_at, at, ROWS.c.intent_at),
    }
    statement = moving(to).where(ROWS.c.message_id == bindparam("b_mid")).values({**FREE, **values})
    return Prepared(statement, "b_mid", "b_at")


_LIFTING = {
    DeliveryState.DELIVERED: _lifting(DeliveryState.DELIVERED, ROWS.c.delivered_at),
    DeliveryState.READ: _lifting(DeliveryState.READ, ROWS.c.read_at),
}


def echo(conn: Connection, rows: Sequence[tuple[int, int, str, datetime]]) -> None:
    """Our own message seen on the platform: (id, attempt, message id, instant). Any attempt proves it sent."""
    if not rows:
        return
    if _ECHOING.run(conn, [(id_, attempt, mid, epoch_ms(at)) for id_, attempt, mid, at in rows]):
        note_proven(conn, [id_ for id_, _, _, _ in rows])
    _NAMING.run(conn, [(id_, attempt, mid) for id_, attempt, mid, _ in rows])


def lift(conn: Connection, to: DeliveryState, rows: Sequence[tuple[str, datetime | None]]) -> None:
    """Receipts by message id: (message id, instant). Only upwards; an unknown instant is that of the send."""
    if rows:
        _LIFTING[to].run(conn, [(mid, None if at is None else epoch_ms(at)) for mid, at in rows])
