"""A campaign over time: how many messages were accepted, delivered, read and answered by each moment."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import BigInteger, Connection, case, func, select, type_coerce

from broadcaster.clock import from_epoch_ms
from broadcaster.store.tables import Delivery, ReceiptMark

ROWS = Delivery.__table__  # type: ignore[attr-defined]
MARKS = ReceiptMark.__table__  # type: ignore[attr-defined]

STEPS = 60
"""Moments a line has at most."""


@dataclass(frozen=True, slots=True)
class Line:
    """Running totals of ``sent``, ``delivered``, ``read`` or ``replied``: (instant, how many by then)."""

    name: str
    points: Sequence[tuple[datetime, int]]


def timeline(conn: Connection, campaign_id: int) -> list[Line]:
    """Four lines over the same moments, or none before the first message was accepted.

    A receipt that holds for everything before it has no instant per message: its own instant stands,
    the latest it can have been.
    """
    accepted = (ROWS.c.campaign_id == campaign_id, ROWS.c.sent_at.is_not(None))
    moments = _moments()
    ends = [bound(_ms(moment)) for moment in moments.values() for bound in (func.min, func.max)]
    found = conn.execute(select(*ends).select_from(_joined()).where(*accepted)).one()
    known = [value for value in found if value is not None]
    if not known:
        return []
    first, step = min(known), max(1, -(-(max(known) - min(known)) // STEPS))
    last = (max(known) - first) // step
    lines = []
    for name, moment in moments.items():
        bucket = ((_ms(moment) - first) // step).label("bucket")
        query = (
            select(bucket, func.count())
            .select_from(_joined())
            .where(*accepted, moment.is_not(None))
            .group_by(bucket)
        )
        lines.append(Line(name, _running(dict(map(tuple, conn.execute(query))), first, step, last)))
    return lines


def _running(counts: dict[int, int], first: int, step: int, last: int) -> list[tuple[datetime, int]]:
    """From counts per bucket to totals at the end of each, beginning with none."""
    points, total = [(from_epoch_ms(first), 0)], 0
    for bucket in range(last + 1):
        total += counts.get(bucket, 0)
        points.append((from_epoch_ms(first + (bucket + 1) * step), total))
    return points


def _moments() -> dict[str, Any]:
    read = func.coalesce(
        ROWS.c.read_at, case((ROWS.c.intent_at <= MARKS.c.read_until, MARKS.c.read_until), else_=None)
    )
    below = case((ROWS.c.intent_at <= MARKS.c.delivered_until, MARKS.c.delivered_until), else_=None)
    return {
        "sent": ROWS.c.sent_at,
        "delivered": func.coalesce(ROWS.c.delivered_at, below, read),
        "read": read,
        "replied": ROWS.c.replied_at,
    }


def _joined() -> Any:
    return ROWS.outerjoin(MARKS, MARKS.c.contact_id == ROWS.c.contact_id)


def _ms(moment: Any) -> Any:
    return type_coerce(moment, BigInteger)
