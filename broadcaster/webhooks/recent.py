"""Do receipts still flow? Asked by whoever waits for the end of a campaign's reports."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import Connection, func, select

from broadcaster.store.tables import Delivery, WebhookEvent

EVENTS = WebhookEvent.__table__  # type: ignore[attr-defined]
DELIVERIES = Delivery.__table__  # type: ignore[attr-defined]


def last_activity(conn: Connection) -> datetime | None:
    """The newest of: a message was accepted, an event was received. None: neither ever happened."""
    sent = conn.execute(select(func.max(DELIVERIES.c.sent_at))).scalar_one_or_none()
    received = conn.execute(select(func.max(EVENTS.c.received_at))).scalar_one_or_none()
    return max((at for at in (sent, received) if at is not None), default=None)


def pending(conn: Connection) -> bool:
    """Is a stored event still to be applied?"""
    query = select(EVENTS.c.id).where(EVENTS.c.applied_at.is_(None), EVENTS.c.error.is_(None)).limit(1)
    return conn.execute(query).first() is not None
