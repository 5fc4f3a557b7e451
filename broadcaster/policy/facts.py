"""The facts about one person that the rules ask for, read from the database."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sqlalchemy import BinaryExpression, Connection, ScalarSelect, Select, exists, false, select
from sqlalchemy.sql import operators, visitors

from broadcaster.errors import NotFound
from broadcaster.policy.clauses import ATTRIBUTES, CONTACTS, DELIVERIES, Clause, column_of, flag
from broadcaster.policy.question import Question
from broadcaster.policy.terms import Facts


def facts_of(conn: Connection, q: Question, contact_id: int) -> Facts:
    """Raises NotFound for a person whom the Page of the question does not know."""
    columns = _columns(q)
    row = conn.execute(
        select(
            CONTACTS.c.id,
            *(CONTACTS.c[name] for name in dict.fromkeys((*_ALWAYS, *columns.values())) if name),
            flag(_looked_up(q.audience)).label("in_audience"),
            flag(false() if q.excluded is None else _looked_up(q.excluded)).label("excluded"),
            flag(false() if q.already is None else _looked_up(q.already)).label("already"),
        ).where(CONTACTS.c.id == contact_id, CONTACTS.c.page_id == q.page_id)
    ).one_or_none()
    if row is None:
        raise NotFound(f"The Page knows no person number {contact_id}.", "Check the recipient.")
    sent = conn.execute(
        select(DELIVERIES.c.sent_at).where(
            DELIVERIES.c.contact_id == contact_id,
            DELIVERIES.c.sent_at.is_not(None),
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


def _looked_up(clause: Clause) -> Clause:
    """Membership of one person looked up: ``IN`` a list would read all of the list for them."""

    def replaced(element: Any, **_: Any) -> Any:
        if not isinstance(element, BinaryExpression) or element.operator is not operators.in_op:
            return None
        listed = element.right.element if isinstance(element.right, ScalarSelect) else element.right
        if not isinstance(listed, Select) or not _is_plain(listed):
            return None
        (member,) = listed.selected_columns
        return exists(listed.where(member == element.left).correlate(CONTACTS))

    found: Clause = visitors.replacement_traverse(clause, {}, replaced)
    return found


def _is_plain(listed: Select[Any]) -> bool:
    """One column of just the rows its condition names, from elsewhere than the people themselves."""
    cuts = (listed._limit_clause, listed._offset_clause, *listed._group_by_clauses, *listed._having_criteria)
    whole = all(cut is None for cut in cuts)
    return whole and len(listed.selected_columns) == 1 and CONTACTS not in listed.get_final_froms()


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
