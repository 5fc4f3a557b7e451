"""The whole queue in four figures, for the window's status bar and home page."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, func, select

from broadcaster.queue.idle import next_due
from broadcaster.queue.ledger import CAMPAIGNS, ROWS
from broadcaster.queue.progress import rate
from broadcaster.states import CampaignState, DeliveryState

_MOVING = (CampaignState.RUNNING, CampaignState.PAUSED)


@dataclass(frozen=True, slots=True)
class Overview:
    """``per_second`` over the last minutes; ``in_doubt`` counts every campaign's unconfirmed sends."""

    waiting: int
    in_doubt: int
    per_second: float
    next_due: datetime | None


def overview(conn: Connection, at: datetime) -> Overview:
    """All campaigns together, at ``at``."""
    moving = select(CAMPAIGNS.c.id).where(CAMPAIGNS.c.state.in_(_MOVING))
    waiting = (DeliveryState.WAITING, DeliveryState.LEASED, DeliveryState.SENDING)
    rows = select(func.count()).select_from(ROWS)
    return Overview(
        waiting=conn.execute(
            rows.where(ROWS.c.campaign_id.in_(moving), ROWS.c.state.in_(waiting))
        ).scalar_one(),
        in_doubt=conn.execute(rows.where(ROWS.c.state == DeliveryState.UNCONFIRMED)).scalar_one(),
        per_second=rate(conn, ROWS.c.campaign_id.in_(moving), at),
        next_due=next_due(conn, at),
    )
