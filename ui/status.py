"""What the status bar says: asked of the core, put into words."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from ui import text
from ui.i18n import plural, tr

if TYPE_CHECKING:
    from broadcaster.workspace import Workspace


@dataclass(frozen=True, slots=True)
class Line:
    words: str
    tone: str = "muted"
    tip: str = ""


@dataclass(frozen=True, slots=True)
class Status:
    """One line each for queue, webhooks and sync."""

    lines: dict[str, Line]


def read_status(workspace: Workspace, page_id: int | None, zone: ZoneInfo) -> Status:
    """Runs off-thread."""
    from broadcaster.pages import listing

    now = workspace.clock.now()
    with workspace.store.read() as conn:
        page = next((page for page in listing.pages(conn) if page.id == page_id), None)
    port = workspace.receiver.port if workspace.receiver is not None else None
    last = page.last_webhook_at if page else None
    synced = page.last_sync_at if page else None
    hearing = tr("Webhooks: listening on port {port}", port=port) if port else tr("Webhooks: not listening")
    if last is not None:
        hearing += " · " + tr("last event {when}", when=text.when(last, zone, now))
    return Status(
        {
            "queue": _queue(workspace, zone),
            "webhooks": Line(hearing, "ok" if port else "muted", text.full_time(last, zone) if last else ""),
            "sync": Line(
                tr("Last sync: {when}", when=text.when(synced, zone, now))
                if synced
                else tr("Not synced yet"),
                "muted",
                text.full_time(synced, zone) if synced else "",
            ),
        }
    )


def _queue(workspace: Workspace, zone: ZoneInfo) -> Line:
    from broadcaster.queue import overview

    for owner in (workspace.sender, workspace.wake):
        if owner is not None and owner.trouble.text:
            return Line(tr("Queue: something is in the way"), "bad", owner.trouble.text)
    now = workspace.clock.now()
    with workspace.store.read() as conn:
        seen = overview.overview(conn, now)
    if seen.waiting:
        words = plural(seen.waiting, "Queue: {n} waiting", "Queue: {n} waiting")
        return Line(f"{words} · {tr('{rate}/s', rate=text.number(seen.per_second, 1))}", "accent")
    if seen.next_due is not None:
        return Line(tr("Queue: next campaign {when}", when=text.when(seen.next_due, zone, now)), "muted")
    return Line(tr("Queue: nothing to send"))
