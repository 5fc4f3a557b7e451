"""Privacy requests: everything held about one person, as JSON; or erased, the ledger's counts kept."""

from __future__ import annotations

import uuid
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Table, delete, select, update

from broadcaster.audit.log import record
from broadcaster.clock import iso
from broadcaster.contacts.people import person
from broadcaster.store.tables import Contact, metadata
from broadcaster.store.tables.contact import NUMBER_SLOTS, TEXT_SLOTS

CONTACTS = Contact.__table__  # type: ignore[attr-defined]
ABOUT = ("interaction", "opt_record", "receipt_mark", "delivery", "blocked_recipient")
"""Tables whose rows about a person are given out."""
FORGOTTEN = (
    "interaction", "opt_record", "receipt_mark", "contact_label", "contact_attributes", "audience_member",
    "import_change",
)  # fmt: skip
"""Tables whose rows about a person go; the ledger's stay, under a pseudonym."""


def export_person(conn: Connection, contact_id: int) -> dict[str, Any]:
    """Everything held about one person, as plain JSON. Raises NotFound."""
    known = person(conn, contact_id)
    document: dict[str, Any] = {
        "psid": known.row.psid,
        "labels": list(known.row.labels),
        "attributes": known.row.attributes,
        "facts": _plain(conn, CONTACTS, "id", contact_id)[0],
    }
    for name in ABOUT:
        document[name] = _plain(conn, metadata.tables[name], "contact_id", contact_id)
    events = metadata.tables["webhook_event"]
    if "psid" in events.c:
        document["webhook_event"] = _plain(conn, events, "psid", known.row.psid)
    return document


def erase_person(conn: Connection, contact_id: int, actor: str, at: datetime) -> None:
    """Erase a person: who they are, what they did, what they were sent. Counts stay under a pseudonym."""
    known = person(conn, contact_id)
    for name in FORGOTTEN:
        table = metadata.tables[name]
        conn.execute(delete(table).where(table.c.contact_id == contact_id))
    for name in ("webhook_event", "test_send"):
        table = metadata.tables[name]
        if "psid" in table.c:
            conn.execute(delete(table).where(table.c.psid == known.row.psid))
    deliveries = metadata.tables["delivery"]
    conn.execute(
        update(deliveries)
        .where(deliveries.c.contact_id == contact_id)
        .values(text_hash=None, error_text=None)
    )
    pseudonym = f"erased-{uuid.uuid4().hex[:16]}"
    emptied = dict.fromkeys(
        ("first_name", "last_name", "locale", "timezone", "entry_ref", "last_interaction_at", "last_message_at",
         "last_interaction_source", "last_interaction_kind", "ad_window_until", "unreachable_text",
         *TEXT_SLOTS, *NUMBER_SLOTS)
    )  # fmt: skip
    conn.execute(
        update(CONTACTS)
        .where(CONTACTS.c.id == contact_id)
        .values(**emptied, psid=pseudonym, opted_out=True, opted_out_at=at, erased_at=at, updated_at=at)
    )
    record(conn, at=at, actor=actor, action="person erased", subject_kind="contact", subject=pseudonym)


def _plain(conn: Connection, table: Table, column: str, value: Any) -> list[dict[str, Any]]:
    rows = conn.execute(select(table).where(table.c[column] == value))
    return [
        {name: iso(item) if isinstance(item, datetime) else item for name, item in row._mapping.items()}
        for row in rows
    ]
