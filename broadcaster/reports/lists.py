"""The people behind every figure: their ids in order, and rows by id, for tables of any length."""

from __future__ import annotations

from array import array
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Connection, Select, func, or_, select

from broadcaster.campaigns.catalogue import CampaignRow
from broadcaster.campaigns.question import question_for
from broadcaster.errors import BadInput
from broadcaster.graph.errors import describe
from broadcaster.policy import decide
from broadcaster.states import ACCEPTED_STATES, DeliveryState
from broadcaster.store import outcomes
from broadcaster.store.tables import BlockedRecipient, Contact, Delivery

CONTACTS = Contact.__table__  # type: ignore[attr-defined]
ROWS = Delivery.__table__  # type: ignore[attr-defined]
BLOCKED = BlockedRecipient.__table__  # type: ignore[attr-defined]

_WAITING = (DeliveryState.WAITING, DeliveryState.LEASED)
_PLAIN = ("sending", "failed", "skipped", "unconfirmed", "cancelled")


@dataclass(frozen=True, slots=True)
class ListRow:
    """One person of a list; ``id`` is the contact's. ``state`` is None for somebody who was kept out."""

    id: int
    psid: str
    first_name: str | None
    last_name: str | None
    last_interaction_at: datetime | None
    state: str | None = None
    reason: str | None = None
    attempts: int = 0
    sent_at: datetime | None = None
    delivered: bool = False
    read: bool = False
    replied_at: datetime | None = None
    error_title: str | None = None
    error_text: str | None = None
    advice: str | None = None


def blocked_ids(
    conn: Connection, campaign: CampaignRow, at: datetime, *, reason: str | None = None, text: str = ""
) -> array[int]:
    """Contacts kept out: of the launch, or as decided for ``at``. ``reason`` and ``text`` narrow it."""
    if campaign.launched_at is not None:
        query = select(BLOCKED.c.contact_id).where(BLOCKED.c.campaign_id == campaign.id)
        if reason:
            query = query.where(BLOCKED.c.reason == reason)
        query = query.join(CONTACTS, CONTACTS.c.id == BLOCKED.c.contact_id)
    else:
        question = question_for(conn, campaign, at)
        verdict = decide.verdict(question)
        wanted = verdict == reason if reason else verdict.is_not(None)
        query = select(CONTACTS.c.id).where(CONTACTS.c.page_id == campaign.page_id, question.audience, wanted)
    return _ids(conn, _named(query, text))


def eligible_ids(conn: Connection, campaign: CampaignRow, at: datetime, *, text: str = "") -> array[int]:
    """Contacts who would get it at ``at``; after the launch those who were to get it."""
    if campaign.launched_at is not None:
        return message_ids(conn, campaign, "intended", text=text)
    question = question_for(conn, campaign, at)
    query = select(CONTACTS.c.id).where(
        CONTACTS.c.page_id == campaign.page_id, question.audience, decide.allowed(question)
    )
    return _ids(conn, _named(query, text))


def message_ids(conn: Connection, campaign: CampaignRow, figure: str, *, text: str = "") -> array[int]:
    """Contacts behind a figure of the ledger: a name of ``Counts``, ``replied``, or ``error:CODE/SUBCODE``."""
    query = (
        select(CONTACTS.c.id)
        .select_from(outcomes.with_marks().join(CONTACTS, CONTACTS.c.id == ROWS.c.contact_id))
        .where(ROWS.c.campaign_id == campaign.id)
    )
    clause = _figure(figure)
    return _ids(conn, _named(query if clause is None else query.where(clause), text))


def blocked_rows(conn: Connection, campaign: CampaignRow, at: datetime, ids: Sequence[int]) -> list[ListRow]:
    """Rows of people who were kept out, in any order."""
    if campaign.launched_at is not None:
        query: Select[Any] = (
            select(*_PERSON, BLOCKED.c.reason)
            .join(BLOCKED, BLOCKED.c.contact_id == CONTACTS.c.id)
            .where(BLOCKED.c.campaign_id == campaign.id, CONTACTS.c.id.in_(ids))
        )
    else:
        verdict = decide.verdict(question_for(conn, campaign, at))
        query = select(*_PERSON, verdict.label("reason")).where(CONTACTS.c.id.in_(ids))
    return [
        ListRow(row.id, row.psid, row.first_name, row.last_name, row.last_interaction_at, reason=row.reason)
        for row in conn.execute(query)
    ]


def message_rows(conn: Connection, campaign: CampaignRow, ids: Sequence[int]) -> list[ListRow]:
    """Rows of the ledger by contact, with how far each message came."""
    query = (
        select(*_PERSON, ROWS, outcomes.delivered().label("is_delivered"), outcomes.read().label("is_read"))
        .select_from(outcomes.with_marks().join(CONTACTS, CONTACTS.c.id == ROWS.c.contact_id))
        .where(ROWS.c.campaign_id == campaign.id, CONTACTS.c.id.in_(ids))
    )
    return [_message_row(row) for row in conn.execute(query)]


def _message_row(row: Any) -> ListRow:
    failed = row.state == DeliveryState.FAILED
    cause = describe(row.error_code, row.error_subcode, row.error_text or "") if failed else None
    return ListRow(
        id=row.contact_id,
        psid=row.psid,
        first_name=row.first_name,
        last_name=row.last_name,
        last_interaction_at=row.last_interaction_at,
        state=_shown_state(row),
        reason=row.reason,
        attempts=row.attempt,
        sent_at=row.sent_at,
        delivered=bool(row.is_delivered),
        read=bool(row.is_read),
        replied_at=row.replied_at,
        error_title=cause.title if cause else None,
        error_text=row.error_text,
        advice=cause.advice if cause else None,
    )


def _shown_state(row: Any) -> str:
    """A watermark of the person may be ahead of the row."""
    if row.state not in ACCEPTED_STATES:
        return str(row.state)
    return str(
        DeliveryState.READ if row.is_read else DeliveryState.DELIVERED if row.is_delivered else row.state
    )


def _figure(figure: str) -> ColumnElement[bool] | None:
    if figure.startswith("error:"):
        code, _, subcode = figure.removeprefix("error:").partition("/")
        failed: ColumnElement[bool] = ROWS.c.state == DeliveryState.FAILED
        return failed & _equals(ROWS.c.error_code, code) & _equals(ROWS.c.error_subcode, subcode)
    if figure.startswith("skipped:"):
        skipped: ColumnElement[bool] = ROWS.c.state == DeliveryState.SKIPPED
        because: ColumnElement[bool] = ROWS.c.reason == figure.removeprefix("skipped:")
        return skipped & because
    found: dict[str, ColumnElement[bool] | None] = {
        "intended": None,
        "sent": outcomes.accepted(),
        "delivered": outcomes.delivered(),
        "read": outcomes.read(),
        "replied": outcomes.replied(),
        "waiting": ROWS.c.state.in_(_WAITING),
        **{state: ROWS.c.state == state for state in _PLAIN},
    }
    if figure not in found:
        raise BadInput(f"There is no figure {figure!r}.", f"Known: {', '.join(found)}.")
    return found[figure]


def _equals(column: Any, text: str) -> ColumnElement[bool]:
    clause: ColumnElement[bool] = column == int(text) if text else column.is_(None)
    return clause


def _named(query: Select[Any], text: str) -> Select[Any]:
    """Only people whose name or id holds ``text``; by name."""
    if text.strip():
        like = f"%{text.strip().lower()}%"
        names = func.coalesce(CONTACTS.c.first_name, "") + " " + func.coalesce(CONTACTS.c.last_name, "")
        query = query.where(or_(func.lower(names).like(like), CONTACTS.c.psid.like(like)))
    return query.order_by(CONTACTS.c.last_name, CONTACTS.c.first_name, CONTACTS.c.id)


def _ids(conn: Connection, query: Select[Any]) -> array[int]:
    return array("q", conn.execute(query).scalars())


_PERSON = (
    CONTACTS.c.id,
    CONTACTS.c.psid,
    CONTACTS.c.first_name,
    CONTACTS.c.last_name,
    CONTACTS.c.last_interaction_at,
)
