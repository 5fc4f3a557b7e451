"""What an event means: interactions, words that end or resume messages, and facts about our own messages."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from broadcaster.contacts.interactions import InteractionFact
from broadcaster.queue.facts import DeliveredFact, EchoFact, ReadFact, ReceiptFact, RepliedFact
from broadcaster.states import InteractionKind, Source
from broadcaster.webhooks.events import EventKind, instant_of


@dataclass(frozen=True, slots=True)
class Said:
    """What a person wrote or tapped, to be read for a wish to stop."""

    psid: str
    text: str
    payload: str | None
    at: datetime
    stops: bool = False
    """The platform itself says that they stopped messages."""


@dataclass(slots=True)
class Meaning:
    """What a run of events of one Page amounts to."""

    interactions: list[InteractionFact] = field(default_factory=list)
    said: list[Said] = field(default_factory=list)
    receipts: list[ReceiptFact] = field(default_factory=list)


class Unreadable(ValueError):
    """The event does not say what it must; its text goes into the inbox."""


def add(meaning: Meaning, kind: str, key: str, at: datetime, body: Mapping[str, Any]) -> None:
    """Add one messaging event to what the Page's events mean. Raises Unreadable."""
    reader = _READERS.get(EventKind(kind))
    if reader is not None:
        reader(meaning, key, at, body)


def _message(meaning: Meaning, key: str, at: datetime, body: Mapping[str, Any]) -> None:
    psid, content = _person(body, "sender"), body["message"]
    referral = _object(content.get("referral"))
    ad_id = _text(referral.get("ad_id"))
    kind = InteractionKind.AD_MESSAGE if ad_id else InteractionKind.MESSAGE
    meaning.interactions.append(
        InteractionFact(psid, kind, at, Source.WEBHOOK, key, _text(referral.get("ref")), ad_id)
    )
    payload = _text(_object(content.get("quick_reply")).get("payload"))
    meaning.said.append(Said(psid, _text(content.get("text")) or "", payload, at))
    meaning.receipts.append(RepliedFact(psid, at))


def _postback(meaning: Meaning, key: str, at: datetime, body: Mapping[str, Any]) -> None:
    psid, content = _person(body, "sender"), body["postback"]
    referral = _object(content.get("referral"))
    meaning.interactions.append(
        InteractionFact(
            psid,
            InteractionKind.POSTBACK,
            at,
            Source.WEBHOOK,
            key,
            _text(referral.get("ref")),
            _text(referral.get("ad_id")),
        )
    )
    meaning.said.append(Said(psid, _text(content.get("title")) or "", _text(content.get("payload")), at))
    meaning.receipts.append(RepliedFact(psid, at))


def _referral(meaning: Meaning, key: str, at: datetime, body: Mapping[str, Any]) -> None:
    content = body["referral"]
    meaning.interactions.append(
        InteractionFact(
            _person(body, "sender"),
            InteractionKind.REFERRAL,
            at,
            Source.WEBHOOK,
            key,
            _text(content.get("ref")),
            _text(content.get("ad_id")),
        )
    )


def _reaction(meaning: Meaning, key: str, at: datetime, body: Mapping[str, Any]) -> None:
    if body["reaction"].get("action") != "unreact":  # taking a reaction back opens nothing
        psid = _person(body, "sender")
        meaning.interactions.append(InteractionFact(psid, InteractionKind.REACTION, at, Source.WEBHOOK, key))


def _optin(meaning: Meaning, key: str, at: datetime, body: Mapping[str, Any]) -> None:
    """From a plugin it opens the window; for notifications it does not. Without an id there is nobody yet."""
    content = body["optin"]
    if not _object(body.get("sender")).get("id"):
        return
    psid = _person(body, "sender")
    plugin = "type" not in content
    kind = InteractionKind.PLUGIN_MESSAGE if plugin else InteractionKind.OPT_IN
    status = str(content.get("notification_messages_status", "")).upper().replace("_", " ")
    if status.startswith("STOP"):
        meaning.said.append(Said(psid, status, None, at, stops=True))
        return
    meaning.interactions.append(
        InteractionFact(psid, kind, at, Source.WEBHOOK, key, _text(content.get("ref")))
    )


def _echo(meaning: Meaning, _key: str, at: datetime, body: Mapping[str, Any]) -> None:
    content = body["message"]
    meaning.receipts.append(
        EchoFact(_text(content.get("metadata")), str(content["mid"]), at, _person(body, "recipient"))
    )


def _delivery(meaning: Meaning, _key: str, _at: datetime, body: Mapping[str, Any]) -> None:
    content = body["delivery"]
    mids = tuple(str(mid) for mid in content.get("mids") or ())
    meaning.receipts.append(
        DeliveredFact(_person(body, "sender"), mids, instant_of(content.get("watermark")))
    )


def _read(meaning: Meaning, _key: str, at: datetime, body: Mapping[str, Any]) -> None:
    content = body["read"]
    mark, mid = instant_of(content.get("watermark")), _text(content.get("mid"))
    if mark is None and mid is None:
        raise Unreadable("A read event without a watermark or a message.")
    meaning.receipts.append(ReadFact(_person(body, "sender"), mark, mid, at))


def _unreadable(_meaning: Meaning, _key: str, _at: datetime, _body: Mapping[str, Any]) -> None:
    raise Unreadable("The event has not the shape the platform documents.")


_READERS = {
    EventKind.MESSAGE: _message,
    EventKind.POSTBACK: _postback,
    EventKind.REFERRAL: _referral,
    EventKind.REACTION: _reaction,
    EventKind.OPTIN: _optin,
    EventKind.ECHO: _echo,
    EventKind.DELIVERY: _delivery,
    EventKind.READ: _read,
    EventKind.UNREADABLE: _unreadable,
}


def _person(body: Mapping[str, Any], role: str) -> str:
    found = _object(body.get(role)).get("id")
    if not found:
        raise Unreadable(f"The event names no {role}.")
    return str(found)


def _object(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, dict) else {}


def _text(value: Any) -> str | None:
    return str(value) if isinstance(value, str | int) and value != "" else None
