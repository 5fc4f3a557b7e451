"""The ledger: one row per person and campaign from the moment of launch, and how far receipts reach."""

from datetime import datetime

from sqlalchemy import Index, UniqueConstraint, text
from sqlmodel import Field, SQLModel

from broadcaster.states import DeliveryState
from broadcaster.store.tables.contact import BigKey
from broadcaster.store.types import Instant


class Delivery(SQLModel, table=True):
    """One person's message in one campaign. State moves only through ``broadcaster.queue.ledger``."""

    __table_args__ = (
        UniqueConstraint("campaign_id", "contact_id"),
        Index("ix_delivery_state", "campaign_id", "state", "window_closes_at", "due_at", "id"),
        Index(
            "ix_delivery_owner",
            "owner",
            sqlite_where=text("owner IS NOT NULL"),
            postgresql_where=text("owner IS NOT NULL"),
        ),
        Index(
            "ix_delivery_doubt",
            "settle_at",
            sqlite_where=text("state = 'unconfirmed'"),
            postgresql_where=text("state = 'unconfirmed'"),
        ),
        Index("ix_delivery_sent", "contact_id", "sent_at"),
        Index(
            "ix_delivery_message",
            "message_id",
            sqlite_where=text("message_id IS NOT NULL"),
            postgresql_where=text("message_id IS NOT NULL"),
        ),
    )

    id: int | None = Field(default=None, primary_key=True, sa_type=BigKey)
    campaign_id: int = Field(foreign_key="campaign.id")
    contact_id: int = Field(foreign_key="contact.id", sa_type=BigKey)
    state: str = DeliveryState.WAITING
    reason: str | None = None
    """Rule that stopped a skipped row; cause of an unconfirmed one."""
    attempt: int = 0
    """How often it went on the wire: raised before the call, never lowered, part of the wire key."""
    retries: int = 0
    """Refusals of the platform's own making so far; waiting for a rate limit does not count."""
    owner: str | None = None
    """Incarnation of the sender that holds the row (random per process)."""
    leased_until: datetime | None = Field(default=None, sa_type=Instant)
    due_at: datetime | None = Field(default=None, sa_type=Instant)
    """Not before this instant (retry, recipient's local time)."""
    window_closes_at: datetime | None = Field(default=None, sa_type=Instant)
    """Soonest first; None: never."""
    wire_key: str | None = None
    """``install.row.attempt`` of the attempt now on the wire: travels in the message's metadata."""
    intent_at: datetime | None = Field(default=None, sa_type=Instant)
    settle_at: datetime | None = Field(default=None, sa_type=Instant)
    """When an unknown outcome may be looked up in the conversation; None: left to a person."""
    settle_reads: int = 0
    """How often the conversation was read without a proof."""
    first_attempt_at: datetime | None = Field(default=None, sa_type=Instant)
    sent_at: datetime | None = Field(default=None, sa_type=Instant)
    delivered_at: datetime | None = Field(default=None, sa_type=Instant)
    read_at: datetime | None = Field(default=None, sa_type=Instant)
    replied_at: datetime | None = Field(default=None, sa_type=Instant)
    ended_at: datetime | None = Field(default=None, sa_type=Instant)
    """When it failed, was skipped or cancelled."""
    message_id: str | None = None
    error_code: int | None = None
    error_subcode: int | None = None
    error_text: str | None = None
    text_hash: str | None = None
    """Hash of the whole rendered message."""
    shown_hash: str | None = None
    """Hash of the text as a conversation shows it, to recognise it when read back."""


class ReceiptMark(SQLModel, table=True):
    """Watermarks of one person: everything sent to them up to here is delivered, or read."""

    __tablename__ = "receipt_mark"

    contact_id: int = Field(primary_key=True, foreign_key="contact.id", sa_type=BigKey)
    delivered_until: datetime | None = Field(default=None, sa_type=Instant)
    read_until: datetime | None = Field(default=None, sa_type=Instant)


class EarlyReceipt(SQLModel, table=True):
    """A receipt that names a message id our own result has not written yet; gone once it was applied."""

    __tablename__ = "early_receipt"

    message_id: str = Field(primary_key=True)
    delivered_at: datetime | None = Field(default=None, sa_type=Instant)
    read_at: datetime | None = Field(default=None, sa_type=Instant)
