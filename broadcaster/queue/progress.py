"""How a campaign's sending goes right now: figures for the person who watches it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, Connection, func, select

from broadcaster.queue.counting import Counts, counts
from broadcaster.queue.ledger import CONTACTS, ROWS
from broadcaster.states import DeliveryState

RATE_OVER = timedelta(minutes=2)
MOST_DOUBTS = 500


@dataclass(frozen=True, slots=True)
class Progress:
    """``retrying`` of the waiting were sent back by the platform; ``undecided`` doubts are left to a person."""

    counts: Counts
    per_second: float
    retrying: int
    undecided: int
    next_at: datetime | None
    """When the first waiting row may go, if none may go now."""

    @property
    def done(self) -> int:
        return self.counts.total - self.counts.waiting - self.counts.sending

    def seconds_left(self, throttle: float) -> float | None:
        """At the rate of the last minutes, or at the throttle while there is none; None when nothing waits."""
        rate = self.per_second or throttle
        return self.counts.waiting / rate if self.counts.waiting and rate else None


@dataclass(frozen=True, slots=True)
class Doubt:
    """A message that may or may not have reached somebody."""

    id: int
    contact_id: int
    psid: str
    first_name: str | None
    last_name: str | None
    cause: str | None
    intent_at: datetime | None
    looked: int
    settle_at: datetime | None
    """When the conversation is read again; None: left to a person."""


def progress(conn: Connection, campaign_id: int, at: datetime) -> Progress:
    """The campaign's figures at ``at``, counted from rows."""
    of_campaign = ROWS.c.campaign_id == campaign_id
    waiting = ROWS.c.state == DeliveryState.WAITING
    doubtful = ROWS.c.state == DeliveryState.UNCONFIRMED
    retrying, undecided, ready, first = conn.execute(
        select(
            func.count().filter(waiting, ROWS.c.attempt > 0),
            func.count().filter(doubtful, ROWS.c.settle_at.is_(None)),
            func.count().filter(waiting, ROWS.c.due_at.is_(None) | (ROWS.c.due_at <= at)),
            func.min(ROWS.c.due_at).filter(waiting),
        ).where(of_campaign, ROWS.c.state.in_((DeliveryState.WAITING, DeliveryState.UNCONFIRMED)))
    ).one()
    return Progress(
        counts(conn, campaign_id), rate(conn, of_campaign, at), retrying, undecided, None if ready else first
    )


def rate(conn: Connection, of_campaigns: ColumnElement[bool], at: datetime) -> float:
    """Accepted messages a second over the last minutes, or since the first where that is less."""
    number, first = conn.execute(
        select(func.count(), func.min(ROWS.c.sent_at)).where(
            of_campaigns, ROWS.c.sent_at > at - RATE_OVER, ROWS.c.sent_at <= at
        )
    ).one()
    if not number:
        return 0.0
    seconds: float = (at - first).total_seconds()
    return int(number) / max(1.0, seconds)


def doubts(conn: Connection, campaign_id: int, most: int = MOST_DOUBTS) -> list[Doubt]:
    """The unconfirmed messages of a campaign, oldest first."""
    query = (
        select(
            ROWS.c.id, ROWS.c.contact_id, CONTACTS.c.psid, CONTACTS.c.first_name, CONTACTS.c.last_name,
            ROWS.c.reason, ROWS.c.intent_at, ROWS.c.settle_reads, ROWS.c.settle_at,
        )
        .join(CONTACTS, CONTACTS.c.id == ROWS.c.contact_id)
        .where(ROWS.c.campaign_id == campaign_id, ROWS.c.state == DeliveryState.UNCONFIRMED)
        .order_by(ROWS.c.intent_at, ROWS.c.id)
        .limit(most)
    )  # fmt: skip
    return [Doubt(*row) for row in conn.execute(query)]
