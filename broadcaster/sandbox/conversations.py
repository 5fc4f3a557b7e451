"""The Conversations API (section 7): listing with cursors, one thread, one message."""

from __future__ import annotations

import base64
import binascii
from itertools import islice
from typing import Any
from urllib.parse import urlencode

from broadcaster.sandbox.clock import from_ms
from broadcaster.sandbox.fields import Field, parse_fields
from broadcaster.sandbox.people import Person
from broadcaster.sandbox.refusals import refusal
from broadcaster.sandbox.threads import StoredMessage, Thread
from broadcaster.sandbox.windows import standard_open
from broadcaster.sandbox.world import Page

_REQUEST_FIELDS = {"id": Field(), "updated_time": Field()}
_MESSAGE_FIELDS = {"id": Field(), "created_time": Field()}


def list_conversations(page: Page, params: dict[str, Any], address: str) -> dict[str, Any]:
    """GET /<page>/conversations. With ``user_id`` one person's, which works even while listing does not."""
    page.limits.take("conversations")
    platform = str(params.get("platform") or page.platform).lower()
    if platform not in {"messenger", "instagram"}:
        raise refusal("bad_parameter", what="platform")
    wanted = parse_fields(str(params.get("fields") or "")) or _REQUEST_FIELDS
    if platform != page.platform:
        return {"data": []}
    if "user_id" in params:
        person = page.people.get(str(params["user_id"]))
        thread = page.threads.of(person) if person else None
        rows = [thread_json(page, thread, wanted)] if thread and thread.count else []
        return {"data": rows}
    if page.limits.inbox_frozen():
        raise refusal("inbox_frozen")
    return _one_page(page, params, wanted, address)


def thread_json(page: Page, thread: Thread, wanted: dict[str, Field]) -> dict[str, Any]:
    """The wanted fields of a conversation; the id always."""
    row: dict[str, Any] = {}
    for name, field in wanted.items():
        value = _thread_field(page, thread, name, field)
        if value is not None:
            row[name] = value
    row["id"] = thread.id
    return row


def read_message(page: Page, mid: str, params: dict[str, Any]) -> dict[str, Any] | None:
    """GET /<message id>; None when there is no such message, refused when it is too old to be read."""
    found = page.threads.message(mid)
    if found is None:
        return None
    thread, message = found
    if message is None:
        raise refusal("message_deleted")
    return _message_json(
        page, thread, message, parse_fields(str(params.get("fields") or "")) or _MESSAGE_FIELDS
    )


def _one_page(page: Page, params: dict[str, Any], wanted: dict[str, Field], address: str) -> dict[str, Any]:
    limit_text = str(params.get("limit") or "25")
    limit = max(1, min(100, int(limit_text))) if limit_text.isdecimal() else 25
    threads = page.threads.newest_first()
    after = _cursor_parts(str(params["after"])) if params.get("after") else None
    if after is not None:
        threads = (row for row in threads if (-row.updated_ms, row.person.index) > (-after[0], after[1]))
    rows = list(islice(threads, limit + 1))
    shown = sorted(rows[:limit], key=lambda row: (-row.updated_ms, row.person.index))
    answer: dict[str, Any] = {"data": [thread_json(page, row, wanted) for row in shown]}
    if shown:
        paging: dict[str, Any] = {"cursors": {"before": _cursor(shown[0]), "after": _cursor(shown[-1])}}
        if len(rows) > limit:
            kept = {
                key: value
                for key, value in params.items()
                if key in {"platform", "fields", "limit", "folder"}
            }
            paging["next"] = _next_address(address, kept | {"after": _cursor(shown[-1])})
        answer["paging"] = paging
    return answer


def _thread_field(page: Page, thread: Thread, name: str, field: Field) -> Any:
    newest = thread.newest[-1] if thread.newest else None
    match name:
        case "updated_time":
            return graph_time(thread.updated_ms)
        case "message_count":
            return thread.count
        case "unread_count":
            return thread.unread
        case "snippet":
            return newest.text if newest else ""
        case "link":
            return f"/{page.id}/inbox/{thread.id}/"
        case "can_reply":
            return standard_open(page, thread.person, page.world.clock.ms())
        case "participants" | "senders":
            return {"data": [_person_json(page, thread.person), _page_json(page)]}
        case "messages":
            return _messages(page, thread, field)
        case (
            "id"
            | "folder"
            | "name"
            | "is_owner"
            | "is_subscribed"
            | "former_participants"
            | "scoped_thread_key"
        ):
            return None
    raise refusal("unknown_field", field=name)


def _messages(page: Page, thread: Thread, field: Field) -> dict[str, Any]:
    wanted = field.inner or _MESSAGE_FIELDS
    visible_ms = page.world.clock.ms() - round(page.reading_lag_seconds * 1000)
    newest = [row for row in reversed(thread.newest) if row.created_ms <= visible_ms][: field.limit]
    answer: dict[str, Any] = {"data": [_message_json(page, thread, row, wanted) for row in newest]}
    if newest:
        answer["paging"] = {"cursors": {"before": newest[0].mid, "after": newest[-1].mid}}
    return answer


def _message_json(
    page: Page, thread: Thread, message: StoredMessage, wanted: dict[str, Field]
) -> dict[str, Any]:
    person, own = _person_json(page, thread.person), _page_json(page)
    row: dict[str, Any] = {}
    for name in wanted:
        match name:
            case "created_time":
                row[name] = graph_time(message.created_ms)
            case "from":
                row[name] = own if message.from_page else person
            case "to":
                row[name] = {"data": [person if message.from_page else own]}
            case "message":
                row[name] = message.text
            case "attachments" if message.attachments:
                row[name] = {"data": message.attachments}
    row["id"] = message.mid
    return row


def _person_json(page: Page, person: Person) -> dict[str, Any]:
    row: dict[str, Any] = {}
    if person.name:
        row["username" if page.instagram else "name"] = person.name
    if not page.instagram:
        row["email"] = f"{person.psid}@facebook.com"
    return row | {"id": person.psid}


def _page_json(page: Page) -> dict[str, Any]:
    if page.instagram:
        return {"username": page.name, "id": page.id}
    return {"name": page.name, "email": f"{page.id}@facebook.com", "id": page.id}


def graph_time(milliseconds: int) -> str:
    """Graph's ISO form, whole seconds and ``+0000``."""
    return from_ms(milliseconds).strftime("%Y-%m-%dT%H:%M:%S+0000")


def _cursor(thread: Thread) -> str:
    return base64.urlsafe_b64encode(f"{thread.updated_ms}:{thread.person.index}".encode()).decode()


def _cursor_parts(text: str) -> tuple[int, int]:
    try:
        updated, index = base64.urlsafe_b64decode(text).decode().split(":")
        return int(updated), int(index)
    except (ValueError, binascii.Error):
        raise refusal("bad_parameter", what="after") from None


def _next_address(address: str, params: dict[str, Any]) -> str:
    return f"{address}?{urlencode(params)}"
