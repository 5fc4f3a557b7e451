"""Echoes, deliveries, reads and replies, applied in any order and any number of times.

A watermark holds for everything sent to the person before it: it stands once per person and only moves
forward; reports join it (``broadcaster.store.outcomes``). Message ids lift their own rows. A receipt
that is quicker than our own result waits for it.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from typing import Any, TypeVar

from sqlalchemy import ColumnElement, Connection, bindparam, case, func, or_, select, update
from sqlalchemy.dialects import postgresql, sqlite

from broadcaster.clock import epoch_ms
from broadcaster.queue import early, evidence
from broadcaster.queue.facts import DeliveredFact, EchoFact, ReadFact, ReceiptFact, RepliedFact
from broadcaster.queue.install import install_id
from broadcaster.queue.ledger import CONTACTS, ROWS, chunks
from broadcaster.queue.prepared import Prepared
from broadcaster.queue.steps import step
from broadcaster.queue.wire import parse_wire_key
from broadcaster.states import ACCEPTED_STATES, DeliveryState
from broadcaster.store.tables import Page, ReceiptMark

MARKS = ReceiptMark.__table__  # type: ignore[attr-defined]
PAGES = Page.__table__  # type: ignore[attr-defined]

_Fact = TypeVar("_Fact")

SKEW_NOTICED = timedelta(seconds=2)
"""Differences of the clocks below this are not told from the way the message takes."""

_MAY_STILL_LEARN_ITS_ID = (
    DeliveryState.SENDING,
    DeliveryState.UNCONFIRMED,
    DeliveryState.WAITING,
    DeliveryState.FAILED,
)


def apply(conn: Connection, page_id: int, facts: Sequence[ReceiptFact]) -> None:
    """Bring the ledger to what these facts of one Page say. One transaction of the caller."""
    skew = _skew(conn, page_id)
    _echoes(conn, _only(facts, EchoFact), skew)
    delivered, read = _only(facts, DeliveredFact), _only(facts, ReadFact)
    replied = _only(facts, RepliedFact)
    psids = {one.psid for one in delivered} | {one.psid for one in read} | {one.psid for one in replied}
    people = _people(conn, page_id, psids)
    _marks(conn, people, delivered, read, skew)
    _by_id(
        conn, DeliveryState.DELIVERED, people,
        [(fact.psid, mid, fact.watermark) for fact in delivered for mid in fact.mids], skew,
    )  # fmt: skip
    _by_id(
        conn, DeliveryState.READ, people,
        [(fact.psid, fact.mid, fact.at) for fact in read if fact.mid], skew,
    )  # fmt: skip
    _replies(conn, people, replied, skew)
    step("receipt.written")


def _only(facts: Iterable[object], kind: type[_Fact]) -> list[_Fact]:
    return [fact for fact in facts if isinstance(fact, kind)]


def _skew(conn: Connection, page_id: int) -> timedelta:
    """How far the platform's clock is ahead of ours, where that is more than noise."""
    query = select(PAGES.c.clock_skew_ms).where(PAGES.c.id == page_id)
    skew = timedelta(milliseconds=conn.execute(query).scalar_one_or_none() or 0)
    return skew if abs(skew) >= SKEW_NOTICED else timedelta()


def _echoes(conn: Connection, facts: Sequence[EchoFact], skew: timedelta) -> None:
    if not facts:
        return
    install = install_id(conn)
    found = [
        (key[0], key[1], fact.mid, fact.at - skew)
        for fact in facts
        if (key := parse_wire_key(fact.metadata, install)) is not None
    ]
    evidence.echo(conn, found)
    early.catch_up(conn, [mid for _, _, mid, _ in found])


def _people(conn: Connection, page_id: int, psids: set[str]) -> dict[str, int]:
    """PSID → contact id, for people we know."""
    found: dict[str, int] = {}
    for part in chunks(sorted(psids)):
        query = select(CONTACTS.c.psid, CONTACTS.c.id).where(
            CONTACTS.c.page_id == page_id, CONTACTS.c.psid.in_(part)
        )
        found.update({row.psid: row.id for row in conn.execute(query)})
    return found


def _marks(
    conn: Connection,
    people: dict[str, int],
    delivered: Sequence[DeliveredFact],
    read: Sequence[ReadFact],
    skew: timedelta,
) -> None:
    marks: dict[int, dict[str, Any]] = {}
    for column, facts in (("delivered_until", delivered), ("read_until", read)):
        for fact in facts:
            contact_id = people.get(fact.psid)
            if contact_id is None or fact.watermark is None:
                continue
            mark = marks.setdefault(
                contact_id, {"contact_id": contact_id, "delivered_until": None, "read_until": None}
            )
            until = epoch_ms(fact.watermark - skew)
            mark[column] = until if mark[column] is None else max(mark[column], until)
    if not marks:
        return
    rows = [tuple(marks[key][name] for name in _MARK) for key in sorted(marks)]
    _MARKING[conn.dialect.name].run(conn, rows)


def _marking(insert: Any) -> Prepared:
    statement = insert(MARKS).values({name: bindparam(name) for name in _MARK})
    newest: dict[str, ColumnElement[Any]] = {
        column: case(
            (
                or_(MARKS.c[column].is_(None), statement.excluded[column] > MARKS.c[column]),
                statement.excluded[column],
            ),
            else_=MARKS.c[column],
        )
        for column in _UNTIL
    }
    for column, value in newest.items():
        # an absent mark must not erase the one that stands
        newest[column] = func.coalesce(value, MARKS.c[column])
    return Prepared(statement.on_conflict_do_update(index_elements=[MARKS.c.contact_id], set_=newest), *_MARK)


_UNTIL = ("delivered_until", "read_until")
_MARK = ("contact_id", *_UNTIL)
_MARKING = {"sqlite": _marking(sqlite.insert), "postgresql": _marking(postgresql.insert)}


def _by_id(
    conn: Connection,
    to: DeliveryState,
    people: dict[str, int],
    rows: Sequence[tuple[str, str, datetime | None]],
    skew: timedelta,
) -> None:
    """Lift the rows of these message ids; keep what names an id that a call in flight may still bring."""
    if not rows:
        return
    at = {mid: (psid, instant - skew if instant else None) for psid, mid, instant in rows}
    known: set[str] = set()
    for part in chunks(sorted(at)):
        known.update(conn.execute(select(ROWS.c.message_id).where(ROWS.c.message_id.in_(part))).scalars())
    evidence.lift(conn, to, [(mid, at[mid][1]) for mid in sorted(known)])
    unknown = {mid: seen for mid, seen in at.items() if mid not in known}
    awaited = _awaiting_an_id(conn, {people[psid] for psid, _ in unknown.values() if psid in people})
    column = "read_at" if to == DeliveryState.READ else "delivered_at"
    early.keep(
        conn,
        column,
        [(mid, instant) for mid, (psid, instant) in unknown.items() if people.get(psid) in awaited],
    )


def _awaiting_an_id(conn: Connection, contact_ids: set[int]) -> set[int]:
    found: set[int] = set()
    for part in chunks(sorted(contact_ids)):
        query = select(ROWS.c.contact_id).where(
            ROWS.c.contact_id.in_(part),
            ROWS.c.state.in_(_MAY_STILL_LEARN_ITS_ID),
            ROWS.c.attempt > 0,
            ROWS.c.message_id.is_(None),
        )
        found.update(conn.execute(query).scalars())
    return found


def _replies(conn: Connection, people: dict[str, int], facts: Sequence[RepliedFact], skew: timedelta) -> None:
    """The first thing a person wrote after each message they were sent."""
    for fact in facts:
        contact_id = people.get(fact.psid)
        if contact_id is None:
            continue
        at = fact.at - skew
        conn.execute(
            update(ROWS)
            .where(
                ROWS.c.contact_id == contact_id,
                ROWS.c.state.in_(sorted(ACCEPTED_STATES)),
                ROWS.c.intent_at <= at,
                or_(ROWS.c.replied_at.is_(None), ROWS.c.replied_at > at),
            )
            .values(replied_at=at)
        )
