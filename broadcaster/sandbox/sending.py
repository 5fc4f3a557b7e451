"""POST /<page>/messages: every check in the platform's order, then acceptance into thread and ledger."""

from __future__ import annotations

from typing import Any

from broadcaster.sandbox.content import check_message, kind_of, rate_class
from broadcaster.sandbox.ledger import Accepted
from broadcaster.sandbox.people import DAY_MS, Person
from broadcaster.sandbox.receipts import expect_receipts, send_echo
from broadcaster.sandbox.refusals import Refusal, refusal
from broadcaster.sandbox.shapes import object_in, rows_in
from broadcaster.sandbox.windows import check_tag, check_window
from broadcaster.sandbox.world import Attachment, Page

_ACTIONS = frozenset({"typing_on", "typing_off", "mark_seen", "react", "unreact"})
_INLINE_LIMIT = 26_214_400


def send(page: Page, params: dict[str, Any], call: str) -> dict[str, Any]:
    """The platform's answer to one send; raises ``Refusal``. ``call`` is "single" or "batch"."""
    try:
        return _send(page, params, call)
    except Refusal as no:
        page.ledger.refuse(no.code, no.subcode)
        raise


def new_attachment(page: Page, kind: str, size: int) -> Attachment:
    number = str(800_000_000_000_000 + len(page.attachments))
    attachment = page.attachments[number] = Attachment(number, kind, size, page.world.clock.ms())
    return attachment


def file_size(params: dict[str, Any]) -> int | None:
    """Size of the file that came along; refused when too large."""
    size = params.get("filedata.size")
    if size is not None and size > _INLINE_LIMIT:
        raise refusal("attachment_too_large")
    return size if isinstance(size, int) else None


def _send(page: Page, params: dict[str, Any], call: str) -> dict[str, Any]:
    message = object_in(params, "message")
    page.ledger.calls[call] += 1
    page.limits.take(rate_class(message))
    if page.restricted:
        raise refusal("page_restricted")
    recipient = object_in(params, "recipient")
    action = str(params.get("sender_action") or "").lower()
    if message and action:
        raise refusal("message_and_action")
    size = file_size(params)
    if action:
        return _act(page, recipient, action)
    if not message and size is None:
        raise refusal("empty_message" if "message" in params else "neither_message_nor_action")
    return _deliver(page, recipient, message, params, call, size)


def _deliver(
    page: Page,
    recipient: dict[str, Any],
    message: dict[str, Any],
    params: dict[str, Any],
    call: str,
    size: int | None,
) -> dict[str, Any]:
    messaging_type = str(params.get("messaging_type") or "RESPONSE")
    tag = str(params.get("tag") or "")
    check_tag(page, messaging_type, tag)
    person, private_reply = _recipient(page, recipient)
    check_message(page, message, has_file=size is not None)
    text = _utility_text(page, messaging_type, message)
    _check_reachable(page, person)
    if not private_reply:
        check_window(page, person, messaging_type, tag, message)
    entry = _accept(page, person, message, messaging_type, tag, call, text, size is not None)
    answer = {"recipient_id": person.psid, "message_id": entry.mid}
    if (attachment_id := _keep_file(page, message, size)) is not None:
        answer["attachment_id"] = attachment_id
    return answer


def _recipient(page: Page, recipient: dict[str, Any]) -> tuple[Person, bool]:
    """The person addressed, and whether by a comment (one private reply within seven days)."""
    if "id" in recipient:
        person = page.people.get(str(recipient["id"]))
        if person is None:
            raise refusal("no_instagram_user" if page.instagram else "no_user")
        return person, False
    comment_id = str(recipient.get("comment_id") or recipient.get("post_id") or "")
    person = page.commenters.pop(comment_id, None)
    if person is None:
        raise refusal("bad_parameter", what="recipient")
    if page.world.clock.ms() - person.comments[comment_id] > 7 * DAY_MS:
        raise refusal("outside_window")
    return person, True


def _utility_text(page: Page, messaging_type: str, message: dict[str, Any]) -> str:
    """The text of a utility message, its template checked; "" for any other message."""
    if messaging_type != "UTILITY":
        if "template" in message:
            raise refusal("bad_parameter", what="message[template] needs messaging_type UTILITY")
        return ""
    if page.instagram:
        raise refusal("utility_not_on_instagram")
    if "pages_utility_messaging" not in page.scopes:
        raise refusal("permission_missing", permission="pages_utility_messaging")
    if "template" not in message:
        raise refusal("bad_parameter", what="message[template] is required for UTILITY")
    return page.templates.fill(object_in(message, "template"))


def _check_reachable(page: Page, person: Person) -> None:
    if person.blocked or person.vanished:
        raise refusal("person_unavailable")
    if person.controlled_by or page.controlled_by:
        raise refusal("other_app_controls_instagram" if page.instagram else "other_app_controls")


def _act(page: Page, recipient: dict[str, Any], action: str) -> dict[str, Any]:
    if action not in _ACTIONS:
        raise refusal("bad_parameter", what=f"sender_action {action}")
    person, _ = _recipient(page, recipient)
    _check_reachable(page, person)
    if action == "mark_seen":
        page.threads.of(person).unread = 0
    return {"recipient_id": person.psid}


def _accept(
    page: Page,
    person: Person,
    message: dict[str, Any],
    messaging_type: str,
    tag: str,
    call: str,
    utility_text: str,
    has_file: bool,
) -> Accepted:
    now = page.world.clock.ms()
    text = utility_text or str(message.get("text") or _template_text(message))
    shown = _shown_attachments(message)
    stored = page.threads.add(person, text, now, from_page=True, attachments=shown)
    entry = Accepted(
        number=len(page.ledger) + 1,
        psid=person.psid,
        text=text,
        metadata=str(message.get("metadata", "")),
        mid=stored.mid,
        accepted_ms=now,
        tag=tag,
        messaging_type=messaging_type,
        kind=kind_of(message, has_file=has_file),
        call=call,
        template=str(object_in(message, "template").get("name", "")),
    )
    page.ledger.add(entry)
    page.limits.meters["accepted"].add()
    send_echo(page, entry, shown)
    expect_receipts(page, person, entry)
    return entry


def _template_text(message: dict[str, Any]) -> str:
    return str(object_in(object_in(message, "attachment"), "payload").get("text", ""))


def _shown_attachments(message: dict[str, Any]) -> list[dict[str, Any]] | None:
    rows = rows_in(message, "attachments")
    if "attachment" in message:
        rows = [object_in(message, "attachment")]
    return [{"type": row.get("type"), "payload": object_in(row, "payload")} for row in rows] or None


def _keep_file(page: Page, message: dict[str, Any], size: int | None) -> str | None:
    attachment = object_in(message, "attachment")
    payload = object_in(attachment, "payload")
    if str(payload.get("is_reusable", "")).lower() != "true":
        return None
    return new_attachment(page, str(attachment.get("type", "file")), size or 0).id
