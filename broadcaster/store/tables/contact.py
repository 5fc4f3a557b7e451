"""People: one narrow row each, with typed slots for custom attributes, and what hangs on them.

Slots (``t1``… text, dates and yes/no; ``n1``… numbers) keep a filter over a million people one scan
of narrow rows or one covering index; the whole attribute set stands as JSON in ``contact_attributes``.
"""

from datetime import datetime
from typing import Any

from sqlalchemy import JSON, BigInteger, Column, Float, Index, Integer, UniqueConstraint
from sqlmodel import Field, SQLModel

from broadcaster.store.types import Instant

BigKey = BigInteger().with_variant(Integer, "sqlite")
"""64-bit everywhere; on SQLite the row id itself."""

TEXT_SLOTS = tuple(f"t{n}" for n in range(1, 13))
NUMBER_SLOTS = tuple(f"n{n}" for n in range(1, 9))


class Contact(SQLModel, table=True):
    """A person as one Page knows them (PSIDs are per Page)."""

    __table_args__ = (
        UniqueConstraint("page_id", "psid"),
        Index(
            "ix_contact_window",
            "page_id",
            "opted_out",
            "unreachable",
            "last_interaction_at",
            "last_message_at",
            "ad_window_until",
            "last_sent_at",
            "timezone",
            "first_name",
            "locale",
        ),
    )

    id: int | None = Field(default=None, primary_key=True, sa_type=BigKey)
    page_id: int = Field(foreign_key="page.id")
    psid: str
    first_name: str | None = None
    last_name: str | None = None
    locale: str | None = None
    timezone: str | None = None
    """IANA name, or an offset like ``+02:00``."""
    opted_out: bool = False
    opted_out_at: datetime | None = Field(default=None, sa_type=Instant)
    unreachable: bool = False
    unreachable_at: datetime | None = Field(default=None, sa_type=Instant)
    unreachable_text: str | None = None
    last_interaction_at: datetime | None = Field(default=None, sa_type=Instant)
    """Last action that opened the standard window; moves only forward."""
    last_interaction_source: str | None = None
    last_interaction_kind: str | None = None
    last_message_at: datetime | None = Field(default=None, sa_type=Instant)
    """Last message they wrote: what the seven-day windows count from."""
    ad_window_until: datetime | None = Field(default=None, sa_type=Instant)
    """Window possibly open until then (first message after an ad); never counted as sure."""
    entry_ref: str | None = None
    """``ref`` of the link or ad that last brought them."""
    last_sent_at: datetime | None = Field(default=None, sa_type=Instant)
    """Last campaign message the platform accepted, for frequency caps."""
    source: str = "import"
    created_at: datetime = Field(sa_type=Instant)
    updated_at: datetime = Field(sa_type=Instant)
    erased_at: datetime | None = Field(default=None, sa_type=Instant)
    import_id: int | None = None
    """The import that created them: what an undo of it takes away."""
    t1: str | None = None
    t2: str | None = None
    t3: str | None = None
    t4: str | None = None
    t5: str | None = None
    t6: str | None = None
    t7: str | None = None
    t8: str | None = None
    t9: str | None = None
    t10: str | None = None
    t11: str | None = None
    t12: str | None = None
    n1: float | None = Field(default=None, sa_column=Column(Float))
    n2: float | None = Field(default=None, sa_column=Column(Float))
    n3: float | None = Field(default=None, sa_column=Column(Float))
    n4: float | None = Field(default=None, sa_column=Column(Float))
    n5: float | None = Field(default=None, sa_column=Column(Float))
    n6: float | None = Field(default=None, sa_column=Column(Float))
    n7: float | None = Field(default=None, sa_column=Column(Float))
    n8: float | None = Field(default=None, sa_column=Column(Float))


class AttributeDefinition(SQLModel, table=True):
    """A custom attribute of a Page's people: its type and the slot that holds it (None: JSON only)."""

    __tablename__ = "attribute_definition"
    __table_args__ = (UniqueConstraint("page_id", "name"), UniqueConstraint("page_id", "slot"))

    id: int | None = Field(default=None, primary_key=True)
    page_id: int = Field(foreign_key="page.id")
    name: str
    type: str
    slot: str | None = None


class ContactAttributes(SQLModel, table=True):
    """All custom attributes of a person by name, as given; for display, export and overflow."""

    __tablename__ = "contact_attributes"

    contact_id: int = Field(primary_key=True, foreign_key="contact.id", sa_type=BigKey)
    values: dict[str, Any] = Field(default_factory=dict, sa_type=JSON)


class Label(SQLModel, table=True):
    __table_args__ = (UniqueConstraint("page_id", "name"),)

    id: int | None = Field(default=None, primary_key=True)
    page_id: int = Field(foreign_key="page.id")
    name: str


class ContactLabel(SQLModel, table=True):
    """Which label is on whom."""

    __tablename__ = "contact_label"
    __table_args__ = (
        Index("ix_contact_label_contact", "contact_id", "label_id"),
        {"sqlite_with_rowid": False},
    )

    label_id: int = Field(primary_key=True, foreign_key="label.id")
    contact_id: int = Field(primary_key=True, foreign_key="contact.id", sa_type=BigKey)


class Interaction(SQLModel, table=True):
    """One thing a person did: appended, never changed."""

    __table_args__ = (
        Index("ix_interaction_contact", "contact_id", "at"),
        Index("ix_interaction_page", "page_id", "at"),
    )

    id: int | None = Field(default=None, primary_key=True, sa_type=BigKey)
    page_id: int = Field(foreign_key="page.id")
    contact_id: int = Field(foreign_key="contact.id", sa_type=BigKey)
    kind: str
    at: datetime = Field(sa_type=Instant)
    source: str
    key: str | None = Field(default=None, unique=True)
    """De-duplication key (message id, or person+time+kind); None for imports."""
    ref: str | None = None
    ad_id: str | None = None


class OptRecord(SQLModel, table=True):
    """An opt-out or a new opt-in: who, why, where from."""

    __tablename__ = "opt_record"

    id: int | None = Field(default=None, primary_key=True)
    contact_id: int = Field(foreign_key="contact.id", index=True, sa_type=BigKey)
    opted_out: bool
    at: datetime = Field(sa_type=Instant)
    source: str
    reason: str
    actor: str
