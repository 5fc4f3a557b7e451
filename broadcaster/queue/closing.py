"""When a campaign is finished: nobody waits, nobody is on the wire, no doubt is still being looked up."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import ColumnElement, Connection, and_, or_, select

from broadcaster.audit.log import record
from broadcaster.campaigns import lifecycle
from broadcaster.queue.breaker import SENDER
from broadcaster.queue.counting import counts
from broadcaster.queue.ledger import CAMPAIGNS, ROWS
from broadcaster.queue.plan import Plan
from broadcaster.queue.steps import step
from broadcaster.states import CampaignState, DeliveryState
from broadcaster.store import Store


def still_open() -> ColumnElement[bool]:
    """Rows that keep a campaign going; doubts left to a person do not."""
    return or_(
        ROWS.c.state.in_((DeliveryState.WAITING, DeliveryState.LEASED, DeliveryState.SENDING)),
        and_(ROWS.c.state == DeliveryState.UNCONFIRMED, ROWS.c.settle_at.is_not(None)),
    )


def finish_done(store: Store, pages: Sequence[Plan], at: datetime) -> list[int]:
    """Finish the running campaigns that have nothing open; returns their ids."""
    running = [campaign.id for plan in pages for campaign in plan.campaigns]
    if not running:
        return []
    with store.read() as conn:
        done = [id_ for id_ in running if not _open(conn, id_)]
    if not done:
        return []
    with store.write() as conn:
        finished = [id_ for id_ in done if _finish(conn, id_, at)]
        step("finish.written")
    step("finish.committed")
    return finished


def _open(conn: Connection, campaign_id: int) -> bool:
    query = select(ROWS.c.id).where(ROWS.c.campaign_id == campaign_id, still_open()).limit(1)
    return conn.execute(query).first() is not None


def _finish(conn: Connection, campaign_id: int, at: datetime) -> bool:
    row = conn.execute(
        select(CAMPAIGNS.c.name, CAMPAIGNS.c.state).where(CAMPAIGNS.c.id == campaign_id).with_for_update()
    ).one()
    if row.state != CampaignState.RUNNING or _open(conn, campaign_id):
        return False
    lifecycle.move(conn, campaign_id, CampaignState.FINISHED, at=at, finished_at=at)
    found = counts(conn, campaign_id)
    detail = {
        "sent": found.sent,
        "failed": found.failed,
        "skipped": found.skipped,
        "unconfirmed": found.unconfirmed,
        "cancelled": found.cancelled,
    }
    record(
        conn, at=at, actor=SENDER, action="finished", subject_kind="campaign", subject=row.name, detail=detail
    )
    return True
