"""What became due: campaigns to launch, and campaigns whose time passed while nothing could start them.

The campaign's row says when; whoever asks, and however often, each is launched once: the move is guarded.
"""

from __future__ import annotations

import logging
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal

from sqlalchemy import Connection

from broadcaster.audit.log import record
from broadcaster.campaigns import lifecycle
from broadcaster.campaigns.catalogue import CampaignRow, listing
from broadcaster.campaigns.question import question_for
from broadcaster.clock import Clock
from broadcaster.errors import BroadcasterError, EnvironmentFault, IllegalMove
from broadcaster.events import EventHub
from broadcaster.policy import decide
from broadcaster.policy.active import active_pack
from broadcaster.queue.breaker import SENDER, PageStopped, require_page
from broadcaster.queue.launch import AudienceDrift, launch
from broadcaster.queue.local_time import first_start
from broadcaster.queue.recurring import plan_next
from broadcaster.states import CampaignState, LatePolicy, PauseCause
from broadcaster.store import Store

log = logging.getLogger(__name__)

LATE_AFTER = timedelta(minutes=15)
"""A start up to so late counts as on time: the program may just have been opened."""


@dataclass(frozen=True, slots=True)
class Missed:
    """How late a campaign is, and whom it still reaches now."""

    late: timedelta
    reachable: int
    audience: int

    @property
    def text(self) -> str:
        minutes = int(self.late.total_seconds()) // 60
        words = f"{minutes // 60} h {minutes % 60} min" if minutes >= 60 else f"{minutes} min"
        return f"Missed by {words}; {self.reachable:,} of {self.audience:,} still reachable."


def due_campaigns(conn: Connection, at: datetime) -> list[CampaignRow]:
    """Scheduled campaigns whose start has come, earliest first."""
    scheduled = listing(conn, CampaignState.SCHEDULED)
    ready = [row for row in scheduled if (start := first_start(row)) is not None and start <= at]
    return sorted(ready, key=lambda row: (row.start_at or at, row.id))


def coming_starts(conn: Connection, at: datetime, within: timedelta) -> list[datetime]:
    """When scheduled campaigns start, between ``at`` and ``at + within``."""
    starts = (first_start(row) for row in listing(conn, CampaignState.SCHEDULED))
    return sorted({start for start in starts if start is not None and at < start <= at + within})


def missed(conn: Connection, campaign: CampaignRow, at: datetime) -> Missed:
    """The figures a person decides on: send now, move, or cancel."""
    question = question_for(conn, campaign, at)
    reach = decide.check(conn, question)
    return Missed(at - (campaign.start_at or at), reach.eligible, reach.audience)


def start_due(store: Store, clock: Clock, hub: EventHub, actor: str = SENDER) -> list[int]:
    """Launch what is due, and mark what came too late; returns the launched campaigns' ids."""
    at = clock.now()
    with store.read() as conn:
        found = due_campaigns(conn, at)
    launched = []
    for campaign in found:
        # first, while this one is still due: a crash after its launch must not end the series
        plan_next(store, clock, campaign.id)
        if _start(store, clock, campaign, at, actor):
            launched.append(campaign.id)
        hub.post("campaign", campaign.id)
    return launched


def _start(store: Store, clock: Clock, campaign: CampaignRow, at: datetime, actor: str) -> bool:
    """Launch it, unless it is late or something speaks against it: then it is held with the reason."""
    late = campaign.start_at is not None and at - campaign.start_at > LATE_AFTER
    try:
        if late and not _decide_late(store, campaign, at):
            return False
        with store.read() as conn:
            require_page(conn, campaign.page_id)
        launch(store, clock, campaign.id, actor)
    except IllegalMove:
        return False  # somebody else was quicker
    except EnvironmentFault:
        raise
    except PageStopped as stopped:
        return _hold(store, campaign, PauseCause.PAGE, str(stopped), at)
    except AudienceDrift as drift:
        return _hold(store, campaign, PauseCause.DRIFT, str(drift), at)
    except BroadcasterError as error:  # one that cannot be launched must not keep the others from it
        return _hold(store, campaign, PauseCause.CHANGED, str(error), at)
    return True


def _hold(store: Store, campaign: CampaignRow, cause: PauseCause, text: str, at: datetime) -> Literal[False]:
    with suppress(IllegalMove), store.write() as conn:
        lifecycle.move(
            conn, campaign.id, CampaignState.PAUSED, at=at, pause_cause=str(cause), pause_text=text
        )
        _log(conn, campaign, "held back", at, text)
    return False


def _decide_late(store: Store, campaign: CampaignRow, at: datetime) -> bool:
    """Whether a late campaign may go all the same; otherwise it is marked for a person, or cancelled."""
    with store.write() as conn:
        figures = missed(conn, campaign, at)
        window = active_pack(conn).permission(campaign.permission).window
        if campaign.late_policy == LatePolicy.SEND and window is None:
            return True
        try:
            if campaign.late_policy == LatePolicy.SKIP:
                lifecycle.move(
                    conn, campaign.id, CampaignState.CANCELLED, at=at, finished_at=at, pause_text=figures.text
                )
                _log(conn, campaign, "cancelled", at, figures.text)
            else:
                lifecycle.move(conn, campaign.id, CampaignState.MISSED, at=at, pause_text=figures.text)
                _log(conn, campaign, "missed", at, figures.text)
        except IllegalMove:
            return False
    log.warning("a start was missed", extra={"campaign": campaign.id})
    return False


def _log(conn: Connection, campaign: CampaignRow, action: str, at: datetime, text: str) -> None:
    record(
        conn,
        at=at,
        actor=SENDER,
        action=action,
        subject_kind="campaign",
        subject=campaign.name,
        detail={"text": text},
    )
