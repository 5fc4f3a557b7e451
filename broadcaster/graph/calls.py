"""The body of a send, single or as a part of a batch, and the outcome its answer means."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, NamedTuple
from urllib.parse import quote_plus

from broadcaster.graph.errors import ErrorKind, classify
from broadcaster.graph.outcomes import Accepted, NotSent, Outcome, Refused, Unknown, refusal_of
from broadcaster.graph.wire import Lost, Reply
from broadcaster.states import Platform

BATCH_LIMIT = 50
_MAYBE_DONE = frozenset({408, 499})
"""Client errors of servers in between that gave up waiting: the request may have gone through."""


class SendRequest(NamedTuple):
    """One message to one person. ``metadata`` comes back in its echo (below 1,000 characters)."""

    psid: str
    message: Mapping[str, Any]
    messaging_type: str
    tag: str | None
    metadata: str


def send_body(request: SendRequest, platform: str) -> dict[str, Any]:
    """The JSON of POST /<page>/messages. Instagram takes a messaging type only together with a tag."""
    body: dict[str, Any] = {
        "recipient": {"id": request.psid},
        "message": {**request.message, "metadata": request.metadata},
    }
    if request.tag or platform != Platform.INSTAGRAM:
        body["messaging_type"] = request.messaging_type
    if request.tag:
        body["tag"] = request.tag
    return body


def batch_of(requests: list[SendRequest], platform: str, path: str) -> str:
    """The JSON of one batch call: the parts' bodies are form-encoded, objects in them JSON."""
    parts = [
        {"method": "POST", "relative_url": path, "body": _form(send_body(request, platform))}
        for request in requests
    ]
    return _dump(parts)


def outcome_of(reply: Reply | Lost) -> Outcome:
    """What a send's answer means. Anything that does not prove either way is Unknown."""
    if isinstance(reply, Lost):
        return Unknown(reply.cause) if reply.left else NotSent(reply.cause)
    return _judged(reply.status, reply.body)


def batch_outcomes(reply: Reply | Lost, count: int) -> list[Outcome]:
    """One outcome per part, in order. A refusal of the whole call holds for every part."""
    if isinstance(reply, Lost) or not isinstance(reply.body, list):
        whole = outcome_of(reply)
        return [Unknown("an answer that cannot be read") if isinstance(whole, Accepted) else whole] * count
    if len(reply.body) != count:
        return [Unknown(f"{len(reply.body)} answers to {count} messages")] * count
    return [_part(part) for part in reply.body]


def _part(part: Any) -> Outcome:
    if not isinstance(part, dict):
        return Unknown("not completed in its batch")
    try:
        body = json.loads(part.get("body") or "")
    except (ValueError, TypeError):
        body = None
    status = part.get("code")
    return _judged(status if isinstance(status, int) else 0, body)


def _judged(status: int, body: Any) -> Outcome:
    refusal = refusal_of(body, status)
    if refusal is not None:
        found = classify(refusal)
        if found.kind is ErrorKind.DOUBT:
            return Unknown(f"{found.title} ({refusal.code}/{refusal.subcode or 0})")
        return Refused(refusal)
    if 200 <= status < 300:
        message_id = body.get("message_id") if isinstance(body, dict) else None
        if not message_id:
            return Unknown("an answer without a message id")
        recipient = body.get("recipient_id")
        return Accepted(str(message_id), str(recipient) if recipient is not None else None)
    if 300 <= status < 500 and status not in _MAYBE_DONE:
        return NotSent(f"HTTP {status} from something that is not the Graph API")
    return Unknown(f"HTTP {status} without a reason")


def _form(body: Mapping[str, Any]) -> str:
    """Form-encoded; all of it is ASCII, since JSON escapes the rest."""
    return "&".join(
        f"{name}={(value if isinstance(value, str) else _object(value)).translate(_ENCODED)}"
        for name, value in body.items()
    )


def _object(value: Mapping[str, Any]) -> str:
    """The JSON of an object, member by member: the encoder is much quicker with a text than with an object."""
    return "{" + ",".join([f"{_dump(name)}:{_dump(member)}" for name, member in value.items()]) + "}"


_ENCODED = {code: quote_plus(chr(code)) for code in range(128)}
_dump = json.JSONEncoder(separators=(",", ":")).encode
