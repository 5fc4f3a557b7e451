"""A campaign's way from draft to schedule. Every state change is one guarded UPDATE with an audit entry."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from sqlalchemy import Connection, select, update

from broadcaster.audit.log import record
from broadcaster.campaigns.catalogue import CAMPAIGNS, CampaignRow, get
from broadcaster.campaigns.check import check_campaign
from broadcaster.campaigns.definition import check_zone
from broadcaster.campaigns.question import question_for
from broadcaster.campaigns.seal import changes_since_approval, content_of, seal_of
from broadcaster.clock import iso
from broadcaster.errors import BadInput, IllegalMove, RefusedByPolicy
from broadcaster.states import CAMPAIGN_MOVES, CampaignState
from broadcaster.store.tables import Setting

SETTINGS = Setting.__table__  # type: ignore[attr-defined]


def move(conn: Connection, campaign_id: int, to: CampaignState, *, at: datetime, **values: Any) -> None:
    """Go to ``to`` if the present state allows it, setting further columns. Raises IllegalMove."""
    sources = [state for state, targets in CAMPAIGN_MOVES.items() if to in targets]
    moved = conn.execute(
        update(CAMPAIGNS)
        .where(CAMPAIGNS.c.id == campaign_id, CAMPAIGNS.c.state.in_(sources))
        .values(state=to, updated_at=at, **values)
    )
    if moved.rowcount == 0:
        current = get(conn, campaign_id)
        raise IllegalMove(
            f"{current.name!r} is {current.state} and cannot become {to}.", _way_out(current.state, to)
        )


def submit(conn: Connection, campaign_id: int, *, actor: str, at: datetime, note: str = "") -> None:
    """Hand a draft to review."""
    move(conn, campaign_id, CampaignState.SUBMITTED, at=at, submitted_at=at, submitted_by=actor)
    _log(conn, campaign_id, "submitted", actor, at, note=note)


def approve(conn: Connection, campaign_id: int, *, actor: str, at: datetime, note: str = "") -> None:
    """Approve exactly what stands there now. Needs a note where a rule asks for a reason."""
    campaign = get(conn, campaign_id)
    if four_eyes(conn) and actor == campaign.submitted_by:
        raise RefusedByPolicy(
            f"{actor!r} submitted {campaign.name!r} and cannot approve it.", "Another person must approve it."
        )
    check = check_campaign(conn, campaign, campaign.start_at or at)
    if check.needs_reason and not note.strip():
        first = next(finding for finding in check.warnings if finding.severity == "violation")
        raise RefusedByPolicy(f"Approving needs a reason: {first.reason}", "Give it as a note.")
    content = content_of(conn, campaign)
    seal = seal_of(content)
    move(
        conn,
        campaign_id,
        CampaignState.APPROVED,
        at=at,
        decided_at=at,
        decided_by=actor,
        decision_note=note,
        seal=seal,
        sealed=content,
        audience_at_approval=check.reach.audience,
        eligible_at_approval=check.reach.eligible,
    )
    detail = {"audience": check.reach.audience, "eligible": check.reach.eligible, "seal": seal}
    _log(conn, campaign_id, "approved", actor, at, note=note, **detail)


def reject(conn: Connection, campaign_id: int, *, actor: str, at: datetime, note: str = "") -> None:
    """Back to draft, with the reviewer's note."""
    move(
        conn,
        campaign_id,
        CampaignState.DRAFT,
        at=at,
        decided_at=at,
        decided_by=actor,
        decision_note=note,
        seal=None,
    )
    _log(conn, campaign_id, "rejected", actor, at, note=note)


def schedule(
    conn: Connection,
    campaign_id: int,
    start: datetime,
    *,
    actor: str,
    at: datetime,
    wall: str | None = None,
    zone: str | None = None,
) -> None:
    """Set or change the start (an instant; ``wall`` and ``zone`` keep how it was chosen).

    RefusedByPolicy when it is not approved, changed since, or its way to send is retired on that date.
    """
    campaign = get(conn, campaign_id)
    if start < at:
        raise BadInput(f"{iso(start)} is in the past.", "Give a later time, or 'now'.")
    if zone is not None:
        check_zone(zone, "the schedule's time zone")
    if campaign.state in (CampaignState.DRAFT, CampaignState.SUBMITTED):
        raise RefusedByPolicy(f"{campaign.name!r} is not approved.", "Submit it, then have it approved.")
    require_seal(conn, campaign)
    _require_open(conn, campaign, start)
    values = {"start_at": start, "start_wall": wall, "start_zone": zone}
    if campaign.state == CampaignState.SCHEDULED:
        conn.execute(update(CAMPAIGNS).where(CAMPAIGNS.c.id == campaign_id).values(updated_at=at, **values))
    else:
        move(conn, campaign_id, CampaignState.SCHEDULED, at=at, **values)
    _log(conn, campaign_id, "scheduled", actor, at, start=iso(start))


def require_seal(conn: Connection, campaign: CampaignRow) -> None:
    """Raise RefusedByPolicy when anything the approval covers has changed since."""
    if campaign.seal is None:
        raise RefusedByPolicy(f"{campaign.name!r} is not approved.", "Submit it, then have it approved.")
    if changed := changes_since_approval(conn, campaign):
        fields = ", ".join(change.field for change in changed)
        raise RefusedByPolicy(
            f"{campaign.name!r} changed since it was approved: {fields}.",
            "Submit it again and have it approved.",
        )


def resubmit(conn: Connection, campaign_id: int, *, actor: str, at: datetime) -> None:
    """Take an approved or scheduled campaign back to draft, so that it can be submitted again."""
    move(conn, campaign_id, CampaignState.DRAFT, at=at, seal=None)
    _log(conn, campaign_id, "taken back", actor, at)


def four_eyes(conn: Connection) -> bool:
    """Must approver and submitter differ? (a setting, off for a single person's workspace)"""
    query = select(SETTINGS.c.value).where(SETTINGS.c.key == "four_eyes")
    return bool(conn.execute(query).scalar_one_or_none())


def _require_open(conn: Connection, campaign: CampaignRow, start: datetime) -> None:
    question = question_for(conn, campaign, start)
    if question.pack.state_on(campaign.permission, question.platform, start) != "retired":
        return
    permission = question.pack.permission(campaign.permission)
    instead = f"Use {permission.replaced_by}." if permission.replaced_by else "Choose another way to send."
    raise RefusedByPolicy(f"{permission.title} is retired on {start.astimezone(UTC):%d %b %Y}.", instead)


def _way_out(state: str, to: CampaignState) -> str:
    ways = {
        CampaignState.APPROVED: "Submit it first.",
        CampaignState.SUBMITTED: "Only a draft can be submitted.",
        CampaignState.SCHEDULED: "Have it approved first.",
    }
    if state in (CampaignState.FINISHED, CampaignState.CANCELLED):
        return "It has ended: make a copy of it."
    return ways.get(to, "See its state first.")


def _log(conn: Connection, campaign_id: int, action: str, actor: str, at: datetime, **detail: Any) -> None:
    name = get(conn, campaign_id).name
    kept = {key: value for key, value in detail.items() if value not in ("", None)}
    record(conn, at=at, actor=actor, action=action, subject_kind="campaign", subject=name, detail=kept)
