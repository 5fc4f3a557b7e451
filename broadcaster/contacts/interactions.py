"""What people did: appended once, and the facts that follow from it moved forward, never back."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, Connection, Insert, bindparam, case, func, or_, select, update
from sqlalchemy.dialects import postgresql, sqlite

from broadcaster.states import WINDOW_OPENERS, InteractionKind, Source
from broadcaster.store.tables import Contact, Interaction

CONTACTS = Contact.__table__  # type: ignore[attr-defined]
INTERACTIONS = Interaction.__table__  # type: ignore[attr-defined]

AD_WINDOW = timedelta(days=7)
"""After the first message that follows an ad the window "may last up to 7 days" (Meta's policy page, 28 Sep 2026)."""
MESSAGES = frozenset({InteractionKind.MESSAGE, InteractionKind.AD_MESSAGE, InteractionKind.PLUGIN_MESSAGE})
CHUNK = 500


@dataclass(frozen=True, slots=True)
class InteractionFact:
    """One thing a person did. ``key`` makes it count once; ``name`` is theirs where the source tells it."""

    psid: str
    kind: InteractionKind
    at: datetime
    source: Source
    key: str | None = None
    ref: str | None = None
    ad_id: str | None = None
    name: str | None = None


def record(conn: Connection, page_id: int, facts: Sequence[InteractionFact]) -> dict[str, int]:
    """Create who is new, append what is new, move windows forward; returns psid → contact id."""
    if not facts:
        return {}
    people = _people(conn, page_id, facts)
    fresh = _append(conn, page_id, people, facts)
    if fresh:
        _move_forward(conn, people, fresh)
    return people


def ids_of(conn: Connection, page_id: int, psids: Iterable[str]) -> dict[str, int]:
    """psid → contact id of those who are known."""
    wanted, found = list(dict.fromkeys(psids)), dict[str, int]()
    for start in range(0, len(wanted), CHUNK):
        query = select(CONTACTS.c.psid, CONTACTS.c.id).where(
            CONTACTS.c.page_id == page_id, CONTACTS.c.psid.in_(wanted[start : start + CHUNK])
        )
        found.update((row.psid, row.id) for row in conn.execute(query))
    return found


def _people(conn: Connection, page_id: int, facts: Sequence[InteractionFact]) -> dict[str, int]:
    known = ids_of(conn, page_id, (fact.psid for fact in facts))
    new = {fact.psid: fact for fact in facts if fact.psid not in known}
    if not new:
        return known
    conn.execute(
        _ignoring(conn, CONTACTS, ["page_id", "psid"]),
        [_newcomer(page_id, fact) for fact in new.values()],
    )
    return known | ids_of(conn, page_id, new)


def _newcomer(page_id: int, fact: InteractionFact) -> dict[str, object]:
    first, _, last = (fact.name or "").partition(" ")
    return {
        "page_id": page_id,
        "psid": fact.psid,
        "first_name": first or None,
        "last_name": last or None,
        "opted_out": False,
        "unreachable": False,
        "source": fact.source,
        "created_at": fact.at,
        "updated_at": fact.at,
    }


def _append(
    conn: Connection, page_id: int, people: dict[str, int], facts: Sequence[InteractionFact]
) -> list[InteractionFact]:
    """Store what is not there yet; returns those facts."""
    keys = [fact.key for fact in facts if fact.key is not None]
    known: set[str] = set()
    for start in range(0, len(keys), CHUNK):
        query = select(INTERACTIONS.c.key).where(INTERACTIONS.c.key.in_(keys[start : start + CHUNK]))
        known.update(conn.execute(query).scalars())
    fresh = []
    for fact in facts:
        if fact.key is None or fact.key not in known:
            fresh.append(fact)
            known.update([fact.key] if fact.key else [])
    if fresh:
        conn.execute(_ignoring(conn, INTERACTIONS, ["key"]), [_row(page_id, people, fact) for fact in fresh])
    return fresh


def _row(page_id: int, people: dict[str, int], fact: InteractionFact) -> dict[str, object]:
    return {
        "page_id": page_id,
        "contact_id": people[fact.psid],
        "kind": fact.kind,
        "at": fact.at,
        "source": fact.source,
        "key": fact.key,
        "ref": fact.ref,
        "ad_id": fact.ad_id,
    }


def _ignoring(conn: Connection, table: object, columns: list[str]) -> Insert:
    """INSERT that leaves what is already there alone (another process may have been quicker)."""
    dialect = postgresql if conn.dialect.name == "postgresql" else sqlite
    statement: Insert = dialect.insert(table).on_conflict_do_nothing(index_elements=columns)
    return statement


def _move_forward(conn: Connection, people: dict[str, int], facts: Sequence[InteractionFact]) -> None:
    opening = [fact for fact in facts if fact.kind in WINDOW_OPENERS]
    newest: dict[str, InteractionFact] = {}
    for fact in opening:
        if fact.psid not in newest or newest[fact.psid].at <= fact.at:
            newest[fact.psid] = fact
    if newest:
        conn.execute(_OPEN, [_opened(people, fact) for fact in newest.values()])
    messages: dict[str, datetime] = {}
    for fact in facts:
        if fact.kind in MESSAGES:
            messages[fact.psid] = max(messages.get(fact.psid, fact.at), fact.at)
    if messages:
        conn.execute(_WROTE, [{"b_id": people[psid], "b_at": at} for psid, at in messages.items()])
    for fact in sorted(facts, key=lambda one: one.at):
        if fact.ref is not None or fact.ad_id is not None:
            _entered(conn, people[fact.psid], fact)


def _opened(people: dict[str, int], fact: InteractionFact) -> dict[str, object]:
    return {"b_id": people[fact.psid], "b_at": fact.at, "b_source": fact.source, "b_kind": fact.kind}


def _entered(conn: Connection, contact_id: int, fact: InteractionFact) -> None:
    """They came by a link or an ad: keep by which, and how long an ad's window may last."""
    values: dict[str, object] = {"entry_ref": fact.ref or fact.ad_id}
    if fact.kind == InteractionKind.AD_MESSAGE:
        until = fact.at + AD_WINDOW
        later = or_(CONTACTS.c.ad_window_until.is_(None), CONTACTS.c.ad_window_until < until)
        values["ad_window_until"] = case(
            (later, bindparam(None, until, CONTACTS.c.ad_window_until.type)), else_=CONTACTS.c.ad_window_until
        )
    conn.execute(update(CONTACTS).where(CONTACTS.c.id == contact_id).values(**values))


def _newer(column: ColumnElement[datetime]) -> ColumnElement[bool]:
    return or_(column.is_(None), column < bindparam("b_at", type_=column.type))


_OPEN = (
    update(CONTACTS)
    .where(CONTACTS.c.id == bindparam("b_id"), _newer(CONTACTS.c.last_interaction_at))
    .values(
        last_interaction_at=bindparam("b_at"),
        last_interaction_source=bindparam("b_source"),
        last_interaction_kind=bindparam("b_kind"),
        updated_at=bindparam("b_at"),
    )
)
_WROTE = (
    update(CONTACTS)
    .where(CONTACTS.c.id == bindparam("b_id"), _newer(CONTACTS.c.last_message_at))
    .values(
        last_message_at=bindparam("b_at"),
        # who writes can be reached again, unless they were marked after this very message
        unreachable=case(
            (
                func.coalesce(CONTACTS.c.unreachable_at, 0)
                > bindparam("b_at", type_=CONTACTS.c.unreachable_at.type),
                CONTACTS.c.unreachable,
            ),
            else_=False,
        ),
    )
)
