"""Applying stored events: to the people, to the ledger, to the Page. Bad ones never hold up the others.

A run of events is one transaction. When it fails it is halved until the bad event stands alone; that one
keeps its reason in the inbox. Applying an event twice changes nothing, so a crash in between costs nothing.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import Connection, Row, select, update

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

RUN = 1000
"""Events per transaction: small enough that the sender never waits long for the database."""

PAGES = Page.__table__  # type: ignore[attr-defined]
Event = Row[Any]


def apply_pending(store: Store, clock: Clock, hub: EventHub, limit: int | None = None) -> int:
    """Apply what waits in the inbox, oldest first, at most ``limit`` events. Returns how many were dealt with.

    Raises EnvironmentFault when the database is in the way; the events stay waiting.
    """
    done = 0
    while limit is None or done < limit:
        with store.read() as conn:
            events = conn.execute(
                select(EVENTS)
                .where(EVENTS.c.applied_at.is_(None))
                .order_by(EVENTS.c.id)
                .limit(RUN if limit is None else min(RUN, limit - done))
            ).all()
        if not events:
            break
        _apply(store, clock, events)
        done += len(events)
        _tell(hub, events)
    return done


def _apply(store: Store, clock: Clock, events: Sequence[Event]) -> None:
    try:
        with store.write() as conn:
            pages = _page_ids(conn, {event.graph_page_id for event in events})
            for graph_id in dict.fromkeys(event.graph_page_id for event in events):
                own = [event for event in events if event.graph_page_id == graph_id]
                _apply_to_page(conn, pages.get(graph_id), own)
            _close(conn, events, clock, None)
    except EnvironmentFault:
        raise
    except Exception as error:
        if len(events) == 1:
            _keep_with_error(store, clock, events[0], error)
            return
        log.info(
            "a run of webhook events failed and is halved", extra={"events": len(events)}, exc_info=error
        )
        half = len(events) // 2
        _apply(store, clock, events[:half])
        _apply(store, clock, events[half:])


def _apply_to_page(conn: Connection, page_id: int | None, events: Sequence[Event]) -> None:
    if page_id is None:
        raise meaning.Unreadable("The Page of this event is not connected.")
    found = meaning.Meaning()
    for event in events:
        if event.kind == EventKind.POLICY:
            _policy(conn, page_id, event)
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


def _policy(conn: Connection, page_id: int, event: Event) -> None:
    """Meta warns, blocks or frees the Page."""
    content = event.body.get("policy_enforcement") or event.body.get("policy-enforcement") or {}
    action, reason = str(content.get("action", "")), str(content.get("reason") or "no reason given")
    if action == "block":
        text = f"Meta stopped this Page from sending: {reason}. Settle it in the Page's Support Inbox."
        set_state(conn, page_id, PageState.RESTRICTED, text, event.at)
    elif action == "unblock":
        set_state(conn, page_id, PageState.READY, None, event.at)
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


def _close(conn: Connection, events: Sequence[Event], clock: Clock, error: str | None) -> None:
    conn.execute(
        update(EVENTS)
        .where(EVENTS.c.id.in_([event.id for event in events]))
        .values(applied_at=clock.now(), error=error)
    )


def _keep_with_error(store: Store, clock: Clock, event: Event, error: Exception) -> None:
    readable = isinstance(error, meaning.Unreadable)
    log.warning("a webhook event could not be applied", extra={"event": event.id}, exc_info=not readable)
    with store.write() as conn:
        _close(conn, [event], clock, str(error) if readable else f"{type(error).__name__}: {error}"[:500])


def _tell(hub: EventHub, events: Sequence[Event]) -> None:
    kinds = {event.kind for event in events}
    hub.post("webhook")
    if kinds & {
        EventKind.MESSAGE,
        EventKind.POSTBACK,
        EventKind.REFERRAL,
        EventKind.REACTION,
        EventKind.OPTIN,
    }:
        hub.post("contact")
    if kinds & {EventKind.ECHO, EventKind.DELIVERY, EventKind.READ, EventKind.MESSAGE, EventKind.POSTBACK}:
        hub.post("delivery")
    if EventKind.POLICY in kinds:
        hub.post("page")
    if EventKind.TEMPLATE in kinds:
        hub.post("template")
