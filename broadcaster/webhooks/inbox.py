"""The inbox: events are stored durably, once each, before the platform is told that they arrived."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection, delete, func, or_, select
from sqlalchemy.dialects import postgresql, sqlite

from broadcaster.store.tables import WebhookEvent
from broadcaster.webhooks.events import InboundEvent

EVENTS = WebhookEvent.__table__  # type: ignore[attr-defined]
_STORING = {
    dialect.dialect.name: dialect.insert(EVENTS).on_conflict_do_nothing(index_elements=["key"])
    for dialect in (sqlite, postgresql)
}

KEPT = timedelta(days=14)
KEPT_FAILED = timedelta(days=90)


@dataclass(frozen=True, slots=True)
class InboxState:
    """``waiting``: stored, not applied yet. ``failed``: could not be applied, kept with the reason."""

    stored: int
    waiting: int
    failed: int
    last_received_at: datetime | None


def store_events(conn: Connection, events: Sequence[InboundEvent], now: datetime) -> int:
    """Store events that are not there yet; returns how many were new. One statement for all."""
    if not events:
        return 0
    unique = {event.key: event for event in events}
    return conn.execute(_STORING[conn.dialect.name], [_row(event, now) for event in unique.values()]).rowcount


def state(conn: Connection) -> InboxState:
    """How the inbox stands, for the health of a Page and the window."""
    row = conn.execute(
        select(
            func.count().label("stored"),
            func.count().filter(EVENTS.c.applied_at.is_(None)).label("waiting"),
            func.count().filter(EVENTS.c.error.is_not(None)).label("failed"),
            func.max(EVENTS.c.received_at).label("newest"),
        )
    ).one()
    return InboxState(row.stored, row.waiting, row.failed, row.newest)


def tidy(conn: Connection, now: datetime) -> int:
    """Delete what was applied long ago: repeats no longer come, and old messages need not lie about.

    Events that could not be applied stay longer, for whoever looks into them. Returns how many went.
    """
    old = or_(
        (EVENTS.c.received_at < now - KEPT) & EVENTS.c.error.is_(None),
        EVENTS.c.received_at < now - KEPT_FAILED,
    )
    return conn.execute(delete(EVENTS).where(EVENTS.c.applied_at.is_not(None), old)).rowcount


def _row(event: InboundEvent, now: datetime) -> dict[str, Any]:
    return {
        "graph_page_id": event.graph_page_id,
        "kind": event.kind.value,
        "key": event.key,
        "psid": event.psid,
        "at": event.at,
        "received_at": now,
        "body": event.body,
    }
