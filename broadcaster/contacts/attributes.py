"""Custom attributes of a Page's people: names, types, and the slots that hold them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from sqlalchemy import Connection, insert, select

from broadcaster.contacts.columns import AttributeDef
from broadcaster.states import AttributeType
from broadcaster.store.tables import AttributeDefinition
from broadcaster.store.tables.contact import NUMBER_SLOTS, TEXT_SLOTS

__all__ = ["AttributeDef", "define", "definitions"]

DEFINITIONS = AttributeDefinition.__table__  # type: ignore[attr-defined]


def definitions(conn: Connection, page_id: int) -> dict[str, AttributeDef]:
    """Name → definition, in the order they were first seen."""
    query = select(DEFINITIONS).where(DEFINITIONS.c.page_id == page_id).order_by(DEFINITIONS.c.id)
    return {
        row.name: AttributeDef(row.name, AttributeType(row.type), row.slot) for row in conn.execute(query)
    }


def define(conn: Connection, page_id: int, wanted: Mapping[str, AttributeType]) -> dict[str, AttributeDef]:
    """Add what is not defined yet, giving free slots in order; returns all definitions."""
    known = definitions(conn, page_id)
    for name, type_ in wanted.items():
        if name in known:
            continue
        slot = _free_slot(type_, known.values())
        conn.execute(insert(DEFINITIONS).values(page_id=page_id, name=name, type=type_, slot=slot))
        known[name] = AttributeDef(name, type_, slot)
    return known


def _free_slot(type_: AttributeType, known: Iterable[AttributeDef]) -> str | None:
    """Numbers in number slots; text, dates (ISO) and yes/no (``true``/``false``) in text slots."""
    used = {definition.slot for definition in known}
    slots = NUMBER_SLOTS if type_ == AttributeType.NUMBER else TEXT_SLOTS
    return next((slot for slot in slots if slot not in used), None)
