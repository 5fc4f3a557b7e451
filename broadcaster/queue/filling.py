"""Leasing the next people for a Page: its campaigns in turn, each within its own pace and canary."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection

from broadcaster.campaigns.catalogue import CampaignRow
from broadcaster.clock import Clock
from broadcaster.content.message import Message
from broadcaster.errors import BroadcasterError, EnvironmentFault
from broadcaster.events import EventHub
from broadcaster.policy.active import active_pack
from broadcaster.queue import breaker, ledger
from broadcaster.queue.budget import Budget
from broadcaster.queue.canary import canary, pass_canary, ramped
from broadcaster.queue.claim import Claimed, claim
from broadcaster.queue.lane import PageLane, minute_of
from broadcaster.queue.plan import Plan, first_call_at
from broadcaster.queue.rendering import render
from broadcaster.queue.steps import step
from broadcaster.queue.wire import Outgoing
from broadcaster.states import PauseCause
from broadcaster.store import Store

LOOK_AT_MOST = 500
"""Rows judged in one statement when rule after rule stops them."""

LOOKS = 8
POLL_SECONDS = 0.5
"""How soon to look again for rows that are not due yet."""


@dataclass(slots=True)
class _Share:
    """What one campaign may lease now, and when to ask again if that is nothing."""

    room: int
    again_only: bool = False
    """Only people who were tried before."""
    again: float = POLL_SECONDS
    key: str | None = None
    cost: float = 0.0
    stopped: bool = False


def take_up(
    store: Store,
    budget: Budget,
    clock: Clock,
    plan: Plan,
    lane: PageLane,
    wanted: int,
    limit: float,
    owner: str,
    install: str,
    hub: EventHub,
) -> float:
    """Lease and render up to ``wanted`` messages into ``lane``; returns when to look again if none came."""
    at = clock.now()
    turn = lane.turn % len(plan.campaigns)
    order = (*plan.campaigns[turn:], *plan.campaigns[:turn])
    again, changed = [POLL_SECONDS * 4], set[int]()
    found: list[Outgoing] = []
    with store.write() as conn:
        for index, campaign in enumerate(order):
            fair = -(-(wanted - len(found)) // (len(order) - index))
            share = _share(conn, budget, campaign, fair, limit, at)
            again.append(share.again)
            ready, moved = _unless_broken(conn, campaign, plan, share, owner, install, at)
            if share.key and ready:
                budget.take(conn, share.key, share.cost, len(ready))
            found += ready
            if moved or share.stopped:
                changed.add(campaign.id)
        step("claim.leased")
    step("claim.committed")
    lane.turn += 1
    if found and not lane.leased:
        lane.leased_at, lane.decided_in = clock.monotonic(), minute_of(at)
    lane.take_up(found)
    for campaign_id in changed:
        hub.post("campaign", campaign_id)
    return min(again)


def _share(
    conn: Connection, budget: Budget, campaign: CampaignRow, fair: int, limit: float, at: datetime
) -> _Share:
    starts = first_call_at(campaign)
    if starts is not None and at < starts:
        return _Share(0, again=(starts - at).total_seconds())
    few = canary(conn, campaign, at)
    if few.failed_percent is not None:
        text = (
            f"Of the first messages {few.failed_percent:.0f} % failed or are in doubt, more than allowed. "
            "See the failures; resume to send the rest all the same."
        )
        breaker.pause_campaign(conn, campaign.id, PauseCause.CANARY, text, at)
        return _Share(0, stopped=True)
    if few.passed:
        pass_canary(conn, campaign.id, at)
    room = fair if few.room is None else min(fair, few.room)
    pace = ramped(campaign, at)
    if room <= 0 or pace >= limit:
        return _Share(room, few.again_only)
    key, cost = f"campaign:{campaign.id}", 1.0 / pace
    granted = budget.grant(conn, key, cost, room)
    again = POLL_SECONDS if granted else min(POLL_SECONDS, budget.wait(key))
    return _Share(granted, few.again_only, again, key, cost)


def _unless_broken(
    conn: Connection, campaign: CampaignRow, plan: Plan, share: _Share, owner: str, install: str, at: datetime
) -> tuple[list[Outgoing], bool]:
    """As ``_lease_ready``; a campaign that cannot be decided any more is paused and holds up no other."""
    if share.room <= 0:
        return [], False
    try:
        return _lease_ready(conn, campaign, plan, share, owner, install, at)
    except EnvironmentFault:
        raise
    except BroadcasterError as error:
        return [], breaker.pause_campaign(conn, campaign.id, PauseCause.CHANGED, str(error), at)


def _lease_ready(
    conn: Connection, campaign: CampaignRow, plan: Plan, share: _Share, owner: str, install: str, at: datetime
) -> tuple[list[Outgoing], bool]:
    """Rendered messages of one campaign, and whether any row changed."""
    message = Message(campaign.message, plan.platform)
    permission = active_pack(conn).permission(campaign.permission)
    ready: list[Outgoing] = []
    moved, room = False, share.room
    look = room
    for _ in range(LOOKS):
        taken = claim(conn, campaign, look, owner, at, again_only=share.again_only)
        moved = moved or taken.looked_at > 0
        done = render(conn, campaign, message, permission, _within(conn, taken.rows, room, owner), install)
        ledger.skip(conn, done.skipped, owner, at)
        ledger.fail(conn, done.failed, owner, at)
        ready += done.ready
        room -= len(done.ready)
        if taken.looked_at < look or room <= 0:
            break
        look = min(LOOK_AT_MOST, look * 4)  # nearly all were stopped by a rule: judge more at once
    return ready, moved


def _within(conn: Connection, rows: list[Claimed], room: int, owner: str) -> list[Claimed]:
    """As many as there is room for; the others wait again."""
    if len(rows) > room:
        ledger.release(conn, owner, [row.id for row in rows[room:]])
    return rows[:room]
