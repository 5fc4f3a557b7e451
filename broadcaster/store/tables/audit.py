"""Who did what, chained; and reviewers' verdicts on findings."""

from datetime import datetime
from typing import Any

from sqlalchemy import JSON
from sqlmodel import Field, SQLModel

from broadcaster.store.types import Instant


class AuditEntry(SQLModel, table=True):
    """One act. ``hash`` covers the entry and ``previous``, so nothing can be changed or cut unseen."""

    __tablename__ = "audit_entry"

    id: int | None = Field(default=None, primary_key=True)
    at: datetime = Field(sa_type=Instant)
    actor: str
    action: str
    subject_kind: str
    subject: str = Field(index=True)
    detail: dict[str, Any] = Field(default_factory=dict, sa_type=JSON)
    previous: str
    hash: str


class FindingVerdict(SQLModel, table=True):
    """A reviewer's false alarm (per campaign) or a term allowed for a Page, with the reason."""

    __tablename__ = "finding_verdict"

    id: int | None = Field(default=None, primary_key=True)
    campaign_id: int | None = Field(default=None, foreign_key="campaign.id", index=True)
    page_id: int | None = Field(default=None, foreign_key="page.id", index=True)
    rule: str | None = None
    """None for an allowed term."""
    text: str
    reason: str
    actor: str
    at: datetime = Field(sa_type=Instant)
