"""Taking the next people of a campaign: soonest closing window first, decided again in the same statement.

The first ``n`` due rows are leased and judged by the policy at once. Those whom a rule stops now are
skipped with that rule; quiet hours only postpone, as long as the person's window allows.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple

from sqlalchemy import (
    BigInteger,
    ColumnElement,
    Connection,
    and_,
    bindparam,
    case,
    exists,
    or_,
    select,
    type_coerce,
)

from broadcaster.campaigns.catalogue import CampaignRow
from broadcaster.campaigns.question import question_of_listed
from broadcaster.clock import epoch_ms
from broadcaster.policy import decide
from broadcaster.policy.quiet import QuietHours
from broadcaster.queue import ledger
from broadcaster.queue.ledger import CAMPAIGNS, CONTACTS, ROWS
from broadcaster.queue.steps import step
from broadcaster.states import CampaignState, DeliveryState, PageState, Reason
from broadcaster.store.tables import Page

PAGES = Page.__table__  # type: ignore[attr-defined]


class Claimed(NamedTuple):
    """A leased row. ``attempt`` counts the calls made so far; ``reason``: the rule that stops it now."""

    id: int
    contact_id: int
    attempt: int
    retries: int
    window_closes: int | None
    """Instant in ms, as it is stored: it is compared for everybody and read by nobody."""
    reason: str | None


_CAMPAIGN = bindparam("b_campaign", type_=ROWS.c.campaign_id.type)
_NOW = bindparam("b_at", type_=ROWS.c.due_at.type)
_MAY_SEND = (
    select(CAMPAIGNS.c.id)
    .join(PAGES, PAGES.c.id == CAMPAIGNS.c.page_id)
    .where(
        CAMPAIGNS.c.id == _CAMPAIGN,
        CAMPAIGNS.c.state == CampaignState.RUNNING,
        PAGES.c.state == PageState.READY,
        or_(PAGES.c.blocked_until.is_(None), PAGES.c.blocked_until <= _NOW),
    )
)
_LEASING = (
    ledger.moving(DeliveryState.LEASED, DeliveryState.WAITING)
    .values(owner=bindparam("b_owner"), leased_until=bindparam("b_until"))
    .returning(
        ROWS.c.id,
        ROWS.c.contact_id,
        ROWS.c.attempt,
        ROWS.c.retries,
        type_coerce(ROWS.c.window_closes_at, BigInteger),
        ROWS.c.reason,
    )
)


@dataclass(frozen=True, slots=True)
class Claim:
    """``rows`` to send; ``looked_at`` counts all rows taken up, also those skipped or postponed."""

    rows: list[Claimed]
    looked_at: int


def claim(
    conn: Connection, campaign: CampaignRow, most: int, owner: str, at: datetime, *, again_only: bool = False
) -> Claim:
    """Lease at most ``most`` rows that are due and allowed now, ``again_only``: of those tried before.

    One transaction of the caller.
    """
    verdict = _verdict(conn, campaign, at)
    found: list[Claimed] = []
    narrower = [ROWS.c.first_attempt_at.is_not(None)] if again_only else []
    if campaign.frequency_cap:
        narrower.append(~_on_its_way_from_another())
    for window in (ROWS.c.window_closes_at.is_not(None), ROWS.c.window_closes_at.is_(None)):
        if len(found) < most:
            among = and_(window, *narrower)
            found += _lease(conn, campaign, verdict, among, most - len(found), owner, at)
    step("claim.leased")
    stopped = [row for row in found if row.reason is not None]
    if stopped:
        _stop(conn, campaign, stopped, owner, at)
    kept = [row for row in found if row.reason is None]
    return Claim(kept, len(found))


def _on_its_way_from_another() -> ColumnElement[bool]:
    """Has the person a message of another campaign under way? A cap can count it only once it has arrived."""
    other = ROWS.alias("other")
    states = (DeliveryState.LEASED, DeliveryState.SENDING)
    in_doubt = and_(other.c.state == DeliveryState.UNCONFIRMED, other.c.settle_at.is_not(None))
    return exists().where(
        other.c.contact_id == ROWS.c.contact_id,
        other.c.campaign_id != ROWS.c.campaign_id,
        or_(other.c.state.in_(states), in_doubt),
    )


def _verdict(conn: Connection, campaign: CampaignRow, at: datetime) -> ColumnElement[str | None]:
    verdict: ColumnElement[str | None] = decide.verdict(question_of_listed(conn, campaign, at))
    if campaign.options.get("reply_brake") and campaign.launched_at is not None:
        return case((CONTACTS.c.last_message_at > campaign.launched_at, Reason.REPLIED), else_=verdict)
    return verdict


def _lease(
    conn: Connection,
    campaign: CampaignRow,
    verdict: ColumnElement[str | None],
    among: ColumnElement[bool],
    most: int,
    owner: str,
    at: datetime,
) -> list[Claimed]:
    picked = (
        select(ROWS.c.id, verdict.label("verdict"))
        .join(CONTACTS, CONTACTS.c.id == ROWS.c.contact_id)
        .where(
            ROWS.c.campaign_id.in_(_MAY_SEND),
            ROWS.c.campaign_id == _CAMPAIGN,
            ROWS.c.state == DeliveryState.WAITING,
            or_(ROWS.c.due_at.is_(None), ROWS.c.due_at <= _NOW),
            among,
        )
        .order_by(ROWS.c.window_closes_at, ROWS.c.due_at, ROWS.c.id)
        .limit(most)
    )
    if conn.dialect.name == "postgresql":
        picked = picked.with_for_update(of=ROWS, skip_locked=True)
    chosen = picked.cte("chosen")
    statement = _LEASING.where(ROWS.c.id == chosen.c.id).values(reason=chosen.c.verdict)
    given = {"b_campaign": campaign.id, "b_at": at, "b_owner": owner, "b_until": at + ledger.LEASE}
    rows = [Claimed(*row) for row in conn.execute(statement, given)]
    return sorted(rows, key=lambda row: (row.window_closes is None, row.window_closes, row.id))


def _stop(conn: Connection, campaign: CampaignRow, rows: Sequence[Claimed], owner: str, at: datetime) -> None:
    quiet = [row for row in rows if row.reason == Reason.QUIET_HOURS]
    later = _ends_of_quiet(conn, campaign, quiet, at)
    postponed = [
        (row.id, later[row.id])
        for row in quiet
        if row.window_closes is None or epoch_ms(later[row.id]) < row.window_closes
    ]
    kept_waiting = {id_ for id_, _ in postponed}
    ledger.postpone(conn, postponed, owner)
    ledger.skip(conn, [(row.id, str(row.reason)) for row in rows if row.id not in kept_waiting], owner, at)


def _ends_of_quiet(
    conn: Connection, campaign: CampaignRow, rows: Sequence[Claimed], at: datetime
) -> dict[int, datetime]:
    if not rows or campaign.quiet_hours is None:
        return {}
    query = select(CONTACTS.c.id, CONTACTS.c.timezone).where(
        CONTACTS.c.id.in_([row.contact_id for row in rows])
    )
    zones = {row.id: row.timezone for row in conn.execute(query)}
    quiet = QuietHours.parse(campaign.quiet_hours)
    return {row.id: quiet.ends_at(zones.get(row.contact_id), at) for row in rows}
