"""The inbox: every webhook event as it came, before anything is done with it."""

from datetime import datetime
from typing import Any

from sqlalchemy import JSON, Index, text
from sqlmodel import Field, SQLModel

from broadcaster.store.tables.contact import BigKey
from broadcaster.store.types import Instant


class WebhookEvent(SQLModel, table=True):
    """One event, stored once. ``applied_at`` is empty until the ledger and the people know of it."""

    __tablename__ = "webhook_event"
    __table_args__ = (
        Index(
            "ix_webhook_open",
            "id",
            sqlite_where=text("applied_at IS NULL"),
            postgresql_where=text("applied_at IS NULL"),
        ),
    )

    id: int | None = Field(default=None, primary_key=True, sa_type=BigKey)
    graph_page_id: str
    kind: str
    key: str = Field(unique=True)
    """De-duplication key, see ``broadcaster.webhooks``."""
    psid: str | None = None
    """Whom it concerns: lets a person's events be erased with them."""
    at: datetime = Field(sa_type=Instant)
    received_at: datetime = Field(sa_type=Instant)
    body: dict[str, Any] = Field(sa_type=JSON)
    applied_at: datetime | None = Field(default=None, sa_type=Instant)
    error: str | None = None
