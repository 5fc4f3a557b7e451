"""The first few, then a wait, then a judgement, then a ramp: how much of a campaign may go out now.

What did not surely arrive counts against it: failures, people who cannot be reached, doubts left open.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import Connection, and_, func, or_, select, update

from broadcaster.campaigns.catalogue import CampaignRow
from broadcaster.queue.ledger import CAMPAIGNS, ROWS
from broadcaster.states import ACCEPTED_STATES, DeliveryState

_OPEN_STATES = (DeliveryState.LEASED, DeliveryState.SENDING, DeliveryState.UNCONFIRMED)
_OPEN = or_(ROWS.c.state != DeliveryState.UNCONFIRMED, ROWS.c.settle_at.is_not(None))
_BAD = or_(
    ROWS.c.state == DeliveryState.FAILED,
    and_(ROWS.c.state == DeliveryState.UNCONFIRMED, ROWS.c.settle_at.is_(None)),
)

MOST_FAILURES = 5.0
"""Percent of the first few that may fail where the campaign does not say."""

RAMP = timedelta(minutes=5)
RAMP_FROM = 0.25
"""After the canary the pace grows evenly from this share to the whole."""


@dataclass(frozen=True, slots=True)
class Canary:
    """``room``: how many more may be claimed now (None: no limit), ``again_only``: of those tried before.
    ``until``: when to look again. ``failed_percent``: set when it went too badly."""

    room: int | None
    until: datetime | None = None
    failed_percent: float | None = None
    passed: bool = False
    again_only: bool = False


def canary(conn: Connection, campaign: CampaignRow, at: datetime) -> Canary:
    """Where a campaign's canary stands, from its rows."""
    options = campaign.options.get("canary")
    if not options:
        return Canary(None)
    size = canary_size(options, campaign.eligible_at_launch or 0)
    allowed = float(options.get("max_failure_percent", MOST_FAILURES))
    if campaign.canary_passed_at is not None:
        return _while_ramping(conn, campaign, campaign.canary_passed_at, size, allowed, at)
    tried, again, failed, last = conn.execute(
        select(
            func.count(),
            func.count().filter(ROWS.c.state == DeliveryState.WAITING),
            func.count().filter(_BAD),
            func.max(func.coalesce(ROWS.c.ended_at, ROWS.c.sent_at, ROWS.c.intent_at)),
        ).where(ROWS.c.campaign_id == campaign.id, ROWS.c.first_attempt_at.is_not(None))
    ).one()
    on_the_way, new = conn.execute(
        select(
            func.count().filter(_OPEN),
            func.count().filter(ROWS.c.state == DeliveryState.LEASED, ROWS.c.first_attempt_at.is_(None)),
        ).where(ROWS.c.campaign_id == campaign.id, ROWS.c.state.in_(_OPEN_STATES))
    ).one()
    if tried + new < size:
        return Canary(size - tried - new)
    if again:
        return Canary(again, again_only=True)
    if on_the_way or last is None:
        return Canary(0)
    until = last + timedelta(minutes=float(options.get("wait_minutes", 10)))
    if at < until:
        return Canary(0, until)
    percent = 100.0 * failed / tried
    if percent > allowed:
        return Canary(0, None, percent)
    return Canary(None, passed=True)


def _while_ramping(
    conn: Connection, campaign: CampaignRow, passed: datetime, size: int, allowed: float, at: datetime
) -> Canary:
    """The limit holds for what went out since the canary passed, until the pace is whole."""
    if at >= passed + RAMP:
        return Canary(None)
    ended = func.coalesce(ROWS.c.ended_at, ROWS.c.intent_at)
    failed = conn.execute(
        select(func.count()).where(ROWS.c.campaign_id == campaign.id, _BAD, ended > passed)
    ).scalar_one()
    if not failed:
        return Canary(None)
    sent = conn.execute(
        select(func.count()).where(
            ROWS.c.campaign_id == campaign.id,
            ROWS.c.state.in_(sorted(ACCEPTED_STATES)),
            ROWS.c.sent_at > passed,
        )
    ).scalar_one()
    percent = 100.0 * failed / (failed + sent)
    too_bad = failed + sent >= size and percent > allowed
    return Canary(0, None, percent) if too_bad else Canary(None)


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
