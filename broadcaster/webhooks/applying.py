"""Applying stored events: to the people, to the ledger, to the Page. Bad ones never hold up the others.

A run of events is one transaction. When it fails it is halved until the bad event stands alone; that one
keeps its reason in the inbox. Applying an event twice changes nothing, so a crash in between costs nothing.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, cast

from sqlalchemy import Connection, Row, func, select, update
from sqlalchemy.exc import OperationalError

from broadcaster.audit import log as audit
from broadcaster.clock import Clock
from broadcaster.contacts import interactions, opt_out, people
from broadcaster.errors import EnvironmentFault
from broadcaster.events import EventHub
from broadcaster.pages.state import set_state
from broadcaster.pages.templates import note_status
from broadcaster.queue import receipts
from broadcaster.states import PageState, Source
from broadcaster.store import Store
from broadcaster.store.tables import Page
from broadcaster.webhooks import meaning
from broadcaster.webhooks.events import EventKind
from broadcaster.webhooks.inbox import EVENTS

log = logging.getLogger(__name__)

RUN, RUN_POSTGRES = 1000, 3000
"""Events per transaction. SQLite has one writer: small enough that the sender never waits long for it."""

_CONFLICTS = frozenset({"40001", "40P01"})
"""PostgreSQL: serialization failure, deadlock."""

PAGES = Page.__table__  # type: ignore[attr-defined]
Event = Row[Any]


def apply_pending(store: Store, clock: Clock, hub: EventHub, limit: int | None = None) -> int:
    """Apply what waits in the inbox, oldest first, at most ``limit`` events. Returns how many were dealt with.

    Several processes may do so at once on PostgreSQL: each event is one process's. Raises EnvironmentFault
    when the database is in the way; the events stay waiting.
    """
    done, run = 0, RUN if store.is_sqlite else RUN_POSTGRES
    while limit is None or done < limit:
        with store.read() as conn:
            waiting = conn.execute(
                select(EVENTS.c.id)
                .where(EVENTS.c.applied_at.is_(None))
                .order_by(EVENTS.c.id)
                .limit(run if limit is None else min(run, limit - done))
            ).scalars()
            ids = list(waiting)
        applied = _apply(store, clock, ids) if ids else 0
        if not applied:
            break
        done += applied
        if len(ids) < run:
            break  # what comes meanwhile is told of anew
    if done:
        _tell(hub)
    return done


def _apply(store: Store, clock: Clock, ids: Sequence[int]) -> int:
    """One transaction for a run of events; halved when it fails. Returns how many were dealt with."""
    try:
        with store.write() as conn:
            events = _taken(conn, ids)
            pages = _page_ids(conn, {event.graph_page_id for event in events})
            for graph_id in dict.fromkeys(event.graph_page_id for event in events):
                own = [event for event in events if event.graph_page_id == graph_id]
                _apply_to_page(conn, pages.get(graph_id), own)
            _close(conn, [event.id for event in events], clock, None)
            return len(events)
    except EnvironmentFault:
        raise
    except Exception as error:
        if _passing(error):
            raise EnvironmentFault("Another process was in the way in the database.") from error
        if len(ids) == 1:
            _keep_with_error(store, clock, ids[0], error)
            return 1
        log.info("a run of webhook events failed and is halved", extra={"events": len(ids)}, exc_info=error)
        half = len(ids) // 2
        return _apply(store, clock, ids[:half]) + _apply(store, clock, ids[half:])


def _taken(conn: Connection, ids: Sequence[int]) -> Sequence[Event]:
    """The events of these ids that nobody else is applying or has applied."""
    return conn.execute(
        select(EVENTS)
        .where(EVENTS.c.id.in_(ids), EVENTS.c.applied_at.is_(None))
        .order_by(EVENTS.c.id)
        .with_for_update(skip_locked=True)
    ).all()


def _passing(error: Exception) -> bool:
    """Two transactions met on PostgreSQL: nothing is wrong with the event."""
    return isinstance(error, OperationalError) and getattr(error.orig, "sqlstate", None) in _CONFLICTS


def _apply_to_page(conn: Connection, page_id: int | None, events: Sequence[Event]) -> None:
    if page_id is None:
        raise meaning.Unreadable("The Page of this event is not connected.")
    found = meaning.Meaning()
    for event in events:
        if event.kind == EventKind.POLICY:
            _policy(conn, page_id, event, _newest_policy(conn, events))
        elif event.kind == EventKind.TEMPLATE:
            note_status(conn, page_id, event.body.get("value") or {}, event.at)
        else:
            meaning.add(found, event.kind, event.key, event.at, event.body)
    known = interactions.record(conn, page_id, found.interactions) if found.interactions else {}
    _opt_outs(conn, page_id, known, found.said)
    if found.receipts:
        receipts.apply(conn, page_id, found.receipts)
    conn.execute(
        update(PAGES)
        .where(PAGES.c.id == page_id)
        .values(last_webhook_at=max(event.received_at for event in events))
    )


def _opt_outs(conn: Connection, page_id: int, known: Mapping[str, int], said: Sequence[meaning.Said]) -> None:
    for one in said:
        if not (one.stops or opt_out.is_opt_out(one.text, one.payload)):
            continue
        contact_id = known.get(one.psid) or people.find(conn, page_id, one.psid)
        if contact_id is not None:
            opt_out.opt_out(
                conn,
                contact_id,
                source=Source.WEBHOOK,
                reason="stopped messages in Messenger" if one.stops else f"wrote “{one.text or one.payload}”",
                actor="the person",
                at=one.at,
            )


def _newest_policy(conn: Connection, events: Sequence[Event]) -> datetime:
    """When Meta last said something about this Page, of all that is known by now."""
    known = conn.execute(
        select(func.max(EVENTS.c.at)).where(
            EVENTS.c.graph_page_id == events[0].graph_page_id, EVENTS.c.kind == EventKind.POLICY
        )
    ).scalar_one()
    return cast("datetime", known)


def _policy(conn: Connection, page_id: int, event: Event, newest: datetime) -> None:
    """Meta warns, blocks or frees the Page. Only its newest word decides, whatever the order of arrival."""
    content = event.body.get("policy_enforcement") or event.body.get("policy-enforcement") or {}
    action, reason = str(content.get("action", "")), str(content.get("reason") or "no reason given")
    if action == "block" and event.at >= newest:
        text = f"Meta stopped this Page from sending: {reason}. Settle it in the Page's Support Inbox."
        set_state(conn, page_id, PageState.RESTRICTED, text, event.received_at)
    elif action == "unblock" and event.at >= newest:
        set_state(conn, page_id, PageState.READY, None, event.received_at)
    audit.record(
        conn,
        at=event.at,
        actor="Meta",
        action=f"page.policy_{action or 'notice'}",
        subject_kind="page",
        subject=event.graph_page_id,
        detail={"reason": reason},
    )


def _page_ids(conn: Connection, graph_ids: set[str]) -> dict[str, int]:
    """Our Page of each entry id; Instagram's entries may carry the account's own id."""
    rows = conn.execute(
        select(PAGES.c.id, PAGES.c.graph_id, PAGES.c.instagram_id).where(
            PAGES.c.graph_id.in_(graph_ids) | PAGES.c.instagram_id.in_(graph_ids)
        )
    )
    return {graph_id: row.id for row in rows for graph_id in (row.instagram_id, row.graph_id) if graph_id}


def _close(conn: Connection, ids: Sequence[int], clock: Clock, error: str | None) -> None:
    conn.execute(update(EVENTS).where(EVENTS.c.id.in_(ids)).values(applied_at=clock.now(), error=error))


def _keep_with_error(store: Store, clock: Clock, event_id: int, error: Exception) -> None:
    readable = isinstance(error, meaning.Unreadable)
    log.warning("a webhook event could not be applied", extra={"event": event_id}, exc_info=not readable)
    with store.write() as conn:
        _close(conn, [event_id], clock, str(error) if readable else f"{type(error).__name__}: {error}"[:500])


def _tell(hub: EventHub) -> None:
    for kind in ("webhook", "contact", "delivery", "page", "template"):
        hub.post(kind)
