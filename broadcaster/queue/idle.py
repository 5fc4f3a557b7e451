"""Is there anything left to do, and when does the next thing become due?"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection, Select, and_, func, or_, select

from broadcaster.queue.due import coming_starts, due_campaigns
from broadcaster.queue.ledger import CAMPAIGNS, ROWS
from broadcaster.states import CampaignState, DeliveryState, PageState
from broadcaster.store.tables import Page

PAGES = Page.__table__  # type: ignore[attr-defined]


def is_idle(conn: Connection, at: datetime) -> bool:
    """Nothing due, being sent, or still to be resolved: when ``run --until-idle`` ends.

    Not counted: campaigns that start later, rows that wait for a wall time or the end of quiet hours,
    paused campaigns, Pages that may not send, and doubts left to a person.
    """
    return not due_campaigns(conn, at) and conn.execute(_busy(at)).first() is None


def next_due(conn: Connection, at: datetime) -> datetime | None:
    """When something becomes due: now while there is work, else the next start or row; None: never."""
    if not is_idle(conn, at):
        return at
    later = (
        select(func.min(ROWS.c.due_at))
        .join(CAMPAIGNS, CAMPAIGNS.c.id == ROWS.c.campaign_id)
        .where(
            CAMPAIGNS.c.state == CampaignState.RUNNING,
            ROWS.c.state == DeliveryState.WAITING,
            ROWS.c.due_at > at,
        )
    )
    instants = [conn.execute(later).scalar_one_or_none()]
    instants += coming_starts(conn, at, timedelta(days=3650))[:1]
    return min((instant for instant in instants if instant is not None), default=None)


def _busy(at: datetime) -> Select[Any]:
    # a row sent back by the platform waits seconds and is waited for; one that waits for a wall time is not
    due = or_(ROWS.c.due_at.is_(None), ROWS.c.due_at <= at, ROWS.c.attempt > 0)
    may_run = and_(CAMPAIGNS.c.state == CampaignState.RUNNING, PAGES.c.state == PageState.READY)
    doubt = and_(
        ROWS.c.state == DeliveryState.UNCONFIRMED,
        ROWS.c.settle_at.is_not(None),
        PAGES.c.state == PageState.READY,
    )
    waiting = and_(ROWS.c.state == DeliveryState.WAITING, due, may_run)
    moving = ROWS.c.state.in_((DeliveryState.LEASED, DeliveryState.SENDING))
    return (
        select(ROWS.c.id)
        .join(CAMPAIGNS, CAMPAIGNS.c.id == ROWS.c.campaign_id)
        .join(PAGES, PAGES.c.id == CAMPAIGNS.c.page_id)
        .where(or_(waiting, moving, doubt))
        .limit(1)
    )
