"""People as they are shown and looked up: one person's facts, pages of the table, counts."""

from __future__ import annotations

from array import array
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Connection, bindparam, case, func, or_, select

from broadcaster.contacts.attributes import AttributeDef, definitions
from broadcaster.errors import NotFound
from broadcaster.states import AttributeType
from broadcaster.store import outcomes
from broadcaster.store.tables import (
    Campaign,
    Contact,
    ContactAttributes,
    ContactLabel,
    Delivery,
    Interaction,
    Label,
    OptRecord,
)
from broadcaster.store.tables.contact import NUMBER_SLOTS, TEXT_SLOTS

CONTACTS = Contact.__table__  # type: ignore[attr-defined]
ATTRIBUTES = ContactAttributes.__table__  # type: ignore[attr-defined]
LABELS = Label.__table__  # type: ignore[attr-defined]
LABELLED = ContactLabel.__table__  # type: ignore[attr-defined]
INTERACTIONS = Interaction.__table__  # type: ignore[attr-defined]
OPTS = OptRecord.__table__  # type: ignore[attr-defined]
DELIVERIES = Delivery.__table__  # type: ignore[attr-defined]
CAMPAIGNS = Campaign.__table__  # type: ignore[attr-defined]

CHUNK = 500
SORTABLE = (
    "last_name",
    "first_name",
    "psid",
    "locale",
    "timezone",
    "last_interaction_at",
    "last_message_at",
    "created_at",
    "updated_at",
    "entry_ref",
    "source",
)


@dataclass(frozen=True, slots=True)
class ContactRow:
    """A person as a row of a table. ``attributes`` holds typed values by name."""

    id: int
    psid: str
    first_name: str | None
    last_name: str | None
    locale: str | None
    timezone: str | None
    opted_out: bool
    unreachable: bool
    last_interaction_at: datetime | None
    last_interaction_source: str | None
    entry_ref: str | None
    source: str
    created_at: datetime
    labels: tuple[str, ...] = ()
    attributes: dict[str, Any] = field(default_factory=dict)

    @property
    def name(self) -> str:
        """Their name, or what they are shown as without one."""
        return f"{self.first_name or ''} {self.last_name or ''}".strip() or f"Guest {self.psid[-4:]}"


_PLAIN = tuple(name for name in ContactRow.__dataclass_fields__ if name not in ("labels", "attributes"))
_SLOTS = (*TEXT_SLOTS, *NUMBER_SLOTS)
_ROWS = (
    select(CONTACTS.c.page_id, ATTRIBUTES.c["values"], *(CONTACTS.c[name] for name in (*_PLAIN, *_SLOTS)))
    .select_from(CONTACTS.outerjoin(ATTRIBUTES, ATTRIBUTES.c.contact_id == CONTACTS.c.id))
    .where(CONTACTS.c.id.in_(bindparam("b_ids", expanding=True)))
)


@dataclass(frozen=True, slots=True)
class Person:
    """Everything known about one person."""

    row: ContactRow
    page_id: int
    last_message_at: datetime | None
    last_interaction_kind: str | None
    ad_window_until: datetime | None
    opted_out_at: datetime | None
    unreachable_at: datetime | None
    unreachable_text: str | None
    last_sent_at: datetime | None
    updated_at: datetime
    erased_at: datetime | None


@dataclass(frozen=True, slots=True)
class Happening:
    """One line of a person's history. ``kind``: an interaction's kind, ``message`` state, or opt-out."""

    at: datetime
    kind: str
    text: str
    source: str


def count(conn: Connection, page_id: int) -> int:
    """How many people a Page knows."""
    return conn.execute(
        select(func.count()).select_from(CONTACTS).where(CONTACTS.c.page_id == page_id)
    ).scalar_one()


def find(conn: Connection, page_id: int, psid: str) -> int | None:
    """Contact id of a PSID."""
    query = select(CONTACTS.c.id).where(CONTACTS.c.page_id == page_id, CONTACTS.c.psid == psid)
    return conn.execute(query).scalar_one_or_none()


def person(conn: Connection, contact_id: int) -> Person:
    """Everything known about one person. Raises NotFound."""
    found = conn.execute(select(CONTACTS).where(CONTACTS.c.id == contact_id)).one_or_none()
    if found is None:
        raise NotFound("That person is not known any more.", "They may have been erased or an import undone.")
    return Person(
        row=rows(conn, [contact_id])[0],
        page_id=found.page_id,
        last_message_at=found.last_message_at,
        last_interaction_kind=found.last_interaction_kind,
        ad_window_until=found.ad_window_until,
        opted_out_at=found.opted_out_at,
        unreachable_at=found.unreachable_at,
        unreachable_text=found.unreachable_text,
        last_sent_at=found.last_sent_at,
        updated_at=found.updated_at,
        erased_at=found.erased_at,
    )


def search_ids(
    conn: Connection,
    page_id: int | None,
    *,
    text: str = "",
    sort: str = "last_name",
    descending: bool = False,
    clause: ColumnElement[bool] | None = None,
) -> array[int]:
    """Ids of the people that match, in order: the table's order. ``text`` looks in names and PSIDs.

    ``sort`` is one of ``SORTABLE``, ``state``, ``labels`` (the first of each), or ``attribute.NAME`` of the
    Page's own.
    """
    column = _sorted_by(conn, page_id, sort)
    order = column.desc().nulls_last() if descending else column.asc().nulls_last()
    query = select(CONTACTS.c.id).order_by(order, CONTACTS.c.id)
    if page_id is not None:
        query = query.where(CONTACTS.c.page_id == page_id)
    if text.strip():
        query = query.where(_matches(text.strip()))
    if clause is not None:
        query = query.where(clause)
    found: array[int] = array("q")
    for part in conn.execute(query).partitions(10_000):
        found.extend(row[0] for row in part)
    return found


def _sorted_by(conn: Connection, page_id: int | None, sort: str) -> ColumnElement[Any]:
    own = sort.removeprefix("attribute.")
    if own != sort and page_id is not None and (found := definitions(conn, page_id).get(own)):
        if found.slot:
            slot: ColumnElement[Any] = CONTACTS.c[found.slot]
            return slot
        value = ATTRIBUTES.c["values"][own]
        typed = value.as_float() if found.type == AttributeType.NUMBER else value.as_string()
        beside = select(typed).where(ATTRIBUTES.c.contact_id == CONTACTS.c.id)
        return beside.correlate(CONTACTS).scalar_subquery()
    if sort == "state":
        return case((CONTACTS.c.opted_out, 2), (CONTACTS.c.unreachable, 1))
    if sort == "labels":
        theirs = select(func.min(LABELS.c.name)).join(LABELLED, LABELLED.c.label_id == LABELS.c.id)
        return theirs.where(LABELLED.c.contact_id == CONTACTS.c.id).correlate(CONTACTS).scalar_subquery()
    column: ColumnElement[Any] = CONTACTS.c[sort if sort in SORTABLE else "last_name"]
    return column


def _matches(text: str) -> ColumnElement[bool]:
    pattern = f"%{text.replace('!', '!!').replace('%', '!%').replace('_', '!_')}%"
    name = func.coalesce(CONTACTS.c.first_name, "") + " " + func.coalesce(CONTACTS.c.last_name, "")
    return or_(name.ilike(pattern, escape="!"), CONTACTS.c.psid.like(pattern, escape="!"))


def rows(conn: Connection, ids: Sequence[int]) -> list[ContactRow]:
    """The rows of these people in the given order; who is gone is left out."""
    if not ids:
        return []
    found: dict[int, ContactRow] = {}
    known: dict[int, dict[str, AttributeDef]] = {}
    for start in range(0, len(ids), CHUNK):
        part = list(ids[start : start + CHUNK])
        labels = _labels_of(conn, part)
        for page_id, loose, *shown in conn.execute(_ROWS, {"b_ids": part}):
            if page_id not in known:
                known[page_id] = definitions(conn, page_id)
            id_, slots = shown[0], dict(zip(_SLOTS, shown[len(_PLAIN) :], strict=True))
            values = attribute_values(slots, known[page_id], loose or {})
            found[id_] = ContactRow(*(*shown[: len(_PLAIN)], labels.get(id_, ()), values))
    return [found[id_] for id_ in ids if id_ in found]


def attribute_values(
    row: Mapping[str, Any], known: dict[str, AttributeDef], loose: dict[str, Any]
) -> dict[str, Any]:
    """Typed values by name; what has no value is left out."""
    values = {}
    for name, definition in known.items():
        value = row[definition.slot] if definition.slot else loose.get(name)
        if value is not None:
            values[name] = _typed(value, definition.type)
    return values


def _typed(value: Any, type_: AttributeType) -> Any:
    if type_ == AttributeType.YES_NO and isinstance(value, str):
        return value == "true"
    if type_ == AttributeType.NUMBER and isinstance(value, float) and value.is_integer():
        return int(value)
    return value


def labels(conn: Connection, page_id: int) -> list[str]:
    """All labels of a Page."""
    return list(
        conn.execute(
            select(LABELS.c.name).where(LABELS.c.page_id == page_id).order_by(LABELS.c.name)
        ).scalars()
    )


def values(conn: Connection, page_id: int, column: str, most: int = 200) -> list[str]:
    """The values a column holds, most frequent first: what an editor offers."""
    chosen = CONTACTS.c[column]
    query = (
        select(chosen)
        .where(CONTACTS.c.page_id == page_id, chosen.is_not(None))
        .group_by(chosen)
        .order_by(func.count().desc(), chosen)
        .limit(most)
    )
    return list(conn.execute(query).scalars())


def history(conn: Connection, contact_id: int, most: int = 500) -> list[Happening]:
    """What they did and what was sent to them, newest first."""
    did = [
        Happening(row.at, row.kind, row.ref or "", row.source)
        for row in conn.execute(
            select(INTERACTIONS)
            .where(INTERACTIONS.c.contact_id == contact_id)
            .order_by(INTERACTIONS.c.at.desc())
            .limit(most)
        )
    ]
    opted = [
        Happening(row.at, "opted_out" if row.opted_out else "opted_in", row.reason, row.source)
        for row in conn.execute(select(OPTS).where(OPTS.c.contact_id == contact_id))
    ]
    return sorted([*did, *opted, *messages(conn, contact_id)], key=lambda one: one.at, reverse=True)[:most]


def messages(conn: Connection, contact_id: int) -> list[Happening]:
    """Every campaign message to them with how far it came."""
    query = (
        select(DELIVERIES, CAMPAIGNS.c.name, CAMPAIGNS.c.launched_at, outcomes.delivered(), outcomes.read())
        .select_from(outcomes.with_marks().join(CAMPAIGNS, CAMPAIGNS.c.id == DELIVERIES.c.campaign_id))
        .where(DELIVERIES.c.contact_id == contact_id)
    )
    found = []
    for row in conn.execute(query):
        state = "read" if row[-1] else "delivered" if row[-2] else row.state
        at = row.sent_at or row.ended_at or row.intent_at or row.launched_at
        found.append(Happening(at, f"campaign_{state}", row.name, "sender"))
    return found


def _labels_of(conn: Connection, ids: Sequence[int]) -> dict[int, tuple[str, ...]]:
    query = (
        select(LABELLED.c.contact_id, LABELS.c.name)
        .join(LABELS, LABELS.c.id == LABELLED.c.label_id)
        .where(LABELLED.c.contact_id.in_(ids))
        .order_by(LABELS.c.name)
    )
    found: dict[int, tuple[str, ...]] = {}
    for contact_id, name in conn.execute(query):
        found[contact_id] = (*found.get(contact_id, ()), name)
    return found
