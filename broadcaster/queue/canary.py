"""The first few, then a wait, then a judgement, then a ramp: how much of a campaign may go out now."""

from __future__ import annotations

import math
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import Connection, func, select, update

from broadcaster.campaigns.catalogue import CampaignRow
from broadcaster.queue.ledger import CAMPAIGNS, ROWS
from broadcaster.states import DeliveryState

RAMP = timedelta(minutes=5)
RAMP_FROM = 0.25
"""After the canary the pace grows evenly from this share to the whole."""


@dataclass(frozen=True, slots=True)
class Canary:
    """``room``: how many more may be claimed now (None: no limit). ``until``: when to look again.
    ``failed_percent``: set when the first few went too badly."""

    room: int | None
    until: datetime | None = None
    failed_percent: float | None = None
    passed: bool = False


def canary(conn: Connection, campaign: CampaignRow, at: datetime) -> Canary:
    """Where a campaign's canary stands, from its rows."""
    options = campaign.options.get("canary")
    if not options or campaign.canary_passed_at is not None:
        return Canary(None)
    size = canary_size(options, campaign.eligible_at_launch or 0)
    tried, open_, failed, last = conn.execute(
        select(
            func.count(),
            func.count().filter(ROWS.c.state.in_((DeliveryState.LEASED, DeliveryState.SENDING))),
            func.count().filter(ROWS.c.state == DeliveryState.FAILED),
            func.max(func.coalesce(ROWS.c.ended_at, ROWS.c.sent_at, ROWS.c.intent_at)),
        ).where(ROWS.c.campaign_id == campaign.id, ROWS.c.first_attempt_at.is_not(None))
    ).one()
    leased = conn.execute(
        select(func.count()).where(ROWS.c.campaign_id == campaign.id, ROWS.c.state == DeliveryState.LEASED)
    ).scalar_one()
    if tried < size:
        return Canary(max(0, size - tried - leased))
    if open_ or last is None:
        return Canary(0)
    until = last + timedelta(minutes=float(options.get("wait_minutes", 10)))
    if at < until:
        return Canary(0, until)
    percent = 100.0 * failed / tried
    if percent > float(options.get("max_failure_percent", 5)):
        return Canary(0, None, percent)
    return Canary(None, passed=True)


def canary_size(options: dict[str, float], people: int) -> int:
    if "first" in options:
        return min(people, int(options["first"]))
    return min(people, max(1, math.ceil(people * float(options["percent"]) / 100)))


def pass_canary(conn: Connection, campaign_id: int, at: datetime) -> None:
    """Note that the rest may follow."""
    conn.execute(
        update(CAMPAIGNS)
        .where(CAMPAIGNS.c.id == campaign_id, CAMPAIGNS.c.canary_passed_at.is_(None))
        .values(canary_passed_at=at)
    )


def ramped(campaign: CampaignRow, at: datetime) -> float:
    """The campaign's pace now, in messages a second."""
    if campaign.canary_passed_at is None or not campaign.options.get("canary"):
        return campaign.throttle_per_second
    share = (at - campaign.canary_passed_at) / RAMP
    return campaign.throttle_per_second * min(1.0, max(0.0, RAMP_FROM + (1 - RAMP_FROM) * share))
