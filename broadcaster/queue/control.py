"""What a person does to a launched campaign: pause, resume, cancel, decide doubts, send failures again."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from typing import Literal

from sqlalchemy import Connection, select

from broadcaster.audiences import saved
from broadcaster.audit.log import record
from broadcaster.campaigns import catalogue, lifecycle
from broadcaster.campaigns.catalogue import CampaignRow, get
from broadcaster.clock import Clock
from broadcaster.errors import BadInput, IllegalMove
from broadcaster.graph.errors import describe
from broadcaster.queue import ledger
from broadcaster.queue.breaker import pause_campaign, require_page
from broadcaster.queue.launch import launch
from broadcaster.queue.ledger import CAMPAIGNS, CONTACTS, ROWS
from broadcaster.states import AudienceKind, CampaignState, DeliveryState, PauseCause
from broadcaster.store import Store

Decision = Literal["sent", "again", "leave"]
SENT_AGAIN = "A person chose to send it again."


def pause(store: Store, campaign_id: int, actor: str, at: datetime) -> None:
    """Begin nothing more; what is on the wire comes back. Raises IllegalMove when it does not run."""
    with store.write() as conn:
        campaign = get(conn, campaign_id)
        if not pause_campaign(conn, campaign_id, PauseCause.HAND, f"Paused by {actor}.", at, actor):
            raise IllegalMove(f"{campaign.name!r} is {campaign.state}, not running.", "See its state first.")


def resume(store: Store, clock: Clock, campaign_id: int, actor: str) -> None:
    """Go on. One that was held back before its launch is launched now, as it is. Raises IllegalMove,
    PageStopped, RefusedByPolicy when it changed since it was approved."""
    at = clock.now()
    with store.write() as conn:
        campaign = get(conn, campaign_id)
        if campaign.state == CampaignState.MISSED:
            raise IllegalMove(
                f"{campaign.name!r} missed its start and was never begun.",
                "Send it now with a schedule for now, give it another time, or cancel it.",
            )
        if campaign.state != CampaignState.PAUSED:
            raise IllegalMove(f"{campaign.name!r} is {campaign.state}, not paused.", "See its state first.")
        require_page(conn, campaign.page_id)
        if campaign.launched_at is not None:
            after_canary = {"canary_passed_at": at} if campaign.pause_cause == PauseCause.CANARY else {}
            lifecycle.move(
                conn,
                campaign_id,
                CampaignState.RUNNING,
                at=at,
                pause_cause=None,
                pause_text=None,
                **after_canary,
            )
            _log(conn, campaign, "resumed", actor, at)
            return
    launch(store, clock, campaign_id, actor, accept_drift=True)


def cancel(store: Store, campaign_id: int, actor: str, at: datetime) -> int:
    """End it. Everybody who is surely not on the wire is cancelled; returns how many."""
    with store.write() as conn:
        campaign = get(conn, campaign_id)
        lifecycle.move(
            conn,
            campaign_id,
            CampaignState.CANCELLED,
            at=at,
            finished_at=at,
            pause_cause=None,
            pause_text=None,
        )
        cancelled = ledger.cancel_open(conn, campaign_id, at)
        _log(conn, campaign, "cancelled", actor, at, people=cancelled)
        return cancelled


def send_missed_now(store: Store, clock: Clock, campaign_id: int, actor: str) -> None:
    """A person's answer to a missed start, given in sight of how many are still reachable: send it now."""
    with store.read() as conn:
        require_page(conn, get(conn, campaign_id).page_id)
    launch(store, clock, campaign_id, actor, accept_drift=True)


def resolve_unconfirmed(
    conn: Connection, delivery_ids: Sequence[int], decision: Decision, actor: str, at: datetime
) -> int:
    """A person's word on doubts: treat as sent, send again (may duplicate), or leave. Returns how many.

    In a campaign that has ended, "again" ends the row as failed with that note; ``retry_failed`` then
    makes the campaign that sends them.
    """
    query = select(ROWS.c.id, ROWS.c.attempt, CAMPAIGNS.c.name, CAMPAIGNS.c.state).join(
        CAMPAIGNS, CAMPAIGNS.c.id == ROWS.c.campaign_id
    )
    done = 0
    names: set[str] = set()
    for part in ledger.chunks(list(delivery_ids)):
        doubts = query.where(ROWS.c.id.in_(part), ROWS.c.state == DeliveryState.UNCONFIRMED)
        for row in conn.execute(doubts).all():
            ended = row.state in (CampaignState.FINISHED, CampaignState.CANCELLED)
            done += _resolve(conn, row.id, row.attempt, decision, ended, at)
            names.add(row.name)
    for name in sorted(names):
        record(
            conn, at=at, actor=actor, action="decided doubts", subject_kind="campaign", subject=name,
            detail={"decision": decision, "people": done},
        )  # fmt: skip
    return done


def retry_failed(
    store: Store,
    campaign_id: int,
    name: str,
    actor: str,
    at: datetime,
    codes: Sequence[tuple[int | None, int | None]] | None = None,
) -> int:
    """A new draft, linked, for those who failed in a way that another try may cure; returns its id.

    ``codes``: only these (code, subcode) pairs, whether or not they look curable.
    """
    with store.write() as conn:
        campaign = get(conn, campaign_id)
        people = _failed_people(conn, campaign_id, codes)
        if not people:
            raise BadInput(
                f"Nobody of {campaign.name!r} failed in a way that another try can cure.",
                "See the failure report for what to repair first.",
            )
        draft = catalogue.draft_of(conn, campaign)
        audience = saved.save(
            conn, campaign.page_id, f"{name}: failed", {"all": []}, kind=AudienceKind.STATIC, now=at
        )
        saved.set_static(conn, audience.id, _psids(conn, people))
        copy = replace(draft, name=name, audience=f"{name}: failed", repeat=None)
        made = catalogue.create(conn, copy, actor=actor, at=at, parent_id=campaign_id)
        _log(conn, campaign, "retry made", actor, at, people=len(people), made=name)
        return made


def unconfirmed_ids(conn: Connection, campaign_id: int) -> list[int]:
    """Rows of a campaign whose outcome is open."""
    query = select(ROWS.c.id).where(
        ROWS.c.campaign_id == campaign_id, ROWS.c.state == DeliveryState.UNCONFIRMED
    )
    return list(conn.execute(query).scalars())


def _psids(conn: Connection, contact_ids: Sequence[int]) -> list[str]:
    found: list[str] = []
    for part in ledger.chunks(list(contact_ids)):
        found += conn.execute(select(CONTACTS.c.psid).where(CONTACTS.c.id.in_(part))).scalars()
    return found


def _resolve(
    conn: Connection, row_id: int, attempt: int, decision: Decision, ended: bool, at: datetime
) -> int:
    if decision == "sent":
        settled = ledger.settle(conn, row_id, attempt, DeliveryState.SENT, at)
        ledger.note_proven(conn, [row_id])
        return int(settled)
    if decision == "again" and ended:
        return int(ledger.settle(conn, row_id, attempt, DeliveryState.FAILED, at, text=SENT_AGAIN))
    if decision == "again":
        return int(ledger.settle(conn, row_id, attempt, DeliveryState.WAITING, at))
    ledger.leave(conn, row_id, attempt)
    return 1


def _failed_people(
    conn: Connection, campaign_id: int, codes: Sequence[tuple[int | None, int | None]] | None
) -> list[int]:
    rows = conn.execute(
        select(ROWS.c.contact_id, ROWS.c.error_code, ROWS.c.error_subcode, ROWS.c.error_text).where(
            ROWS.c.campaign_id == campaign_id, ROWS.c.state == DeliveryState.FAILED
        )
    ).all()
    wanted = set(codes or ())
    return [
        row.contact_id
        for row in rows
        if (
            (row.error_code, row.error_subcode) in wanted
            if codes is not None
            else row.error_text == SENT_AGAIN
            or (
                row.error_code is not None
                and describe(row.error_code, row.error_subcode, row.error_text or "").retryable
            )
        )
    ]


def _log(
    conn: Connection, campaign: CampaignRow, action: str, actor: str, at: datetime, **detail: object
) -> None:
    record(
        conn, at=at, actor=actor, action=action, subject_kind="campaign", subject=campaign.name, detail=detail
    )
