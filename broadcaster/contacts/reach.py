"""People whom the platform cannot reach: marked by the sender, back by themselves when they write."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import Connection, update

from broadcaster.store.tables import Contact

CONTACTS = Contact.__table__  # type: ignore[attr-defined]


def mark_unreachable(conn: Connection, contact_ids: Sequence[int], text: str, at: datetime) -> None:
    """The platform said that these people cannot receive messages (``text``: why, in words)."""
    for start in range(0, len(contact_ids), 500):
        conn.execute(
            update(CONTACTS)
            .where(CONTACTS.c.id.in_(contact_ids[start : start + 500]))
            .values(unreachable=True, unreachable_at=at, unreachable_text=text)
        )
