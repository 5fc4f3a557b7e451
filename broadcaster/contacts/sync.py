"""People from the Conversations API: names, ids, the time of the last inbound message.

Polling sees messages, not taps, link clicks and reactions: windows found this way are *at least* so long.
It goes on where it stopped, and later reads only what changed since. It never moves a window backwards.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, insert, select, update

from broadcaster.clock import Clock
from broadcaster.contacts.interactions import CONTACTS, InteractionFact, ids_of, record
from broadcaster.graph.client import GraphClient
from broadcaster.graph.errors import classify
from broadcaster.graph.outcomes import CallRefused
from broadcaster.graph.reading import Conversation, ConversationPage
from broadcaster.states import InteractionKind, Source
from broadcaster.store import Store
from broadcaster.store.tables import Page

PAGES = Page.__table__  # type: ignore[attr-defined]

SECONDS_BETWEEN_CALLS = 0.5
"""The Conversations API takes two calls a second and Page."""
PATIENCE = 4
"""How often a page that was refused as too fast is asked for again, each time after twice the wait."""
_BAD_PARAMETER = 100


@dataclass(frozen=True, slots=True)
class SyncResult:
    """``at_least``: polling cannot see everything that opens a window."""

    conversations: int = 0
    created: int = 0
    updated: int = 0
    at_least: bool = True
    complete: bool = True


def sync_contacts(
    store: Store,
    clock: Clock,
    client: GraphClient,
    page_id: int,
    *,
    progress: Callable[[SyncResult], None] | None = None,
    cancelled: threading.Event | None = None,
) -> SyncResult:
    """Read the Page's conversations, newest first, down to where the last sync began.

    Raises CallRefused or Unreachable; what was read until then is kept and the next sync goes on there.
    """
    stop = cancelled or threading.Event()
    with store.read() as conn:
        page = conn.execute(select(PAGES).where(PAGES.c.id == page_id)).one()
    known, cursor = page.sync_newest_at, page.sync_cursor
    newest: datetime | None = None
    result = SyncResult()
    while True:
        found = _read(client, cursor, stop)
        fresh = [one for one in found.conversations if known is None or one.updated_at >= known]
        newest = max((one.updated_at for one in (*fresh, *_kept(newest, found))), default=newest)
        cursor = found.after if len(fresh) == len(found.conversations) else None
        with store.write() as conn:
            result = _take(conn, page_id, client.page_graph_id, fresh, result, clock.now())
            _note(conn, page_id, cursor, newest if cursor is None else None, clock.now())
        if progress:
            progress(result)
        if cursor is None:
            return result
        if stop.wait(SECONDS_BETWEEN_CALLS):
            return replace(result, complete=False)


def _read(client: GraphClient, cursor: str | None, stop: threading.Event) -> ConversationPage:
    """One page of conversations; waits where the platform says that calls come too fast."""
    for attempt in range(PATIENCE):
        try:
            return client.conversations(after=cursor)
        except CallRefused as refused:
            if refused.refusal.code == _BAD_PARAMETER and cursor is not None:
                cursor = None  # the place where the last sync stopped is not known any more
            elif classify(refused.refusal).kind != "rate" or stop.wait(SECONDS_BETWEEN_CALLS * 2**attempt):
                raise
    return client.conversations(after=cursor)


def _kept(newest: datetime | None, found: ConversationPage) -> Sequence[Conversation]:
    """A sync that goes on in the middle must not take the middle for the newest."""
    return () if newest is not None else found.conversations[:1]


def _take(
    conn: Connection,
    page_id: int,
    page: str,
    found: Sequence[Conversation],
    so_far: SyncResult,
    now: datetime,
) -> SyncResult:
    known = ids_of(conn, page_id, (one.psid for one in found))
    silent = [one for one in found if one.psid not in known and one.last_inbound_at is None]
    if silent:
        conn.execute(insert(CONTACTS), [_newcomer(page_id, one, now) for one in silent])
    record(conn, page_id, [_fact(page, one) for one in found if one.last_inbound_at is not None])
    named = [one for one in found if one.name and one.psid in known]
    for one in named:
        first, _, last = (one.name or "").partition(" ")
        conn.execute(
            update(CONTACTS)
            .where(CONTACTS.c.id == known[one.psid], CONTACTS.c.first_name.is_(None))
            .values(first_name=first or None, last_name=last or None)
        )
    return replace(
        so_far,
        conversations=so_far.conversations + len(found),
        created=so_far.created + sum(one.psid not in known for one in found),
        updated=so_far.updated + sum(one.psid in known for one in found),
    )


def _newcomer(page_id: int, one: Conversation, now: datetime) -> dict[str, Any]:
    first, _, last = (one.name or "").partition(" ")
    return {
        "page_id": page_id, "psid": one.psid, "first_name": first or None, "last_name": last or None,
        "opted_out": False, "unreachable": False, "source": Source.SYNC, "created_at": now, "updated_at": now,
    }  # fmt: skip


def _fact(page: str, one: Conversation) -> InteractionFact:
    inbound = next(message for message in one.read.messages if not message.from_page)
    return InteractionFact(
        one.psid,
        InteractionKind.MESSAGE,
        inbound.at,
        Source.SYNC,
        key=f"message:{page}:{inbound.id}",
        name=one.name,
    )


def _note(conn: Connection, page_id: int, cursor: str | None, newest: datetime | None, now: datetime) -> None:
    values: dict[str, Any] = {"sync_cursor": cursor, "last_sync_at": now}
    if newest is not None:
        values["sync_newest_at"] = newest
    conn.execute(update(PAGES).where(PAGES.c.id == page_id).values(**values))
