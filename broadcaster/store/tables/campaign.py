"""A campaign as written, approved and launched; who was kept out of it; its test sends."""

from datetime import datetime
from typing import Any

from sqlalchemy import JSON, Index
from sqlmodel import Field, SQLModel

from broadcaster.states import CampaignState, LatePolicy
from broadcaster.store.tables.contact import BigKey
from broadcaster.store.types import Instant


class Campaign(SQLModel, table=True):
    """One broadcast. Figures ``*_at_launch`` are facts of the launch; everything else is counted from rows."""

    __table_args__ = (Index("ix_campaign_due", "state", "start_at"),)

    id: int | None = Field(default=None, primary_key=True)
    name: str = Field(unique=True)
    page_id: int = Field(foreign_key="page.id")
    audience_id: int = Field(foreign_key="audience.id")
    permission: str
    message: dict[str, Any] = Field(sa_type=JSON)
    exclude: list[str] = Field(default_factory=list, sa_type=JSON)
    """Names of audiences taken out."""
    throttle_per_second: float = 10.0
    quiet_hours: dict[str, Any] | None = Field(default=None, sa_type=JSON)
    """{"from": "21:00", "to": "08:00", "timezone": "recipient" | IANA name}"""
    frequency_cap: dict[str, Any] | None = Field(default=None, sa_type=JSON)
    """{"max": n, "per": "7d"}"""
    options: dict[str, Any] = Field(default_factory=dict, sa_type=JSON)
    """canary {"first": n | "percent": p, "wait_minutes": m, "max_failure_percent": q}, reply_brake (bool),
    drift_limit_percent, undo_seconds, recipient_local (bool), possible_ad_window (bool)"""
    late_policy: str = LatePolicy.ASK
    repeat: dict[str, Any] | None = Field(default=None, sa_type=JSON)
    """{"every": "day"|"week"|"month", "until": ISO date | "times": n}"""
    parent_id: int | None = Field(default=None, foreign_key="campaign.id")
    """The campaign it was made from (a repeat, or a retry of its failures)."""

    state: str = CampaignState.DRAFT
    pause_cause: str | None = None
    pause_text: str | None = None
    revision: int = 1
    """Raised by every edit; an approval holds for one revision."""
    created_at: datetime = Field(sa_type=Instant)
    created_by: str
    updated_at: datetime = Field(sa_type=Instant)
    submitted_at: datetime | None = Field(default=None, sa_type=Instant)
    submitted_by: str | None = None
    decided_at: datetime | None = Field(default=None, sa_type=Instant)
    decided_by: str | None = None
    decision_note: str | None = None
    seal: str | None = None
    """Hash of everything that was approved; checked again at launch."""
    sealed: dict[str, Any] | None = Field(default=None, sa_type=JSON)
    """What was approved, to show what changed since."""

    start_at: datetime | None = Field(default=None, sa_type=Instant)
    start_wall: str | None = None
    """The wall time as chosen (``2026-12-01T09:00``) with ``start_zone``, its IANA zone."""
    start_zone: str | None = None
    launched_at: datetime | None = Field(default=None, sa_type=Instant)
    finished_at: datetime | None = Field(default=None, sa_type=Instant)
    canary_passed_at: datetime | None = Field(default=None, sa_type=Instant)
    """When the first few went well enough, or a person chose to go on after them."""
    policy_pack: str | None = None
    """Name, version and checksum of the pack that decided the launch."""
    audience_at_approval: int | None = None
    eligible_at_approval: int | None = None
    audience_at_launch: int | None = None
    eligible_at_launch: int | None = None
    reasons_at_launch: dict[str, Any] = Field(default_factory=dict, sa_type=JSON)


class BlockedRecipient(SQLModel, table=True):
    """A person of the audience kept out at launch, with the rule and the fact that decided."""

    __tablename__ = "blocked_recipient"

    campaign_id: int = Field(primary_key=True, foreign_key="campaign.id")
    contact_id: int = Field(primary_key=True, foreign_key="contact.id", sa_type=BigKey)
    reason: str
    last_interaction_at: datetime | None = Field(default=None, sa_type=Instant)
    decided_at: datetime = Field(sa_type=Instant)


class TestSend(SQLModel, table=True):
    """A test message: marked as such and outside every count."""

    __tablename__ = "test_send"
    __test__ = False

    id: int | None = Field(default=None, primary_key=True)
    campaign_id: int = Field(foreign_key="campaign.id", index=True)
    psid: str
    at: datetime = Field(sa_type=Instant)
    actor: str
    outcome: str
    message_id: str | None = None
    error_text: str | None = None
