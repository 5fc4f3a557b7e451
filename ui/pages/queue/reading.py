"""What the queue page asks of the core; every function runs off the window's thread."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any, Literal

from broadcaster.campaigns import catalogue, lifecycle
from broadcaster.campaigns.catalogue import CampaignRow
from broadcaster.pages import listing
from broadcaster.queue import canary, control, due
from broadcaster.queue.local_time import first_start
from broadcaster.queue.plan import first_call_at
from broadcaster.queue.progress import Doubt, Progress, doubts, progress
from broadcaster.states import CampaignState, PageState

if TYPE_CHECKING:
    from broadcaster.workspace import Workspace

SHOWN = (CampaignState.MISSED, CampaignState.RUNNING, CampaignState.PAUSED, CampaignState.SCHEDULED)
"""In the order of the page: what needs a decision first."""


@dataclass(frozen=True, slots=True)
class FirstFew:
    """``until``: the rest may follow then; None: the first few are not out yet."""

    size: int
    until: datetime | None
    most_failures: float


@dataclass(frozen=True, slots=True)
class Sending:
    """One campaign as the queue has it."""

    campaign: CampaignRow
    page: Any
    progress: Progress | None
    starts_at: datetime | None
    undo_until: datetime | None
    """Nothing goes on the wire before this instant; None: no time to undo was asked for."""
    missed: str = ""
    first_few: FirstFew | None = None
    """While the first few are tried; None: they went well, or none were asked for."""
    doubts: Sequence[Doubt] = ()


@dataclass(frozen=True, slots=True)
class Board:
    stopped: Sequence[Any]
    """Pages that may not send."""
    sending: Sequence[Sending]
    ended_with_doubts: Sequence[Sending]


def board(conn: Any, at: datetime) -> Board:
    pages = {page.id: page for page in listing.pages(conn)}
    rows = catalogue.listing(conn)
    order = {state: place for place, state in enumerate(SHOWN)}
    shown = [row for row in rows if row.state in order]
    shown.sort(key=lambda row: (order[CampaignState(row.state)], row.start_at or at, row.id))
    ended = [row for row in rows if row.state in (CampaignState.FINISHED, CampaignState.CANCELLED)]
    left = [one for row in ended if (one := _sending(conn, row, pages, at)).doubts]
    stopped = [page for page in pages.values() if page.state not in (PageState.READY, PageState.DISCONNECTED)]
    return Board(stopped, [_sending(conn, row, pages, at) for row in shown], left)


def _sending(conn: Any, row: CampaignRow, pages: dict[int, Any], at: datetime) -> Sending:
    launched = row.launched_at is not None
    late = row.state == CampaignState.MISSED
    undo = first_call_at(row) if launched and row.options.get("undo_seconds") else None
    return Sending(
        campaign=row,
        page=pages.get(row.page_id),
        progress=progress(conn, row.id, at) if launched else None,
        starts_at=first_start(row),
        undo_until=undo if undo is not None and undo > at else None,
        missed=due.missed(conn, row, at).text if late else "",
        first_few=_first_few(conn, row, at),
        doubts=doubts(conn, row.id) if launched else (),
    )


def _first_few(conn: Any, row: CampaignRow, at: datetime) -> FirstFew | None:
    options = row.options.get("canary")
    if not options or row.state != CampaignState.RUNNING or row.canary_passed_at is not None:
        return None
    size = canary.canary_size(options, row.eligible_at_launch or 0)
    until = canary.canary(conn, row, at).until
    return FirstFew(size, until, float(options.get("max_failure_percent", canary.MOST_FAILURES)))


def troubles(workspace: Workspace) -> list[str]:
    """What keeps the sender or the scheduler from working, in words."""
    at_work = (workspace.sender, workspace.wake)
    return [each.trouble.text for each in at_work if each is not None and each.trouble.text]


Deed = Literal["pause", "resume", "cancel", "now", "back"]


def act(workspace: Workspace, campaign_id: int, deed: Deed) -> None:
    """Pause, resume, cancel, send a missed one now, or take a scheduled one back."""
    store, clock, actor = workspace.store, workspace.clock, workspace.settings.actor
    if deed == "pause":
        control.pause(store, campaign_id, actor, clock.now())
    elif deed == "resume":
        control.resume(store, clock, campaign_id, actor)
    elif deed == "cancel":
        control.cancel(store, campaign_id, actor, clock.now())
    elif deed == "now":
        control.send_missed_now(store, clock, campaign_id, actor)
    else:
        with store.write() as conn:
            lifecycle.resubmit(conn, campaign_id, actor=actor, at=clock.now())
    if workspace.sender is not None:
        workspace.sender.kick()
    workspace.hub.post("campaign", campaign_id)


def decide(workspace: Workspace, campaign_id: int, ids: Sequence[int], decision: control.Decision) -> int:
    """A person's word on doubts; returns how many it settled."""
    with workspace.store.write() as conn:
        done = control.resolve_unconfirmed(
            conn, ids, decision, workspace.settings.actor, workspace.clock.now()
        )
    if workspace.sender is not None:
        workspace.sender.kick()
    workspace.hub.post("delivery", campaign_id)
    return done
