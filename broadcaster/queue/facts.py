"""What the platform tells about messages after the call: echoes, deliveries, reads and replies.

Facts may come late, twice, out of order, before our own result is committed, or about messages that
this program never sent; applying them gives the same end state in any order.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True)
class EchoFact:
    """The platform shows a message of ours. ``metadata`` is the wire key that travelled with it."""

    metadata: str | None
    mid: str
    at: datetime
    psid: str


@dataclass(frozen=True, slots=True)
class DeliveredFact:
    """Messages reached a device: the ones named, and all sent up to ``watermark``."""

    psid: str
    mids: tuple[str, ...] = ()
    watermark: datetime | None = None


@dataclass(frozen=True, slots=True)
class ReadFact:
    """Read up to ``watermark`` (Messenger), or the one message ``mid`` (Instagram), at ``at``."""

    psid: str
    watermark: datetime | None = None
    mid: str | None = None
    at: datetime | None = None


@dataclass(frozen=True, slots=True)
class RepliedFact:
    """The person wrote something at ``at``."""

    psid: str
    at: datetime


ReceiptFact = EchoFact | DeliveredFact | ReadFact | RepliedFact
