"""The whole queue in four figures, for the window's status bar and home page."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import Connection, func, select

from broadcaster.queue.idle import next_due
from broadcaster.queue.ledger import CAMPAIGNS, ROWS
from broadcaster.states import ACCEPTED_STATES, CampaignState, DeliveryState

RATE_SPAN = timedelta(seconds=30)
_MOVING = (CampaignState.RUNNING, CampaignState.PAUSED)


@dataclass(frozen=True, slots=True)
class Overview:
    """``per_second`` over the last 30 s; ``in_doubt`` counts every campaign's unconfirmed sends."""

    waiting: int
    in_doubt: int
    per_second: float
    next_due: datetime | None


def overview(conn: Connection, at: datetime) -> Overview:
    """All campaigns together, at ``at``."""
    moving = select(CAMPAIGNS.c.id).where(CAMPAIGNS.c.state.in_(_MOVING))
    waiting = (DeliveryState.WAITING, DeliveryState.LEASED, DeliveryState.SENDING)
    rows = select(func.count()).select_from(ROWS)
    recent = rows.where(
        ROWS.c.campaign_id.in_(moving),
        ROWS.c.state.in_(sorted(ACCEPTED_STATES)),
        ROWS.c.sent_at > at - RATE_SPAN,
    )
    return Overview(
        waiting=conn.execute(
            rows.where(ROWS.c.campaign_id.in_(moving), ROWS.c.state.in_(waiting))
        ).scalar_one(),
        in_doubt=conn.execute(rows.where(ROWS.c.state == DeliveryState.UNCONFIRMED)).scalar_one(),
        per_second=conn.execute(recent).scalar_one() / RATE_SPAN.total_seconds(),
        next_due=next_due(conn, at),
    )
