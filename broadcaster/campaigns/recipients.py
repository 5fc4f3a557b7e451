"""The values of people that a message's placeholders ask for, many people at once."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import Connection, select

from broadcaster.contacts.attributes import definitions
from broadcaster.store.tables import Contact, ContactAttributes

CONTACTS = Contact.__table__  # type: ignore[attr-defined]
ATTRIBUTES = ContactAttributes.__table__  # type: ignore[attr-defined]


def personal_values(
    conn: Connection, page_id: int, contact_ids: Sequence[int], fields: Sequence[str]
) -> dict[int, dict[str, str | None]]:
    """Contact id → placeholder key → text as a person reads it (None where there is no value).

    ``fields`` are keys such as ``first_name`` or ``attribute.city``. One query, at most two.
    """
    known = definitions(conn, page_id) if any(field.startswith("attribute.") for field in fields) else {}
    slots: dict[str, str] = {}
    loose: list[str] = []
    for field in fields:
        name = field.removeprefix("attribute.")
        if not field.startswith("attribute."):
            slots[field] = field
        elif name in known and known[name].slot:
            slots[field] = str(known[name].slot)
        else:
            loose.append(field)
    columns = [CONTACTS.c[column].label(None) for column in slots.values()]
    rows = conn.execute(select(CONTACTS.c.id, *columns).where(CONTACTS.c.id.in_(contact_ids)))
    values: dict[int, dict[str, str | None]] = {
        row[0]: dict(zip(slots, map(readable, row[1:]), strict=True)) for row in rows
    }
    if loose:
        _add_loose(conn, values, loose)
    return values


def _add_loose(conn: Connection, values: dict[int, dict[str, str | None]], fields: Sequence[str]) -> None:
    """Attributes without a slot stand in the JSON beside the person."""
    query = select(ATTRIBUTES).where(ATTRIBUTES.c.contact_id.in_(list(values)))
    given = {row.contact_id: row.values for row in conn.execute(query)}
    for contact_id, found in values.items():
        for field in fields:
            found[field] = readable(given.get(contact_id, {}).get(field.removeprefix("attribute.")))


def readable(value: object) -> str | None:
    """A stored value as text: whole numbers without a decimal point."""
    if value is None or value == "":
        return None
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    return str(value)
