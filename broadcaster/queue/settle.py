"""Doubts: a message that may or may not have been taken is looked up in the person's conversation.

Presence proves it sent, absence that it was not; anything else proves nothing. A missing echo is never
a proof. What cannot be proven after some readings is left to a person, who is told why.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from sqlalchemy import Connection, bindparam, or_, select

from broadcaster.graph.reading import ConversationRead, ReadMessage
from broadcaster.queue import early, ledger
from broadcaster.queue.ledger import CAMPAIGNS, CONTACTS, ROWS
from broadcaster.queue.wire import shown_hash
from broadcaster.states import DeliveryState, PageState
from broadcaster.store.tables import Page, TestSend

PAGES = Page.__table__  # type: ignore[attr-defined]
TESTS = TestSend.__table__  # type: ignore[attr-defined]

MAX_READS = 5
READS_PER_SECOND = 2.0
"""What the Conversations API allows a Page."""

MAX_ATTEMPTS = 5
"""A message proven absent so many times is not tried again."""

SLACK = timedelta(seconds=3)
"""Added to clock differences that are known only to about a second."""

CLOCK_STEP = timedelta(minutes=10)
"""A clock may be set between the call and the reading, and what it was at the call is not known any more.
Where our text tells the message, it is looked for so much earlier: nobody else wrote the same words."""

READING_TAKES = timedelta(seconds=60)
"""A reading that has not come back by then may be begun again."""


@dataclass(frozen=True, slots=True)
class Doubt:
    """An unconfirmed attempt. ``since``: the call began then, by the platform's clock."""

    id: int
    campaign_id: int
    contact_id: int
    page_id: int
    psid: str
    attempt: int
    reads: int
    since: datetime
    shown_hash: str
    intent_at: datetime

    def read_with(self, skew_ms: int | None) -> Doubt:
        """The same doubt once a reading has told the platform's clock: the earlier moment counts.

        The difference stored with the Page may be older than a change of this computer's clock, or not
        known yet; taking a message for absent because the clocks differ would send it twice.
        """
        if skew_ms is None:
            return self
        return replace(self, since=min(self.since, self.intent_at + timedelta(milliseconds=skew_ms)))


@dataclass(frozen=True, slots=True)
class Present:
    message_id: str
    at: datetime


@dataclass(frozen=True, slots=True)
class Absent:
    pass


@dataclass(frozen=True, slots=True)
class Open:
    """``looked`` False: the conversation could not even be asked for, which uses up none of the readings."""

    cause: str
    looked: bool = True


Finding = Present | Absent | Open


def due(
    conn: Connection, page_id: int, at: datetime, most: int, besides: Collection[int] = ()
) -> list[Doubt]:
    """The Page's doubts that may be looked up now, longest open first; reserved for a while."""
    query = (
        select(
            ROWS.c.id, ROWS.c.campaign_id, ROWS.c.contact_id, CONTACTS.c.psid, ROWS.c.attempt,
            ROWS.c.settle_reads, ROWS.c.intent_at, ROWS.c.shown_hash, PAGES.c.clock_skew_ms,
        )
        .join(CONTACTS, CONTACTS.c.id == ROWS.c.contact_id)
        .join(PAGES, PAGES.c.id == CONTACTS.c.page_id)
        .where(
            ROWS.c.state == DeliveryState.UNCONFIRMED,
            ROWS.c.settle_at <= at,
            PAGES.c.id == page_id,
            ROWS.c.id.not_in(list(besides)),
        )
        .order_by(ROWS.c.settle_at, ROWS.c.id)
        .limit(most)
    )  # fmt: skip
    if conn.dialect.name == "postgresql":
        query = query.with_for_update(of=ROWS, skip_locked=True)
    rows = conn.execute(query).all()
    return [
        Doubt(
            row.id,
            row.campaign_id,
            row.contact_id,
            page_id,
            row.psid,
            row.attempt,
            row.settle_reads,
            row.intent_at + timedelta(milliseconds=row.clock_skew_ms or 0),
            row.shown_hash or "",
            row.intent_at,
        )
        for row in rows
    ]


_IN_DOUBT = (
    select(PAGES.c.id)
    .where(
        PAGES.c.state == PageState.READY,
        or_(PAGES.c.blocked_until.is_(None), PAGES.c.blocked_until <= bindparam("b_at")),
        PAGES.c.id.in_(
            select(CAMPAIGNS.c.page_id)
            .join(ROWS, ROWS.c.campaign_id == CAMPAIGNS.c.id)
            .where(ROWS.c.state == DeliveryState.UNCONFIRMED, ROWS.c.settle_at <= bindparam("b_at"))
        ),
    )
    .order_by(PAGES.c.id)
)
"""Asked at every turn of the sender, so built once."""


def pages_in_doubt(conn: Connection, at: datetime) -> list[int]:
    """Pages that can be called and have doubts to look up now."""
    return list(conn.execute(_IN_DOUBT, {"b_at": at}).scalars())


def anything_to_look_up(conn: Connection) -> bool:
    query = select(ROWS.c.id).where(ROWS.c.state == DeliveryState.UNCONFIRMED, ROWS.c.settle_at.is_not(None))
    return conn.execute(query.limit(1)).first() is not None


def reserve(conn: Connection, doubts: Sequence[Doubt], at: datetime) -> None:
    """Keep other workers from reading the same conversations meanwhile."""
    for part in ledger.chunks([doubt.id for doubt in doubts]):
        ledger.put_off(conn, part, at + READING_TAKES)


def judge(conn: Connection, doubt: Doubt, read: ConversationRead) -> Finding:
    """What a conversation proves about a doubt."""
    since = doubt.since - (CLOCK_STEP if doubt.shown_hash else SLACK)
    ours = [m for m in read.messages if m.from_page and m.at >= since.replace(microsecond=0)]
    taken = _attributed(conn, [message.id for message in ours])
    free = [message for message in ours if message.id not in taken]
    fitting = [message for message in free if _fits(message, doubt)]
    if fitting and (doubt.shown_hash or len(fitting) == 1):
        found = fitting[-1]  # newest first: the last is the oldest
        return Present(found.id, found.at)
    if fitting:
        return Open("Several messages of the Page could be this one.")
    if read.covers(since):
        return Absent()
    if not read.found:
        return Open("The platform shows no conversation with this person.")
    return Open("The conversation cannot be read back far enough.")


def write(conn: Connection, doubt: Doubt, finding: Finding, at: datetime, settle: timedelta) -> None:
    """Bring the row to what was found."""
    if isinstance(finding, Present):
        if ledger.settle(
            conn, doubt.id, doubt.attempt, DeliveryState.SENT, finding.at, message_id=finding.message_id
        ):
            ledger.note_sent(conn, [doubt.contact_id], at)
            early.catch_up(conn, [finding.message_id])
    elif isinstance(finding, Open):
        again = not finding.looked or doubt.reads + 1 < MAX_READS
        pause = min(timedelta(seconds=60), max(timedelta(seconds=1), settle)) * (doubt.reads + 1)
        ledger.look_again(
            conn, doubt.id, doubt.attempt, at + pause if again else None, finding.cause, finding.looked
        )
    elif doubt.attempt >= MAX_ATTEMPTS:
        text = f"Not taken in {doubt.attempt} attempts; the conversation shows that it never arrived."
        ledger.settle(conn, doubt.id, doubt.attempt, DeliveryState.FAILED, at, text=text)
    elif ledger.settle(conn, doubt.id, doubt.attempt, DeliveryState.WAITING, at):
        ledger.end_cancelled(conn, [doubt.id], at)


def _fits(message: ReadMessage, doubt: Doubt) -> bool:
    """By its text; where ours has none to compare (template, file), any message may be it."""
    return not doubt.shown_hash or shown_hash(message.text) == doubt.shown_hash


def _attributed(conn: Connection, message_ids: Sequence[str]) -> set[str]:
    """Message ids that belong to another row or to a test send."""
    found: set[str] = set()
    for column in (ROWS.c.message_id, TESTS.c.message_id):
        found.update(conn.execute(select(column).where(column.in_(message_ids))).scalars())
    return found
