"""Conversations read in the background while no webhook arrives, at the interval kept in the settings."""

from __future__ import annotations

import logging
import threading
from datetime import timedelta
from typing import TYPE_CHECKING

from broadcaster.contacts.sync import sync_contacts
from broadcaster.errors import BroadcasterError
from broadcaster.pages import listing
from broadcaster.states import PageState
from broadcaster.store import values

if TYPE_CHECKING:
    from broadcaster.workspace import Workspace

log = logging.getLogger(__name__)

LOOK_SECONDS = 15.0
"""So often it is looked whether a Page is due."""
INTERVAL = "sync_minutes"
"""Where the interval is kept, in minutes; 0 is never."""
DEFAULT_MINUTES = 4


def follow(space: Workspace, stop: threading.Event, minutes: int | None = None) -> threading.Thread:
    """Sync Pages whenever they are due, in a thread of its own, until ``stop`` is set."""

    def run() -> None:
        while not stop.wait(LOOK_SECONDS):
            sync_due(space, stop, minutes)

    thread = threading.Thread(target=run, name="background-sync", daemon=True)
    thread.start()
    return thread


def sync_due(space: Workspace, stop: threading.Event, minutes: int | None = None) -> list[int]:
    """Sync the Pages whose last word is older than the interval; returns their ids. Trouble is only logged."""
    synced = []
    for page_id in due_pages(space, minutes):
        if stop.is_set():
            break
        try:
            sync_contacts(space.store, space.clock, space.graph_client(page_id), page_id, cancelled=stop)
        except BroadcasterError as error:
            log.info("background sync of a Page did not work: %s", error.text)
            continue
        space.hub.post("contact")
        space.hub.post("page", page_id)
        synced.append(page_id)
    return synced


def due_pages(space: Workspace, minutes: int | None = None) -> list[int]:
    """Ready Pages of which neither a webhook nor a sync told anything within the interval; none at 0."""
    now = space.clock.now()
    with space.store.read() as conn:
        wanted = int(values.value(conn, INTERVAL, DEFAULT_MINUTES)) if minutes is None else minutes
        pages = listing.pages(conn) if wanted else []
    long_ago = now - timedelta(minutes=wanted)
    heard = {
        page.id: max(filter(None, (page.last_sync_at, page.last_webhook_at)), default=None) for page in pages
    }
    return [
        page.id
        for page in pages
        if page.state == PageState.READY and ((last := heard[page.id]) is None or last <= long_ago)
    ]
