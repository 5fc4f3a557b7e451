"""Graph calls to answers: one table of endpoints. Knows no HTTP; the same for single calls and batch parts."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

from broadcaster.sandbox import conversations, identity
from broadcaster.sandbox.content import MEDIA, check_url
from broadcaster.sandbox.fields import parse_fields
from broadcaster.sandbox.refusals import refusal
from broadcaster.sandbox.sending import file_size, new_attachment, send
from broadcaster.sandbox.shapes import object_in
from broadcaster.sandbox.templates import library
from broadcaster.sandbox.world import FIELDS, Page, Token, World

NEWEST_VERSION = 26
_VERSION = re.compile(r"v(\d+)\.\d+")


@dataclass(slots=True)
class Call:
    """One Graph call. ``path`` has no version and no slashes around; ``address`` is the URL without a query."""

    method: str
    path: str
    params: dict[str, Any]
    address: str = ""
    origin: str = "single"


def without_version(path: str) -> str:
    """The path after ``/v26.0``; a version newer than the newest is an unknown path."""
    trimmed = path.strip("/")
    head, _, rest = trimmed.partition("/")
    match = _VERSION.fullmatch(head)
    if match is None:
        return trimmed
    if int(match.group(1)) > NEWEST_VERSION:
        raise refusal("unknown_path", path=trimmed)
    return rest


def answer(world: World, call: Call) -> dict[str, Any]:
    """The JSON of a call that succeeds; raises ``Refusal`` for one that does not."""
    params = call.params
    token = identity.check_token(
        world, str(params.get("access_token") or ""), str(params.get("appsecret_proof") or "")
    )
    head, _, edge = call.path.partition("/")
    if head == "debug_token":
        return identity.debug_token(world, token, str(params.get("input_token") or ""))
    if head == "message_template_library":
        return _search_library(params)
    if head == "me" and token.holder in {"user", "app"}:
        return _me(world, call, token, edge)
    page = world.pages.get(token.holder if head == "me" else head)
    if page is not None:
        if token.holder not in {page.id, "user"}:
            raise _unknown(call, head)
        return _page_edge(page, call, edge, token)
    own = world.pages.get(token.holder)
    if own is None:
        raise _unknown(call, head)
    return _object(own, call, head, edge)


def owner(world: World, call: Call) -> Page | None:
    """The Page a call is about, for its usage headers; None when it is about none."""
    token = world.tokens.get(str(call.params.get("access_token") or ""))
    head = call.path.partition("/")[0]
    return world.pages.get(head) or (world.pages.get(token.holder) if token else None)


def _me(world: World, call: Call, token: Token, edge: str) -> dict[str, Any]:
    if token.holder == "user" and call.method == "GET":
        if edge == "accounts":
            return identity.accounts(world, token, call.params, call.address)
        if not edge:
            return identity.user_json(world)
    raise _unknown(call, "me")


def _page_edge(page: Page, call: Call, edge: str, token: Token) -> dict[str, Any]:
    params = call.params
    match call.method, edge:
        case "POST", "messages":
            _needs(token, "pages_messaging", page)
            return send(page, params, call.origin)
        case "GET", "":
            return identity.page_json(page, params)
        case "GET", "conversations":
            _needs(token, "pages_messaging", page)
            return conversations.list_conversations(page, params, call.address)
        case "GET", "accounts":
            return identity.accounts(page.world, token, params, call.address)
        case "GET", "subscribed_apps":
            return _subscribed(page)
        case "POST", "subscribed_apps":
            _needs(token, "pages_manage_metadata", page)
            return _subscribe(page, str(params.get("subscribed_fields") or ""))
        case "DELETE", "subscribed_apps":
            page.subscribed.clear()
            return {"success": True}
        case "POST", "message_attachments":
            return _upload(page, params)
        case "GET", "message_templates":
            rows = [row.as_json() for row in page.templates.find(params)]
            return (
                {"data": rows, "paging": {"cursors": {"before": "first", "after": "last"}}}
                if rows
                else {"data": []}
            )
        case "POST", "message_templates":
            return _create_template(page, params)
        case "DELETE", "message_templates":
            template_id = str(params.get("template_id") or params.get("hsm_id") or "")
            if not page.templates.delete(str(params.get("name") or ""), template_id):
                raise refusal("bad_parameter", what="no such template")
            return {"success": True}
        case "GET", "thread_owner":
            return _thread_owner(page, str(params.get("recipient") or ""))
    raise refusal("unknown_path", path=call.path)


def _object(page: Page, call: Call, head: str, edge: str) -> dict[str, Any]:
    if call.method != "GET" or edge not in {"", "messages"}:
        raise _unknown(call, head)
    person = page.people.get(head)
    if person is not None and not edge:
        return identity.profile(page, person, call.params)
    thread = page.threads.by_id(head) if head.startswith("t_") else None
    if thread is not None:
        page.limits.take("conversations")
        text = str(call.params.get("fields") or "id,updated_time")
        wanted = parse_fields(f"messages{{{text}}}" if edge else text)
        row = conversations.thread_json(page, thread, wanted)
        messages: dict[str, Any] = row["messages"] if edge else row
        return messages
    message = conversations.read_message(page, head, call.params) if head.startswith("m_") else None
    if message is None:
        raise _unknown(call, head)
    return message


def _needs(token: Token, scope: str, page: Page) -> None:
    if token.holder != page.id:
        raise refusal("page_token_needed")
    if scope not in token.scopes:
        raise refusal("permission_missing", permission=scope)


def _unknown(call: Call, head: str) -> Exception:
    return refusal("unknown_object", method=call.method.lower(), id=head)


def _subscribed(page: Page) -> dict[str, Any]:
    if not page.subscribed:
        return {"data": []}
    world = page.world
    return {
        "data": [{"name": world.app_name, "id": world.app_id, "subscribed_fields": sorted(page.subscribed)}]
    }


def _subscribe(page: Page, fields: str) -> dict[str, Any]:
    names = {name.strip() for name in fields.split(",") if name.strip()}
    if not names:
        raise refusal("bad_parameter", what="subscribed_fields is required")
    if unknown := names - set(FIELDS) - _OTHER_FIELDS:
        raise refusal("bad_parameter", what=f"subscribed_fields: {sorted(unknown)[0]}")
    page.subscribed = names
    return {"success": True}


_OTHER_FIELDS = {
    "message_edits", "messaging_feedback", "response_feedback", "messaging_handovers", "standby", "feed",
    "business_integrity", "messaging_integrity",
}  # fmt: skip


def _upload(page: Page, params: dict[str, Any]) -> dict[str, Any]:
    attachment = object_in(object_in(params, "message"), "attachment")
    kind, payload = str(attachment.get("type")), object_in(attachment, "payload")
    if kind not in MEDIA:
        raise refusal("bad_parameter", what="message[attachment][type]")
    size = file_size(params)
    if size is None:
        check_url(str(payload.get("url", "")))
    elif not str(params.get("filedata.type", "")).startswith(f"{kind}/") and kind != "file":
        raise refusal("upload_failed")
    return {"attachment_id": new_attachment(page, kind, size or 0).id}


def _create_template(page: Page, params: dict[str, Any]) -> dict[str, Any]:
    if "pages_utility_messaging" not in page.scopes:
        raise refusal("permission_missing", permission="pages_utility_messaging")
    if page.instagram:
        raise refusal("utility_not_on_instagram")
    template = page.templates.create(params)
    return {"id": template.id, "status": template.status, "category": template.category}


def _search_library(params: dict[str, Any]) -> dict[str, Any]:
    wanted = str(params.get("name_or_content") or "").lower()
    language = params.get("language")
    rows = [
        row
        for row in library()
        if (wanted in row["name"] or wanted in row["body"].lower()) and language in (None, row["language"])
    ]
    return {"data": rows}


def _thread_owner(page: Page, psid: str) -> dict[str, Any]:
    person = page.people.get(psid)
    if person is None:
        raise refusal("no_user")
    app = person.controlled_by or page.controlled_by or page.world.app_id
    return {"data": [{"thread_owner": {"app_id": app}}]}
