"""The launch: one transaction decides everybody of the audience and fills the ledger.

Whoever may be reached gets a row that waits; everybody else is noted with the rule that stops them.
Two launches of one campaign cannot both happen: the move to *running* is guarded.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import ColumnElement, Connection, func, insert, literal, select, update

from broadcaster.audit.log import record
from broadcaster.campaigns import lifecycle
from broadcaster.campaigns.catalogue import CampaignRow, get
from broadcaster.campaigns.question import question_for
from broadcaster.clock import Clock
from broadcaster.errors import IllegalMove, RefusedByPolicy
from broadcaster.policy import decide
from broadcaster.policy.question import Question
from broadcaster.queue.ledger import CAMPAIGNS, CONTACTS, ROWS
from broadcaster.queue.local_time import spread_by_local_time
from broadcaster.queue.steps import step
from broadcaster.states import CampaignState, DeliveryState
from broadcaster.store import Store
from broadcaster.store.tables import BlockedRecipient

BLOCKED = BlockedRecipient.__table__  # type: ignore[attr-defined]


@dataclass(frozen=True, slots=True)
class Launch:
    """How many of the audience got a row that waits, and how many are kept out."""

    eligible: int
    blocked: int


class AudienceDrift(RefusedByPolicy):
    """The audience differs more from what was approved than the campaign allows."""

    title = "The audience is not the one that was approved"


def launch(store: Store, clock: Clock, campaign_id: int, actor: str, *, accept_drift: bool = False) -> Launch:
    """Decide, fill the ledger, and run. Raises IllegalMove, RefusedByPolicy (changed since approved),
    AudienceDrift; then nothing has happened."""
    at = clock.now()
    with store.write() as conn:
        campaign = get(conn, campaign_id)
        if campaign.launched_at is not None:
            raise IllegalMove(f"{campaign.name!r} was launched before.", "Resume it, or make a copy of it.")
        lifecycle.require_seal(conn, campaign)
        question = question_for(conn, campaign, at)
        pack = f"{question.pack.name} {question.pack.version} {question.pack.checksum}"
        lifecycle.move(
            conn, campaign_id, CampaignState.RUNNING, at=at, launched_at=at, policy_pack=pack,
            pause_cause=None, pause_text=None,
        )  # fmt: skip
        done = _fill(conn, campaign, question)
        if not accept_drift:
            _check_drift(campaign, done)
        spread_by_local_time(conn, campaign, at)
        _note(conn, campaign, done, actor, at)
        step("launch.decided")
    step("launch.committed")
    return done


def _fill(conn: Connection, campaign: CampaignRow, question: Question) -> Launch:
    of_page = CONTACTS.c.page_id == question.page_id
    waiting = select(
        literal(campaign.id), CONTACTS.c.id, literal(str(DeliveryState.WAITING)),
        literal(0), literal(0), literal(0), decide.closes_at(question),
    ).where(of_page, question.audience, decide.allowed(question))  # fmt: skip
    columns = ["campaign_id", "contact_id", "state", "attempt", "retries", "settle_reads", "window_closes_at"]
    filling = insert(ROWS).from_select(columns, waiting, include_defaults=False)
    eligible = conn.execute(filling.execution_options(preserve_rowcount=True)).rowcount
    verdict: ColumnElement[str | None] = decide.verdict(question)
    kept_out = select(
        literal(campaign.id), CONTACTS.c.id, verdict, CONTACTS.c.last_interaction_at,
        literal(question.at, BLOCKED.c.decided_at.type),
    ).where(of_page, question.audience, verdict.is_not(None))  # fmt: skip
    noted = ["campaign_id", "contact_id", "reason", "last_interaction_at", "decided_at"]
    keeping_out = insert(BLOCKED).from_select(noted, kept_out)
    blocked = conn.execute(keeping_out.execution_options(preserve_rowcount=True)).rowcount
    return Launch(eligible, blocked)


def _check_drift(campaign: CampaignRow, done: Launch) -> None:
    limit = campaign.options.get("drift_limit_percent")
    approved = campaign.eligible_at_approval
    if limit is None or approved is None:
        return
    drift = 100.0 * abs(done.eligible - approved) / max(approved, 1)
    if drift > float(limit):
        raise AudienceDrift(
            f"{campaign.name!r} would reach {done.eligible} people, {approved} when it was approved: "
            f"{drift:.0f} % more or fewer, {float(limit):g} % are allowed.",
            "Resume it to send all the same, or take it back and have it approved again.",
        )


def _note(conn: Connection, campaign: CampaignRow, done: Launch, actor: str, at: datetime) -> None:
    reasons = {
        str(reason): number
        for reason, number in conn.execute(
            select(BLOCKED.c.reason, func.count())
            .where(BLOCKED.c.campaign_id == campaign.id)
            .group_by(BLOCKED.c.reason)
        )
    }
    conn.execute(
        update(CAMPAIGNS)
        .where(CAMPAIGNS.c.id == campaign.id)
        .values(
            audience_at_launch=done.eligible + done.blocked,
            eligible_at_launch=done.eligible,
            reasons_at_launch=reasons,
        )
    )
    record(
        conn,
        at=at,
        actor=actor,
        action="launched",
        subject_kind="campaign",
        subject=campaign.name,
        detail={
            "eligible": done.eligible,
            "blocked": done.blocked,
            "eligible_at_approval": campaign.eligible_at_approval,
        },
    )
