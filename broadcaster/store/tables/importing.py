"""Imports: what each did, and what is needed to take it back."""

from datetime import datetime
from typing import Any

from sqlalchemy import JSON
from sqlmodel import Field, SQLModel

from broadcaster.store.tables.contact import BigKey
from broadcaster.store.types import Instant


class ImportRun(SQLModel, table=True):
    """One import. ``done_rows`` is where it stopped when it did not finish."""

    __tablename__ = "import_run"

    id: int | None = Field(default=None, primary_key=True)
    page_id: int = Field(foreign_key="page.id")
    file_name: str
    file_sha256: str
    state: str = "running"
    """running, finished, cancelled, failed, undone"""
    label_mode: str = "add"
    done_rows: int = 0
    created: int = 0
    updated: int = 0
    unchanged: int = 0
    duplicates: int = 0
    rejected: int = 0
    rejects_file: str | None = None
    started_at: datetime = Field(sa_type=Instant)
    finished_at: datetime | None = Field(default=None, sa_type=Instant)
    actor: str


class ImportChange(SQLModel, table=True):
    """How a person whom an import changed stood before it; whom it created has ``contact.import_id``."""

    __tablename__ = "import_change"
    __table_args__ = ({"sqlite_with_rowid": False},)

    import_id: int = Field(primary_key=True, foreign_key="import_run.id")
    contact_id: int = Field(primary_key=True, foreign_key="contact.id", sa_type=BigKey)
    before: dict[str, Any] = Field(sa_type=JSON)
