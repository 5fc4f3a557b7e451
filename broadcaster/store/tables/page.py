"""A connected Page (or Instagram account) and its utility templates."""

from datetime import datetime
from typing import Any

from sqlalchemy import JSON, UniqueConstraint
from sqlmodel import Field, SQLModel

from broadcaster.states import PageState, TemplateStatus
from broadcaster.store.types import Instant


class Page(SQLModel, table=True):
    """One Page. ``graph_id`` is Meta's Page id; tokens are in the secret store, never here."""

    id: int | None = Field(default=None, primary_key=True)
    graph_id: str = Field(unique=True)
    name: str
    platform: str
    graph_url: str
    graph_version: str
    app_id: str | None = None
    instagram_id: str | None = None
    """Id of the Instagram account behind the Page, where it has one: Instagram's webhooks name it."""
    state: str = PageState.READY
    state_text: str | None = None
    """Plain sentence with the way out, when ``state`` is not ready."""
    state_at: datetime | None = Field(default=None, sa_type=Instant)
    features: dict[str, Any] = Field(default_factory=dict, sa_type=JSON)
    """Feature key (human_agent, utility, news, customer_feedback) → FeatureState."""
    scopes: list[str] = Field(default_factory=list, sa_type=JSON)
    token_expires_at: datetime | None = Field(default=None, sa_type=Instant)
    webhook_subscribed: bool = False
    last_webhook_at: datetime | None = Field(default=None, sa_type=Instant)
    last_sync_at: datetime | None = Field(default=None, sa_type=Instant)
    sync_cursor: str | None = None
    """Where an unfinished sync goes on; None when the last one ended."""
    sync_newest_at: datetime | None = Field(default=None, sa_type=Instant)
    """Newest ``updated_time`` a finished sync has seen: the next one stops there."""
    clock_skew_ms: int | None = None
    """Server's ``Date`` minus our clock at the last call."""
    blocked_until: datetime | None = Field(default=None, sa_type=Instant)
    """No calls before this instant (rate limit)."""
    throttle_per_second: float = 10.0
    usage_percent: int = 0
    practice: bool = False
    connected_at: datetime = Field(sa_type=Instant)


class Template(SQLModel, table=True):
    """A utility message template; its identity is Page + name + language."""

    __table_args__ = (UniqueConstraint("page_id", "name", "language"),)

    id: int | None = Field(default=None, primary_key=True)
    page_id: int = Field(foreign_key="page.id")
    name: str
    language: str
    graph_id: str | None = None
    status: str = TemplateStatus.PENDING
    rejected_reason: str | None = None
    parameter_format: str = "POSITIONAL"
    components: list[Any] = Field(default_factory=list, sa_type=JSON)
    synced_at: datetime = Field(sa_type=Instant)
