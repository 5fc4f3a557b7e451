"""What the Graph API tells about conversations, people and tokens, as plain values."""

from __future__ import annotations

from collections.abc import Mapping, Set
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

NEWEST = 20
"""Only the newest messages of a conversation can be read in detail (Meta, Conversations API)."""

THREAD_FIELDS = (
    f"id,updated_time,message_count,participants,messages.limit({NEWEST}){{id,created_time,from,message}}"
)


@dataclass(frozen=True, slots=True)
class ReadMessage:
    """``at`` has whole seconds. ``text`` is empty for messages that are only a template or a file."""

    id: str
    at: datetime
    from_page: bool
    text: str


@dataclass(frozen=True, slots=True)
class ConversationRead:
    """One person's conversation, newest message first. ``found`` False: the platform shows none."""

    found: bool
    messages: tuple[ReadMessage, ...] = ()
    whole: bool = False
    """Nothing older exists than what was read."""

    def covers(self, instant: datetime) -> bool:
        """Was everything since ``instant`` read, so that what is not here was never sent?

        Times of messages are whole seconds: only an older message in an earlier second proves it.
        """
        if not self.found:
            return False
        return self.whole or (bool(self.messages) and self.messages[-1].at < instant.replace(microsecond=0))


@dataclass(frozen=True, slots=True)
class Conversation:
    """A conversation of the list: who, and the newest messages."""

    id: str
    psid: str
    name: str | None
    updated_at: datetime
    read: ConversationRead

    @property
    def last_inbound_at(self) -> datetime | None:
        """The person's last message among those read; None: none, or further back than can be read."""
        return next((message.at for message in self.read.messages if not message.from_page), None)


@dataclass(frozen=True, slots=True)
class ConversationPage:
    conversations: tuple[Conversation, ...]
    after: str | None
    """Cursor of the next page, None at the end."""


@dataclass(frozen=True, slots=True)
class Profile:
    """A person's profile; what Meta does not tell is None. ``timezone`` is an offset like ``+02:00``."""

    first_name: str | None = None
    last_name: str | None = None
    name: str | None = None
    locale: str | None = None
    timezone: str | None = None


@dataclass(frozen=True, slots=True)
class TokenFacts:
    """What ``debug_token`` says. ``expires_at`` None: no end is set."""

    is_valid: bool
    type: str = ""
    app_id: str = ""
    application: str = ""
    profile_id: str = ""
    scopes: tuple[str, ...] = ()
    expires_at: datetime | None = None
    data_access_expires_at: datetime | None = None
    error: str = ""


@dataclass(frozen=True, slots=True)
class Account:
    """A Page of the person who authorised the app, with its own token (never shown)."""

    id: str
    name: str
    tasks: tuple[str, ...]
    token: str = field(repr=False)


def thread_page(body: Any, own_ids: Set[str]) -> ConversationPage:
    rows = _rows(body)
    found = (conversation(row, own_ids) for row in rows)
    paging = body.get("paging") if isinstance(body, dict) else None
    more = isinstance(paging, dict) and paging.get("next")
    return ConversationPage(
        tuple(row for row in found if row is not None),
        str(paging["cursors"]["after"]) if more and isinstance(paging, dict) else None,
    )


def conversation(row: Mapping[str, Any], own_ids: Set[str]) -> Conversation | None:
    """A row of the list; None when it shows nobody but the Page."""
    people = _rows(row.get("participants"))
    person = next((one for one in people if str(one.get("id")) not in own_ids), None)
    if person is None:
        return None
    messages = tuple(_message(one, own_ids) for one in _rows(row.get("messages")))
    count = row.get("message_count")
    whole = len(messages) >= count if isinstance(count, int) else len(messages) < NEWEST
    return Conversation(
        id=str(row["id"]),
        psid=str(person["id"]),
        name=person.get("name") or person.get("username"),
        updated_at=instant(str(row["updated_time"])),
        read=ConversationRead(True, messages, whole),
    )


def profile_of(body: Mapping[str, Any]) -> Profile:
    offset = body.get("timezone")
    return Profile(
        first_name=body.get("first_name"),
        last_name=body.get("last_name"),
        name=body.get("name") or body.get("username"),
        locale=body.get("locale"),
        timezone=_offset(float(offset)) if isinstance(offset, int | float) else None,
    )


def token_facts(data: Mapping[str, Any]) -> TokenFacts:
    error = data.get("error")
    return TokenFacts(
        is_valid=data.get("is_valid") is True,
        type=str(data.get("type", "")),
        app_id=str(data.get("app_id", "")),
        application=str(data.get("application", "")),
        profile_id=str(data.get("profile_id", "")),
        scopes=tuple(str(scope) for scope in data.get("scopes") or ()),
        expires_at=_epoch(data.get("expires_at")),
        data_access_expires_at=_epoch(data.get("data_access_expires_at")),
        error=str(error.get("message", "")) if isinstance(error, dict) else "",
    )


def instant(text: str) -> datetime:
    """Graph's ISO form (``2026-11-20T10:00:00+0000``) as an instant."""
    return datetime.fromisoformat(text).astimezone(UTC)


def _message(row: Mapping[str, Any], own_ids: Set[str]) -> ReadMessage:
    sender = row.get("from") or {}
    return ReadMessage(
        id=str(row["id"]),
        at=instant(str(row["created_time"])),
        from_page=str(sender.get("id")) in own_ids,
        text=str(row.get("message") or ""),
    )


def _rows(value: Any) -> list[dict[str, Any]]:
    rows = value.get("data") if isinstance(value, dict) else None
    return [row for row in rows if isinstance(row, dict)] if isinstance(rows, list) else []


def _epoch(value: Any) -> datetime | None:
    return datetime.fromtimestamp(value, UTC) if isinstance(value, int) and value > 0 else None


def _offset(hours: float) -> str:
    minutes = round(hours * 60)
    return f"{'-' if minutes < 0 else '+'}{abs(minutes) // 60:02d}:{abs(minutes) % 60:02d}"
