"""Saved audiences: a filter decided at send, a frozen set, or a list of ids."""

from datetime import datetime
from typing import Any

from sqlalchemy import JSON
from sqlmodel import Field, SQLModel

from broadcaster.states import AudienceKind
from broadcaster.store.tables.contact import BigKey
from broadcaster.store.types import Instant


class Audience(SQLModel, table=True):
    id: int | None = Field(default=None, primary_key=True)
    page_id: int = Field(foreign_key="page.id")
    name: str = Field(unique=True)
    kind: str = AudienceKind.DYNAMIC
    filter: dict[str, Any] = Field(default_factory=dict, sa_type=JSON)
    created_at: datetime = Field(sa_type=Instant)
    updated_at: datetime = Field(sa_type=Instant)


class AudienceMember(SQLModel, table=True):
    """Who is in a frozen or static audience."""

    __tablename__ = "audience_member"
    __table_args__ = ({"sqlite_with_rowid": False},)

    audience_id: int = Field(primary_key=True, foreign_key="audience.id")
    contact_id: int = Field(primary_key=True, foreign_key="contact.id", sa_type=BigKey)
