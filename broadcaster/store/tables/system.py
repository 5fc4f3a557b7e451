"""The workspace's own bookkeeping: settings, leases, installed policy packs."""

from datetime import datetime
from typing import Any

from sqlalchemy import JSON
from sqlmodel import Field, SQLModel

from broadcaster.store.types import Instant


class Setting(SQLModel, table=True):
    """A value a person can change in the window. Never a secret."""

    key: str = Field(primary_key=True)
    value: Any = Field(default=None, sa_type=JSON)


class Lease(SQLModel, table=True):
    """Who holds a role until when: ``dispatcher``, ``worker:<incarnation>``, ``page-budget:<page id>``."""

    name: str = Field(primary_key=True)
    owner: str
    expires_at: datetime = Field(sa_type=Instant)
    pace: dict[str, Any] | None = Field(default=None, sa_type=JSON)
    """A Page's shared pace, see ``broadcaster.queue.pacing``; written under the row's lock."""


class PolicyPack(SQLModel, table=True):
    """A policy pack installed from a file: newer than the shipped one, or laid over it."""

    __tablename__ = "policy_pack"

    id: int | None = Field(default=None, primary_key=True)
    name: str
    version: str
    checksum: str = Field(unique=True)
    body: str
    kind: str = "base"
    """base (replaces the shipped pack) or overlay"""
    active: bool = True
    installed_at: datetime = Field(sa_type=Instant)
    installed_by: str
