"""What the answers' headers tell about the Page: quota in use, how long to wait, how its clock goes."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection, bindparam, select, update

from broadcaster.queue import breaker
from broadcaster.queue.breaker import PAGES, pause_campaign
from broadcaster.queue.lane import PageLane
from broadcaster.queue.ledger import CAMPAIGNS
from broadcaster.queue.prepared import PreparedQuery
from broadcaster.queue.wire import Answers
from broadcaster.states import CampaignState, PageState, PauseCause

NOTICED = 5
"""Percent points of quota, below which the stored figure is left as it is."""

SKEW_NOTICED_MS = 1500

_KNOWN = PreparedQuery(
    select(PAGES.c.usage_percent, PAGES.c.clock_skew_ms).where(PAGES.c.id == bindparam("b_page"))
)


def note_usage(conn: Connection, lane: PageLane, answers: Answers, at: datetime) -> set[int]:
    """Keep what the headers told; returns the campaigns paused because the Page cannot be called."""
    if answers.fault is not None:
        return _unusable(conn, lane.page_id, answers.fault, at)
    usage, skew = answers.usage, answers.skew_ms
    ((known_percent, known_skew),) = _KNOWN.rows(conn, b_page=lane.page_id)
    values: dict[str, Any] = {}
    if usage is not None:
        lane.usage_percent = usage.percent
        if abs(usage.percent - known_percent) >= NOTICED:
            values["usage_percent"] = usage.percent
        if usage.regain_minutes > 0:
            breaker.block_page(conn, lane.page_id, at + timedelta(minutes=usage.regain_minutes))
    if skew is not None and (known_skew is None or abs(known_skew - skew) >= SKEW_NOTICED_MS):
        values["clock_skew_ms"] = skew
    if values:
        conn.execute(update(PAGES).where(PAGES.c.id == lane.page_id).values(**values))
    return set()


def _unusable(conn: Connection, page_id: int, text: str, at: datetime) -> set[int]:
    conn.execute(
        update(PAGES)
        .where(PAGES.c.id == page_id)
        .values(state=PageState.DISCONNECTED, state_text=text, state_at=at)
    )
    running = conn.execute(
        select(CAMPAIGNS.c.id).where(
            CAMPAIGNS.c.page_id == page_id, CAMPAIGNS.c.state == CampaignState.RUNNING
        )
    ).scalars()
    return {id_ for id_ in running.all() if pause_campaign(conn, id_, PauseCause.PAGE, text, at)}
