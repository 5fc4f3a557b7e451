"""The facts about one person that the rules ask for, read from the database."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sqlalchemy import Connection, false, select

from broadcaster.errors import NotFound
from broadcaster.policy.clauses import ATTRIBUTES, CONTACTS, DELIVERIES, column_of, flag
from broadcaster.policy.question import Question
from broadcaster.policy.terms import Facts
from broadcaster.states import ACCEPTED_STATES


def facts_of(conn: Connection, q: Question, contact_id: int) -> Facts:
    """Raises NotFound for a person whom the Page of the question does not know."""
    columns = _columns(q)
    row = conn.execute(
        select(
            CONTACTS.c.id,
            *(CONTACTS.c[name] for name in dict.fromkeys((*_ALWAYS, *columns.values())) if name),
            flag(q.audience).label("in_audience"),
            flag(false() if q.excluded is None else q.excluded).label("excluded"),
            flag(false() if q.already is None else q.already).label("already"),
        ).where(CONTACTS.c.id == contact_id, CONTACTS.c.page_id == q.page_id)
    ).one_or_none()
    if row is None:
        raise NotFound(f"The Page knows no person number {contact_id}.", "Check the recipient.")
    sent = conn.execute(
        select(DELIVERIES.c.sent_at).where(
            DELIVERIES.c.contact_id == contact_id,
            DELIVERIES.c.sent_at.is_not(None),
            DELIVERIES.c.state.in_(sorted(ACCEPTED_STATES)),
        )
    )
    return Facts(
        psid=row.psid,
        opted_out=row.opted_out,
        unreachable=row.unreachable,
        excluded=bool(row.excluded),
        last_interaction_at=row.last_interaction_at,
        last_message_at=row.last_message_at,
        ad_window_until=row.ad_window_until,
        timezone=row.timezone,
        values=_values(conn, row, columns),
        sent_at=tuple(sent.scalars()),
        already=bool(row.already),
        in_audience=bool(row.in_audience),
    )


_ALWAYS = (
    "psid",
    "opted_out",
    "unreachable",
    "last_interaction_at",
    "last_message_at",
    "ad_window_until",
    "timezone",
)


def _columns(q: Question) -> dict[str, str | None]:
    """Required field → the column that holds it, None for the JSON beside the person."""
    return {field: column_of(q, field) for field in q.required_fields}


def _values(conn: Connection, row: Any, columns: Mapping[str, str | None]) -> dict[str, object]:
    values: dict[str, object] = {field: row._mapping[name] for field, name in columns.items() if name}
    loose = [field for field, name in columns.items() if name is None]
    if loose:
        query = select(ATTRIBUTES.c["values"]).where(ATTRIBUTES.c.contact_id == row.id)
        given = conn.execute(query).scalar_one_or_none() or {}
        values.update((field, given.get(field.removeprefix("attribute."))) for field in loose)
    return values
