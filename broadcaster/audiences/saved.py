"""Saved audiences: a filter asked anew each time, a frozen set, or a list of ids."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Connection, Select, delete, insert, literal, select, update

from broadcaster.audiences import compile, filters
from broadcaster.contacts.attributes import definitions
from broadcaster.contacts.interactions import ids_of
from broadcaster.errors import BadInput, NotFound
from broadcaster.states import AudienceKind
from broadcaster.store.tables import Audience, AudienceMember, Campaign, Contact

AUDIENCES = Audience.__table__  # type: ignore[attr-defined]
MEMBERS = AudienceMember.__table__  # type: ignore[attr-defined]
CONTACTS = Contact.__table__  # type: ignore[attr-defined]
CAMPAIGNS = Campaign.__table__  # type: ignore[attr-defined]

MAX_CHAIN = 20


@dataclass(frozen=True, slots=True)
class AudienceRow:
    id: int
    page_id: int
    name: str
    kind: str
    filter: dict[str, Any]
    updated_at: datetime


@dataclass(frozen=True, slots=True)
class Saved:
    """``replaced``: there was one of that name."""

    id: int
    replaced: bool


@dataclass(frozen=True, slots=True)
class Listed:
    """A static list: ids that are people of the Page, and ids that are not."""

    taken: int
    unknown: tuple[str, ...]


def save(
    conn: Connection, page_id: int, name: str, given: Any, *, kind: str = AudienceKind.DYNAMIC, now: datetime
) -> Saved:
    """Store an audience under its name, replacing one of that name on the same Page. Raises BadInput."""
    if not name.strip():
        raise BadInput("The audience has no name.", "Give it one.")
    existing = conn.execute(select(AUDIENCES).where(AUDIENCES.c.name == name)).one_or_none()
    if existing is not None and existing.page_id != page_id:
        raise BadInput(f"Another Page has an audience named {name!r}.", "Choose another name.")
    if existing is not None:
        audience_id = existing.id
        values = {"kind": kind, "filter": given, "updated_at": now}
        conn.execute(update(AUDIENCES).where(AUDIENCES.c.id == audience_id).values(**values))
        conn.execute(delete(MEMBERS).where(MEMBERS.c.audience_id == audience_id))
    else:
        values = {"page_id": page_id, "name": name, "kind": kind, "filter": given}
        inserted = conn.execute(insert(AUDIENCES).values(**values, created_at=now, updated_at=now))
        audience_id = int((inserted.inserted_primary_key or (0,))[0])
    people = filter_clause(conn, page_id, given, now, (name,))
    if kind == AudienceKind.FROZEN:
        members = select(CONTACTS.c.id).where(CONTACTS.c.page_id == page_id, people)
        _fill(conn, audience_id, members)
    return Saved(audience_id, existing is not None)


def get(conn: Connection, name: str) -> AudienceRow:
    """One audience by name. Raises NotFound."""
    row = conn.execute(_ROW.where(AUDIENCES.c.name == name)).one_or_none()
    if row is None:
        raise NotFound(f"There is no audience {name!r}.", "Create it first, or check the name.")
    return AudienceRow(**row._mapping)


def get_by_id(conn: Connection, audience_id: int) -> AudienceRow:
    """One audience by id. Raises NotFound."""
    row = conn.execute(_ROW.where(AUDIENCES.c.id == audience_id)).one_or_none()
    if row is None:
        raise NotFound("That audience does not exist any more.", "Choose another.")
    return AudienceRow(**row._mapping)


def listing(conn: Connection, page_id: int | None = None) -> list[AudienceRow]:
    """Audiences by name; of one Page or of all."""
    query = _ROW.order_by(AUDIENCES.c.name)
    if page_id is not None:
        query = query.where(AUDIENCES.c.page_id == page_id)
    return [AudienceRow(**row._mapping) for row in conn.execute(query)]


def members_clause(conn: Connection, audience_id: int, now: datetime) -> ColumnElement[bool]:
    """Who is in it at ``now``, as a condition on ``contact``. Raises NotFound."""
    return _members(conn, get_by_id(conn, audience_id), now, ())


def filter_clause(
    conn: Connection, page_id: int, given: Any, now: datetime, chain: Sequence[str] = ()
) -> ColumnElement[bool]:
    """A filter's people as a condition on ``contact``; ``chain`` names the audiences it is part of."""
    known = definitions(conn, page_id)
    tree = filters.parse(given, known)
    rows = conn.execute(select(CAMPAIGNS.c.name, CAMPAIGNS.c.id).where(CAMPAIGNS.c.page_id == page_id))
    campaigns = {row.name: row.id for row in rows}

    def members_of(name: str) -> ColumnElement[bool]:
        if name in chain or len(chain) > MAX_CHAIN:
            raise BadInput(
                f"The audience {name!r} is part of itself: {' → '.join((*chain, name))}.",
                "Take it out of one.",
            )
        audience = get(conn, name)
        if audience.page_id != page_id:
            raise BadInput(f"The audience {name!r} belongs to another Page.", "PSIDs hold for one Page.")
        return _members(conn, audience, now, chain)

    return compile.clause(tree, page_id, known, now, campaigns, members_of)


def set_static(conn: Connection, audience_id: int, psids: Iterable[str]) -> Listed:
    """Make it a list of exactly these people of its Page."""
    audience = get_by_id(conn, audience_id)
    wanted = list(dict.fromkeys(psids))
    known = ids_of(conn, audience.page_id, wanted)
    conn.execute(delete(MEMBERS).where(MEMBERS.c.audience_id == audience_id))
    if known:
        conn.execute(
            insert(MEMBERS), [{"audience_id": audience_id, "contact_id": id_} for id_ in known.values()]
        )
    conn.execute(update(AUDIENCES).where(AUDIENCES.c.id == audience_id).values(kind=AudienceKind.STATIC))
    return Listed(len(known), tuple(psid for psid in wanted if psid not in known))


def freeze(conn: Connection, audience_id: int, now: datetime) -> None:
    """Keep who is in it now."""
    audience = get_by_id(conn, audience_id)
    people = _members(conn, audience, now, ())
    query = select(CONTACTS.c.id).where(CONTACTS.c.page_id == audience.page_id, people)
    if audience.kind == AudienceKind.DYNAMIC:
        _fill(conn, audience_id, query)
        conn.execute(update(AUDIENCES).where(AUDIENCES.c.id == audience_id).values(kind=AudienceKind.FROZEN))


def _fill(conn: Connection, audience_id: int, people: Select[Any]) -> None:
    chosen = people.add_columns(literal(audience_id))
    conn.execute(insert(MEMBERS).from_select(["contact_id", "audience_id"], chosen))


def _members(
    conn: Connection, audience: AudienceRow, now: datetime, chain: Sequence[str]
) -> ColumnElement[bool]:
    if audience.kind == AudienceKind.DYNAMIC:
        return filter_clause(conn, audience.page_id, audience.filter, now, (*chain, audience.name))
    kept = select(MEMBERS.c.contact_id).where(MEMBERS.c.audience_id == audience.id)
    clause: ColumnElement[bool] = CONTACTS.c.id.in_(kept)
    return clause


_ROW = select(*(AUDIENCES.c[name] for name in AudienceRow.__dataclass_fields__))
