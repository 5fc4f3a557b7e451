"""Reading what the platform posts: one value per event, with the key that makes it count once.

Shapes and de-duplication keys: Meta's webhook reference, messenger platform, read 2026-11-20. Ids come as
text or as numbers; events repeat and overtake each other. What cannot be read is kept as ``unreadable``.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any

from broadcaster.clock import from_epoch_ms
from broadcaster.errors import BadInput

KEY_LIMIT = 200
ID_LIMIT = 64
_LATEST_MS = 4_102_444_800_000  # year 2100: anything later is not a time


class EventKind(StrEnum):
    MESSAGE = "message"
    ECHO = "echo"
    DELIVERY = "delivery"
    READ = "read"
    POSTBACK = "postback"
    REFERRAL = "referral"
    REACTION = "reaction"
    OPTIN = "optin"
    POLICY = "policy"
    TEMPLATE = "template"
    OTHER = "other"
    """Known to the platform, of no consequence here (edits, feedback, thread control …)."""
    UNREADABLE = "unreadable"


@dataclass(frozen=True, slots=True)
class InboundEvent:
    """One event. ``graph_page_id`` is the entry's id; ``body`` the event as it came.

    ``psid``: the person concerned, None where there is none (policy, templates, plugin without an id).
    """

    graph_page_id: str
    kind: EventKind
    key: str
    at: datetime
    psid: str | None
    body: Mapping[str, Any]


_CONTENT = {
    "message": EventKind.MESSAGE,
    "delivery": EventKind.DELIVERY,
    "read": EventKind.READ,
    "postback": EventKind.POSTBACK,
    "referral": EventKind.REFERRAL,
    "reaction": EventKind.REACTION,
    "optin": EventKind.OPTIN,
    "policy_enforcement": EventKind.POLICY,
    "policy-enforcement": EventKind.POLICY,
}
_TEMPLATE_FIELDS = frozenset({"message_template_status_update", "messenger_template_status_update"})


def parse(raw: bytes, received: datetime | None = None) -> list[InboundEvent]:
    """All events of one POST, in order. BadInput when it is not the platform's envelope at all.

    ``received`` stands in for the time of an event that has none (default: now).
    """
    try:
        envelope = json.loads(raw)
    except ValueError as error:
        raise BadInput("The webhook's body is not JSON.") from error
    entries = envelope.get("entry") if isinstance(envelope, dict) else None
    if not isinstance(entries, list):
        raise BadInput("The webhook's body has no entries.")
    moment = received or datetime.now(UTC)
    return [event for entry in entries if isinstance(entry, dict) for event in _entry(entry, moment)]


def _entry(entry: Mapping[str, Any], received: datetime) -> Iterator[InboundEvent]:
    page = _id(entry) or ""
    fallback = instant_of(entry.get("time")) or received
    for name in ("messaging", "standby"):
        rows = entry.get(name)
        for body in rows if isinstance(rows, list) else ():
            yield _messaging(page, body, fallback)
    changes = entry.get("changes")
    for body in changes if isinstance(changes, list) else ():
        yield _change(page, body, fallback)


def _messaging(page: str, body: Any, fallback: datetime) -> InboundEvent:
    if not isinstance(body, dict):
        return _unreadable(page, {"event": body}, fallback)
    name = next((name for name in _CONTENT if name in body), None)
    at = instant_of(body.get("timestamp")) or fallback
    if name is None:
        return InboundEvent(page, EventKind.OTHER, _digest(EventKind.OTHER, page, body), at, None, body)
    content = body[name]
    sender, recipient = _id(body.get("sender")), _id(body.get("recipient"))
    kind = _CONTENT[name]
    if not isinstance(content, dict):
        return _unreadable(page, body, at)
    if content.get("is_deleted"):  # taken back on Instagram, under the id of the message itself
        return InboundEvent(page, EventKind.OTHER, _digest(EventKind.OTHER, page, body), at, sender, body)
    if kind is EventKind.MESSAGE and (content.get("is_echo") or sender == page):
        kind, sender = EventKind.ECHO, recipient
    if sender is None and kind not in {EventKind.POLICY, EventKind.OPTIN}:
        return _unreadable(page, body, at)
    key = _key(kind, page, sender, at, content)
    if key is None:
        return _unreadable(page, body, at)
    return InboundEvent(page, kind, _short(key), at, sender, body)


def _change(page: str, body: Any, fallback: datetime) -> InboundEvent:
    if not isinstance(body, dict):
        return _unreadable(page, {"change": body}, fallback)
    kind = EventKind.TEMPLATE if body.get("field") in _TEMPLATE_FIELDS else EventKind.OTHER
    # the same status may come again later in a template's life: the entry's time is part of the key
    stamped = {"at": fallback.isoformat(), **body}
    return InboundEvent(page, kind, _digest(kind, page, stamped), fallback, None, body)


def _key(
    kind: EventKind, page: str, psid: str | None, at: datetime, content: Mapping[str, Any]
) -> str | None:
    """The de-duplication key; None when the event lacks what makes it one."""
    moment = int(at.timestamp() * 1000)
    mid = content.get("mid")
    match kind:
        case EventKind.MESSAGE | EventKind.ECHO:
            return f"{kind}:{page}:{mid}" if mid else None
        case EventKind.POSTBACK:
            return f"{kind}:{page}:{mid or f'{psid}:{moment}:' + str(content.get('payload', ''))}"
        case EventKind.DELIVERY:
            mids = content.get("mids") or []
            if not isinstance(mids, list) or not (mids or content.get("watermark")):
                return None
            return f"{kind}:{page}:{psid}:{content.get('watermark')}:{','.join(sorted(map(str, mids)))}"
        case EventKind.READ:
            mark = content.get("watermark") or mid
            return f"{kind}:{page}:{psid}:{mark}" if mark else None
        case EventKind.REACTION:
            return f"{kind}:{page}:{psid}:{mid}:{content.get('action')}:{moment}"
        case _:
            return (
                f"{kind}:{page}:{psid}:{moment}:{content.get('ref') or json.dumps(content, sort_keys=True)}"
            )


def _unreadable(page: str, body: Mapping[str, Any], at: datetime) -> InboundEvent:
    return InboundEvent(page, EventKind.UNREADABLE, _digest(EventKind.UNREADABLE, page, body), at, None, body)


def _digest(kind: EventKind, page: str, body: Mapping[str, Any]) -> str:
    text = json.dumps(body, sort_keys=True, default=str)
    return f"{kind}:{page}:{hashlib.sha256(text.encode()).hexdigest()[:32]}"


def _short(key: str) -> str:
    """Keys of any length and content made storable; equal ones stay equal."""
    if len(key) <= KEY_LIMIT and key.isascii() and key.isprintable():
        return key
    return f"{key.partition(':')[0]}#{hashlib.sha256(key.encode('utf-8', 'surrogatepass')).hexdigest()[:32]}"


def _id(value: Any) -> str | None:
    """The id of a sender or recipient: text or number, None when there is none."""
    found = value.get("id") if isinstance(value, dict) else None
    text = str(found) if isinstance(found, str | int) and found else ""
    return text if 0 < len(text) <= ID_LIMIT and text.isascii() and text.isprintable() else None


def instant_of(value: Any) -> datetime | None:
    """A timestamp or watermark (ms or seconds, text or number) as an instant; None when it is not one."""
    try:
        number = int(value)
    except (TypeError, ValueError, OverflowError):
        return None
    if 0 < number < _LATEST_MS // 1000:
        number *= 1000
    return from_epoch_ms(number) if 0 < number < _LATEST_MS else None
