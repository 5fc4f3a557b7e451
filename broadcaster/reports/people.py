"""The people behind the figures, as rows for a file: failures, blocked people, everybody."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection, Row, Select, literal, select

from broadcaster.campaigns.catalogue import CampaignRow
from broadcaster.campaigns.question import question_for
from broadcaster.clock import iso
from broadcaster.graph.errors import describe
from broadcaster.policy import decide
from broadcaster.reasons import reason_text
from broadcaster.states import DeliveryState, Reason
from broadcaster.store import outcomes
from broadcaster.store.tables import BlockedRecipient, Contact, Delivery

CONTACTS = Contact.__table__  # type: ignore[attr-defined]
DELIVERIES = Delivery.__table__  # type: ignore[attr-defined]
BLOCKED = BlockedRecipient.__table__  # type: ignore[attr-defined]

FAILURE_COLUMNS = (
    "campaign",
    "psid",
    "first_name",
    "last_name",
    "status",
    "error_code",
    "error_subcode",
    "error_title",
    "error_message",
    "advice",
    "retryable",
    "attempts",
    "first_attempt_at",
    "last_attempt_at",
    "message_id",
)
BLOCKED_COLUMNS = (
    "campaign",
    "psid",
    "first_name",
    "last_name",
    "reason",
    "rule",
    "explanation",
    "last_interaction_at",
    "window_closed_at",
    "reopens_when",
    "decided_at",
)
PEOPLE_COLUMNS = (
    "campaign",
    "psid",
    "first_name",
    "last_name",
    "status",
    "reason",
    "attempts",
    "sent_at",
    "delivered",
    "read",
    "replied_at",
    "error_code",
    "error_subcode",
    "message_id",
)
_WINDOWS = {Reason.OUTSIDE_24H: timedelta(hours=24), Reason.OUTSIDE_7D: timedelta(days=7)}
_STREAM = {"yield_per": 2000}


def failures(conn: Connection, campaign: CampaignRow) -> Iterator[tuple[Any, ...]]:
    """Everybody whose message failed or stayed unconfirmed: rows of FAILURE_COLUMNS, streamed."""
    query = (
        select(DELIVERIES, *_NAME)
        .join(CONTACTS, CONTACTS.c.id == DELIVERIES.c.contact_id)
        .where(
            DELIVERIES.c.campaign_id == campaign.id,
            DELIVERIES.c.state.in_((DeliveryState.FAILED, DeliveryState.UNCONFIRMED)),
        )
        .order_by(DELIVERIES.c.id)
    )
    for row in conn.execute(query, execution_options=_STREAM):
        yield _failure(campaign.name, row)


def _failure(campaign: str, row: Row[Any]) -> tuple[Any, ...]:
    cause = describe(row.error_code, row.error_subcode, row.error_text or "")
    doubtful = row.state == DeliveryState.UNCONFIRMED
    return (
        campaign,
        row.psid,
        row.first_name,
        row.last_name,
        row.state,
        row.error_code,
        row.error_subcode,
        "Outcome unknown" if doubtful else cause.title,
        row.error_text,
        "Look into the conversation before sending again." if doubtful else cause.advice,
        "no" if doubtful else ("yes" if cause.retryable else "no"),
        row.attempt,
        _text(row.first_attempt_at),
        _text(row.intent_at),
        row.message_id,
    )


def blocked(conn: Connection, campaign: CampaignRow, at: datetime) -> Iterator[tuple[Any, ...]]:
    """Everybody kept out, with the rule: of the launch, or as decided now when it has not started."""
    for row in conn.execute(_blocked_query(conn, campaign, at), execution_options=_STREAM):
        text = reason_text(row.reason)
        span = _WINDOWS.get(Reason(row.reason))
        closed = row.last_interaction_at + span if span and row.last_interaction_at else None
        yield (
            campaign.name,
            row.psid,
            row.first_name,
            row.last_name,
            row.reason,
            text.rule,
            text.explain(row.last_interaction_at, closed),
            _text(row.last_interaction_at),
            _text(closed),
            text.reopens,
            _text(row.decided_at),
        )


def _blocked_query(conn: Connection, campaign: CampaignRow, at: datetime) -> Select[Any]:
    if campaign.launched_at is not None:
        return (
            select(BLOCKED.c.reason, BLOCKED.c.last_interaction_at, BLOCKED.c.decided_at, *_NAME)
            .join(CONTACTS, CONTACTS.c.id == BLOCKED.c.contact_id)
            .where(BLOCKED.c.campaign_id == campaign.id)
            .order_by(BLOCKED.c.contact_id)
        )
    question = question_for(conn, campaign, campaign.start_at or at)
    verdict = decide.verdict(question)
    decided = literal(at, type_=CONTACTS.c.created_at.type).label("decided_at")
    return (
        select(verdict.label("reason"), CONTACTS.c.last_interaction_at, decided, *_NAME)
        .where(CONTACTS.c.page_id == campaign.page_id, question.audience, verdict.is_not(None))
        .order_by(CONTACTS.c.id)
    )


def everybody(conn: Connection, campaign: CampaignRow) -> Iterator[tuple[Any, ...]]:
    """Every row of the ledger with how far it came: rows of PEOPLE_COLUMNS, streamed."""
    query = (
        select(
            DELIVERIES,
            *_NAME,
            outcomes.delivered().label("is_delivered"),
            outcomes.read().label("is_read"),
        )
        .select_from(outcomes.with_marks().join(CONTACTS, CONTACTS.c.id == DELIVERIES.c.contact_id))
        .where(DELIVERIES.c.campaign_id == campaign.id)
        .order_by(DELIVERIES.c.id)
    )
    for row in conn.execute(query, execution_options=_STREAM):
        yield (
            campaign.name,
            row.psid,
            row.first_name,
            row.last_name,
            row.state,
            row.reason,
            row.attempt,
            _text(row.sent_at),
            "yes" if row.is_delivered else "no",
            "yes" if row.is_read else "no",
            _text(row.replied_at),
            row.error_code,
            row.error_subcode,
            row.message_id,
        )


_NAME = (CONTACTS.c.psid, CONTACTS.c.first_name, CONTACTS.c.last_name)


def _text(instant: datetime | None) -> str | None:
    return iso(instant) if instant else None
