"""What goes on the wire: rendered messages, their keys, and the calls that carry them."""

from __future__ import annotations

import hashlib
import unicodedata
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple, Protocol

from broadcaster.errors import BroadcasterError
from broadcaster.graph.calls import SendRequest
from broadcaster.graph.client import GraphClient
from broadcaster.graph.outcomes import NotSent, Outcome
from broadcaster.graph.usage import Usage


class Outgoing(NamedTuple):
    """One message to one person. ``attempt`` is the number of this call, part of ``wire_key``."""

    id: int
    campaign_id: int
    contact_id: int
    psid: str
    attempt: int
    retries: int
    wire_key: str
    body: Mapping[str, Any]
    messaging_type: str
    tag: str | None
    text_hash: str
    shown_hash: str
    media: bool = False
    """Counts against the slower limit, and never goes in a batch."""


@dataclass(frozen=True, slots=True)
class Answers:
    """What came back for a call: one outcome per message in order, and what the headers told.

    ``fault``: why this Page cannot be called at all (no token); then nothing was sent.
    """

    outcomes: list[Outcome]
    usage: Usage | None = None
    skew_ms: int | None = None
    fault: str | None = None

    @property
    def weight(self) -> tuple[bool, int, int]:
        """Orders answers by how much their headers ask for: a fault, a wait, the quota in use."""
        usage = self.usage or Usage()
        return self.fault is not None, usage.regain_minutes, usage.percent


class Transport(Protocol):
    def send(self, page_id: int, rows: Sequence[Outgoing]) -> Answers:
        """One call: a single message, or a batch of up to 50. Never raises for the network's sake."""
        ...


class GraphTransport:
    """Calls through the Page's Graph client: one message alone, several as a batch."""

    def __init__(self, clients: Callable[[int], GraphClient]) -> None:
        self._clients = clients

    def send(self, page_id: int, rows: Sequence[Outgoing]) -> Answers:
        try:
            client = self._clients(page_id)
        except BroadcasterError as error:
            return Answers([NotSent(error.text)] * len(rows), fault=str(error))
        outcomes: list[Outcome]
        if len(rows) == 1:
            row = rows[0]
            outcomes = [
                client.send(
                    row.psid,
                    dict(row.body),
                    messaging_type=row.messaging_type,
                    tag=row.tag,
                    metadata=row.wire_key,
                )
            ]
        else:
            outcomes = client.send_batch(
                [SendRequest(row.psid, row.body, row.messaging_type, row.tag, row.wire_key) for row in rows]
            )
        return Answers(outcomes, client.last_usage, client.skew_ms)


def wire_key(install: str, row_id: int, attempt: int) -> str:
    """What travels in a message's metadata and comes back in its echo."""
    return f"{install}.{row_id}.{attempt}"


def parse_wire_key(metadata: str | None, install: str) -> tuple[int, int] | None:
    """(row id, attempt) of our own key; None for anything else, such as another installation's."""
    parts = (metadata or "").split(".")
    if len(parts) != 3 or parts[0] != install or not (parts[1].isdecimal() and parts[2].isdecimal()):
        return None
    return int(parts[1]), int(parts[2])


def shown_hash(text: str) -> str:
    """A short hash of a text as a conversation shows it, blind to spacing and Unicode form."""
    plain = " ".join(unicodedata.normalize("NFC", text).split())
    return hashlib.sha256(plain.encode()).hexdigest()[:32]
