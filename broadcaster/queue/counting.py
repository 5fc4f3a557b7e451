"""What a campaign's ledger says: counts, refusals and reasons. Always from the rows, never kept beside them."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import Connection, and_, func, select

from broadcaster.graph.errors import describe
from broadcaster.queue.ledger import CAMPAIGNS, ROWS
from broadcaster.states import ACCEPTED_STATES, DeliveryState
from broadcaster.store import outcomes


@dataclass(frozen=True, slots=True)
class Counts:
    """People of one campaign by state. ``sent`` counts all the platform accepted; ``delivered`` and
    ``read`` are facts about those; ``intended`` is the figure noted at launch, counted apart."""

    waiting: int = 0
    sending: int = 0
    sent: int = 0
    delivered: int = 0
    read: int = 0
    failed: int = 0
    skipped: int = 0
    unconfirmed: int = 0
    cancelled: int = 0
    intended: int = 0

    @property
    def total(self) -> int:
        return (
            self.sent
            + self.failed
            + self.skipped
            + self.unconfirmed
            + self.cancelled
            + self.waiting
            + self.sending
        )

    @property
    def adds_up(self) -> bool:
        """Is everybody who was eligible at the launch accounted for, once? False is a defect, shown in red."""
        return self.total == self.intended and self.read <= self.delivered <= self.sent


@dataclass(frozen=True, slots=True)
class ErrorCount:
    """How many failed with one error, and what to do about it. ``code`` None: not refused by the platform,
    but ended by this program."""

    code: int | None
    subcode: int | None
    count: int
    title: str
    advice: str


def counts(conn: Connection, campaign_id: int) -> Counts:
    """The campaign's counts in one consistent view."""
    query = select(ROWS.c.state, func.count()).where(ROWS.c.campaign_id == campaign_id).group_by(ROWS.c.state)
    by_state: dict[str, int] = {row[0]: row[1] for row in conn.execute(query)}
    receipts = (
        select(
            func.count().filter(outcomes.delivered()),
            func.count().filter(outcomes.read()),
        )
        .select_from(outcomes.with_marks())
        .where(ROWS.c.campaign_id == campaign_id, ROWS.c.state.in_(sorted(ACCEPTED_STATES)))
    )
    delivered, read = conn.execute(receipts).one()
    intended = conn.execute(
        select(CAMPAIGNS.c.eligible_at_launch).where(CAMPAIGNS.c.id == campaign_id)
    ).scalar_one_or_none()
    return Counts(
        waiting=by_state.get(DeliveryState.WAITING, 0) + by_state.get(DeliveryState.LEASED, 0),
        sending=by_state.get(DeliveryState.SENDING, 0),
        sent=sum(by_state.get(state, 0) for state in ACCEPTED_STATES),
        delivered=delivered,
        read=read,
        failed=by_state.get(DeliveryState.FAILED, 0),
        skipped=by_state.get(DeliveryState.SKIPPED, 0),
        unconfirmed=by_state.get(DeliveryState.UNCONFIRMED, 0),
        cancelled=by_state.get(DeliveryState.CANCELLED, 0),
        intended=intended or 0,
    )


def errors(conn: Connection, campaign_id: int) -> list[ErrorCount]:
    """Causes of the failed, most frequent first; they add up to ``failed``."""
    number = func.count().label("number")
    query = (
        select(ROWS.c.error_code, ROWS.c.error_subcode, number, func.min(ROWS.c.error_text))
        .where(ROWS.c.campaign_id == campaign_id, ROWS.c.state == DeliveryState.FAILED)
        .group_by(ROWS.c.error_code, ROWS.c.error_subcode)
        .order_by(number.desc(), ROWS.c.error_code)
    )
    found = []
    for code, subcode, count, text in conn.execute(query):
        known = describe(code, subcode, text or "")
        found.append(ErrorCount(code, subcode, count, known.title, known.advice))
    return found


def reasons(conn: Connection, campaign_id: int) -> dict[str, int]:
    """Rules that stopped people at the moment of sending (state ``skipped``), with how many."""
    query = (
        select(ROWS.c.reason, func.count())
        .where(and_(ROWS.c.campaign_id == campaign_id, ROWS.c.state == DeliveryState.SKIPPED))
        .group_by(ROWS.c.reason)
    )
    return {str(reason): number for reason, number in conn.execute(query)}
