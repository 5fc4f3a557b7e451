"""The one place where a ledger row changes its state: only legal moves, each one guarded UPDATE.

Every statement names the states it may come from, and what holds a row (owner and attempt) where
that matters, so a late or repeated result changes nothing. Writes are sets, never row objects. What is
run for every wave of messages is built once: building a statement costs more than running it.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import NamedTuple, TypeVar

from sqlalchemy import (
    BigInteger,
    ColumnElement,
    Connection,
    Update,
    bindparam,
    func,
    or_,
    select,
    type_coerce,
    update,
)

from broadcaster.clock import epoch_ms
from broadcaster.queue.prepared import Prepared
from broadcaster.states import ACCEPTED_STATES, DELIVERY_MOVES, CampaignState, DeliveryState
from broadcaster.store.tables import Campaign, Contact, Delivery

ROWS = Delivery.__table__  # type: ignore[attr-defined]
CAMPAIGNS = Campaign.__table__  # type: ignore[attr-defined]
CONTACTS = Contact.__table__  # type: ignore[attr-defined]

_T = TypeVar("_T")

LEASE = timedelta(minutes=5)
"""Shown to people only: a lease ends by proof that its holder is dead, never by age."""

CHUNK = 500
"""Ids named in one statement at most."""


class Intent(NamedTuple):
    """A leased row about to go on the wire as ``attempt`` + 1; the values of ``_INTENDING`` in their order."""

    id: int
    attempt: int
    wire_key: str
    text_hash: str
    shown_hash: str


class Taken(NamedTuple):
    """The platform took attempt ``attempt`` of a row."""

    id: int
    attempt: int
    contact_id: int
    message_id: str


@dataclass(frozen=True, slots=True)
class Returned:
    """A row that was surely not taken and waits again until ``due_at`` (None: at once)."""

    id: int
    attempt: int
    due_at: datetime | None = None
    counts: bool = False
    """Whether it uses up one of the bounded retries."""
    code: int | None = None
    subcode: int | None = None
    text: str | None = None


@dataclass(frozen=True, slots=True)
class Failed:
    """A row refused for good."""

    id: int
    attempt: int
    code: int | None
    subcode: int | None
    text: str


def origins(to: DeliveryState) -> frozenset[DeliveryState]:
    """The states from which ``to`` may be reached."""
    return frozenset(state for state, targets in DELIVERY_MOVES.items() if to in targets)


def among(states: Collection[DeliveryState]) -> ColumnElement[bool]:
    """Is a row in one of these states? Written out, because an IN list cannot go into an executemany."""
    return or_(*(ROWS.c.state == state for state in sorted(states)))


def moving(to: DeliveryState, *sources: DeliveryState) -> Update:
    """The only UPDATE of a row's state; ``sources`` narrows where from. ValueError for an illegal move."""
    legal = origins(to)
    if illegal := set(sources) - legal:
        raise ValueError(f"illegal move {sorted(illegal)} → {to}")
    statement: Update = update(ROWS).where(among(sources or legal)).values(state=to)
    return statement


def _held(*columns: str) -> list[ColumnElement[bool]]:
    """The row ``b_id``, held as the binds ``b_owner`` and ``b_attempt`` say."""
    return [ROWS.c[name] == bindparam(f"b_{name}") for name in ("id", *columns)]


_RUNNING = select(CAMPAIGNS.c.id).where(CAMPAIGNS.c.state == CampaignState.RUNNING)
_GONE = select(CONTACTS.c.id).where(
    CONTACTS.c.id == ROWS.c.contact_id, or_(CONTACTS.c.opted_out, CONTACTS.c.unreachable)
)
_closes = type_coerce(ROWS.c.window_closes_at, BigInteger)
_decided = type_coerce(ROWS.c.leased_until, BigInteger) - LEASE // timedelta(milliseconds=1)
_still_open = or_(_closes.is_(None), _closes > bindparam("b_at"), _closes <= _decided)
"""Nothing shut since it was decided. What had shut before then was decided anew: they wrote again."""

FREE: dict[str, None] = {"owner": None, "leased_until": None, "settle_at": None}
"""What holds or doubts a row, when nothing does any more."""

_INTENDING = Prepared(
    moving(DeliveryState.SENDING, DeliveryState.LEASED)
    .where(*_held("attempt", "owner"), ROWS.c.campaign_id.in_(_RUNNING), ~_GONE.exists(), _still_open)
    .values(
        attempt=ROWS.c.attempt + 1,
        wire_key=bindparam("b_key"),
        text_hash=bindparam("b_text"),
        shown_hash=bindparam("b_shown"),
        intent_at=bindparam("b_at"),
        first_attempt_at=func.coalesce(
            ROWS.c.first_attempt_at, bindparam("b_at", type_=ROWS.c.intent_at.type)
        ),
        settle_at=None,
        settle_reads=0,
    ),
    "b_id", "b_attempt", "b_key", "b_text", "b_shown",
)  # fmt: skip
_TAKING = Prepared(
    moving(DeliveryState.SENT)
    .where(*_held("attempt"))
    .values(**FREE, sent_at=bindparam("b_at"), message_id=bindparam("b_mid"), reason=None),
    "b_id", "b_attempt", "b_mid",
)  # fmt: skip
_NAMING = (
    update(ROWS)
    .where(*_held(), among(ACCEPTED_STATES))
    .values(owner=None, message_id=func.coalesce(ROWS.c.message_id, bindparam("b_mid")))
)
_NOTING_SENT = Prepared(
    update(CONTACTS)
    .where(
        CONTACTS.c.id == bindparam("b_id"),
        or_(CONTACTS.c.last_sent_at.is_(None), CONTACTS.c.last_sent_at < bindparam("b_at")),
    )
    .values(last_sent_at=bindparam("b_at")),
    "b_id",
)


def intend(conn: Connection, intents: Sequence[Intent], owner: str, at: datetime) -> set[int]:
    """Note durably that these rows go on the wire now; returns those that really may.

    A campaign paused or cancelled meanwhile, or a person who opted out or whose window shut since the claim,
    keeps theirs.
    """
    if not intents:
        return set()
    if _INTENDING.run(conn, intents, b_owner=owner, b_at=epoch_ms(at)) == len(intents):
        return {row.id for row in intents}
    on_the_wire: set[int] = set()
    for ids in chunks([row.id for row in intents]):
        query = select(ROWS.c.id).where(
            ROWS.c.id.in_(ids), ROWS.c.state == DeliveryState.SENDING, ROWS.c.owner == owner
        )
        on_the_wire.update(conn.execute(query).scalars())
    return on_the_wire


def take(conn: Connection, taken: Sequence[Taken], at: datetime) -> None:
    """The platform's answer that it took them. Evidence outranks ownership: only the attempt must fit."""
    if not taken:
        return
    rows = [(row.id, row.attempt, row.message_id) for row in taken]
    if _TAKING.run(conn, rows, b_at=epoch_ms(at)) != len(rows):
        # an echo or a receipt was quicker: then only the message id can still be missing
        conn.execute(_NAMING, [{"b_id": row.id, "b_mid": row.message_id} for row in taken])
    note_sent(conn, [row.contact_id for row in taken], at)


def note_sent(conn: Connection, contact_ids: Iterable[int], at: datetime) -> None:
    """The person's newest campaign message, for frequency caps; moves only forward."""
    # in one order, so that two workers never wait for each other's people
    _NOTING_SENT.run(conn, [(id_,) for id_ in sorted(contact_ids)], b_at=epoch_ms(at))


def note_proven(conn: Connection, row_ids: Sequence[int]) -> None:
    """The same for rows proven sent by something else than our own answer; it moves only forward too."""
    newest = select(func.max(ROWS.c.sent_at)).where(
        ROWS.c.contact_id == CONTACTS.c.id, among(ACCEPTED_STATES)
    )
    behind = or_(CONTACTS.c.last_sent_at.is_(None), CONTACTS.c.last_sent_at < newest.scalar_subquery())
    for ids in chunks(row_ids):
        people = select(ROWS.c.contact_id).where(ROWS.c.id.in_(ids), among(ACCEPTED_STATES))
        conn.execute(
            update(CONTACTS)
            .where(CONTACTS.c.id.in_(people), behind)
            .values(last_sent_at=newest.scalar_subquery())
        )


def give_back(conn: Connection, rows: Sequence[Returned], owner: str) -> None:
    """Surely not taken: wait again. Only the holder of exactly this attempt may say so."""
    if not rows:
        return
    statement = (
        moving(DeliveryState.WAITING, DeliveryState.SENDING)
        .where(
            ROWS.c.id == bindparam("b_id"), ROWS.c.attempt == bindparam("b_attempt"), ROWS.c.owner == owner
        )
        .values(
            owner=None,
            leased_until=None,
            due_at=bindparam("b_due"),
            retries=ROWS.c.retries + bindparam("b_counts"),
            error_code=bindparam("b_code"),
            error_subcode=bindparam("b_subcode"),
            error_text=bindparam("b_error"),
        )
    )
    conn.execute(
        statement,
        [
            {
                "b_id": row.id,
                "b_attempt": row.attempt,
                "b_due": row.due_at,
                "b_counts": int(row.counts),
                "b_code": row.code,
                "b_subcode": row.subcode,
                "b_error": row.text,
            }
            for row in rows
        ],
    )


def fail(conn: Connection, rows: Sequence[Failed], owner: str, at: datetime) -> None:
    """Refused for good, or cannot be rendered."""
    if not rows:
        return
    statement = (
        moving(DeliveryState.FAILED, DeliveryState.SENDING, DeliveryState.LEASED)
        .where(
            ROWS.c.id == bindparam("b_id"), ROWS.c.attempt == bindparam("b_attempt"), ROWS.c.owner == owner
        )
        .values(
            ended_at=at,
            owner=None,
            leased_until=None,
            error_code=bindparam("b_code"),
            error_subcode=bindparam("b_subcode"),
            error_text=bindparam("b_error"),
        )
    )
    conn.execute(
        statement,
        [
            {
                "b_id": row.id,
                "b_attempt": row.attempt,
                "b_code": row.code,
                "b_subcode": row.subcode,
                "b_error": row.text,
            }
            for row in rows
        ],
    )


def doubt(conn: Connection, rows: Sequence[tuple[int, int, str]], owner: str, settle_at: datetime) -> None:
    """Outcome unknown: (id, attempt, cause). Looked up in the conversation from ``settle_at`` on."""
    if not rows:
        return
    statement = (
        moving(DeliveryState.UNCONFIRMED, DeliveryState.SENDING)
        .where(
            ROWS.c.id == bindparam("b_id"), ROWS.c.attempt == bindparam("b_attempt"), ROWS.c.owner == owner
        )
        .values(reason=bindparam("b_cause"), settle_at=settle_at, owner=None, leased_until=None)
    )
    conn.execute(
        statement, [{"b_id": id_, "b_attempt": attempt, "b_cause": cause} for id_, attempt, cause in rows]
    )


def skip(conn: Connection, rows: Sequence[tuple[int, str]], owner: str, at: datetime) -> None:
    """Stopped by a rule at the moment of sending: (id, reason)."""
    if not rows:
        return
    statement = (
        moving(DeliveryState.SKIPPED, DeliveryState.LEASED)
        .where(ROWS.c.id == bindparam("b_id"), ROWS.c.owner == owner)
        .values(reason=bindparam("b_reason"), ended_at=at, owner=None, leased_until=None)
    )
    conn.execute(statement, [{"b_id": id_, "b_reason": reason} for id_, reason in rows])


def postpone(conn: Connection, rows: Sequence[tuple[int, datetime]], owner: str) -> None:
    """Leased rows whose turn is later: (id, due at)."""
    if not rows:
        return
    statement = (
        moving(DeliveryState.WAITING, DeliveryState.LEASED)
        .where(ROWS.c.id == bindparam("b_id"), ROWS.c.owner == owner)
        .values(due_at=bindparam("b_due"), owner=None, leased_until=None, reason=None)
    )
    conn.execute(statement, [{"b_id": id_, "b_due": due} for id_, due in rows])


def release(conn: Connection, owner: str, ids: Collection[int] | None = None) -> int:
    """Leased rows of ``owner`` (or just ``ids`` of them) wait again; they were surely not sent."""
    statement = (
        moving(DeliveryState.WAITING, DeliveryState.LEASED)
        .where(ROWS.c.owner == owner)
        .values(owner=None, leased_until=None, reason=None)
    )
    if ids is None:
        return conn.execute(statement).rowcount
    return sum(conn.execute(statement.where(ROWS.c.id.in_(part))).rowcount for part in chunks(list(ids)))


def release_campaign(conn: Connection, campaign_id: int) -> int:
    """A paused campaign's leased rows wait again, whoever holds them."""
    return conn.execute(
        moving(DeliveryState.WAITING, DeliveryState.LEASED)
        .where(ROWS.c.campaign_id == campaign_id)
        .values(owner=None, leased_until=None, reason=None)
    ).rowcount


def cancel_open(conn: Connection, campaign_id: int, at: datetime) -> int:
    """Everything of a campaign that is surely not on the wire is cancelled; returns how many."""
    return conn.execute(
        moving(DeliveryState.CANCELLED)
        .where(ROWS.c.campaign_id == campaign_id)
        .values(ended_at=at, owner=None, leased_until=None, reason=None)
    ).rowcount


def end_cancelled(conn: Connection, ids: Sequence[int], at: datetime) -> None:
    """Of rows that wait again those are ended whose campaign was cancelled while they were on the wire."""
    for part in chunks(ids):
        gone = select(CAMPAIGNS.c.id).where(CAMPAIGNS.c.state == CampaignState.CANCELLED)
        conn.execute(
            moving(DeliveryState.CANCELLED, DeliveryState.WAITING)
            .where(ROWS.c.id.in_(part), ROWS.c.campaign_id.in_(gone))
            .values(ended_at=at)
        )


def last_work(conn: Connection, owners: Sequence[str]) -> datetime | None:
    """When senders that still hold rows were last at work, by their newest intent and lease."""
    query = select(func.max(ROWS.c.intent_at), func.max(ROWS.c.leased_until)).where(ROWS.c.owner.in_(owners))
    intent_at, leased_until = conn.execute(query).one()
    signs = [intent_at, leased_until and leased_until - LEASE]
    return max((sign for sign in signs if sign), default=None)


def orphan(conn: Connection, dead: Sequence[str], settle_ms: int, cause: str) -> tuple[int, int]:
    """Rows of senders proven dead: leased ones wait again, those on the wire are in doubt.

    Returns (released, doubted). ``settle_ms`` counts from each row's own intent.
    """
    released = conn.execute(
        moving(DeliveryState.WAITING, DeliveryState.LEASED)
        .where(ROWS.c.owner.in_(dead))
        .values(owner=None, leased_until=None, reason=None)
    ).rowcount
    doubted = conn.execute(
        moving(DeliveryState.UNCONFIRMED, DeliveryState.SENDING)
        .where(ROWS.c.owner.in_(dead))
        .values(owner=None, leased_until=None, reason=cause, settle_at=ROWS.c.intent_at + settle_ms)
    ).rowcount
    return released, doubted


def settle(
    conn: Connection,
    row_id: int,
    attempt: int,
    to: DeliveryState,
    at: datetime,
    *,
    message_id: str | None = None,
    text: str | None = None,
) -> bool:
    """End a doubt about exactly this attempt: sent, failed, or waiting again (proven absent)."""
    statement = moving(to, DeliveryState.UNCONFIRMED).where(ROWS.c.id == row_id, ROWS.c.attempt == attempt)
    if to == DeliveryState.SENT:
        statement = statement.values(sent_at=at, message_id=message_id)
    elif to == DeliveryState.FAILED:
        statement = statement.values(ended_at=at, error_text=text)
    else:
        statement = statement.values(due_at=None, reason=None)
    return conn.execute(statement.values(settle_at=None)).rowcount == 1


def look_again(
    conn: Connection, row_id: int, attempt: int, settle_at: datetime | None, cause: str, looked: bool = True
) -> None:
    """No proof yet: read again at ``settle_at``, or None: leave it to a person, with the cause."""
    conn.execute(
        update(ROWS)
        .where(ROWS.c.id == row_id, ROWS.c.attempt == attempt, ROWS.c.state == DeliveryState.UNCONFIRMED)
        .values(settle_at=settle_at, settle_reads=ROWS.c.settle_reads + int(looked), reason=cause)
    )


def leave(conn: Connection, row_id: int, attempt: int) -> None:
    """A person leaves a doubt as it is: it is not looked up any more."""
    conn.execute(
        update(ROWS)
        .where(ROWS.c.id == row_id, ROWS.c.attempt == attempt, ROWS.c.state == DeliveryState.UNCONFIRMED)
        .values(settle_at=None)
    )


def put_off(conn: Connection, ids: Sequence[int], settle_at: datetime) -> None:
    """Doubts being looked up: nobody else begins before ``settle_at``."""
    conn.execute(
        update(ROWS)
        .where(ROWS.c.id.in_(ids), ROWS.c.state == DeliveryState.UNCONFIRMED)
        .values(settle_at=settle_at)
    )


def chunks(rows: Sequence[_T], size: int = CHUNK) -> Iterable[Sequence[_T]]:
    for start in range(0, len(rows), size):
        yield rows[start : start + size]
