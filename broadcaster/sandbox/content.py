"""What a message may be made of and how long: the limits of section 3.4, refused with the platform's numbers."""

from __future__ import annotations

from typing import Any

from broadcaster.sandbox.refusals import refusal
from broadcaster.sandbox.shapes import number_in, object_in, rows_in, template_type
from broadcaster.sandbox.world import Page

MEDIA = ("image", "audio", "video", "file")
ATTACHMENT_DAYS_MS = 90 * 86_400_000
_BUTTONS = ("web_url", "postback", "phone_number", "account_link", "account_unlink", "game_play")


def check_message(page: Page, message: dict[str, Any], *, has_file: bool = False) -> None:
    """Refuse a message the platform would not take. ``has_file``: a file came along in the request."""
    if (
        not (message.keys() & {"text", "attachment", "attachments", "template", "sticker_id"})
        and not has_file
    ):
        raise refusal("empty_message")
    _check_text(page, message)
    if len(str(message.get("metadata", ""))) >= 1000:
        raise refusal("too_long", param="message[metadata]", limit=999)
    if "quick_replies" in message:
        _check_quick_replies(message)
    if "attachments" in message:
        _check_images(page, message)
    if "attachment" in message:
        _check_attachment(page, object_in(message, "attachment"), has_file)


def kind_of(message: dict[str, Any], *, has_file: bool = False) -> str:
    """What the ledger calls it: text, image, audio, video, file, utility, sticker, or a template's type."""
    if "template" in message:
        return "utility"
    if "sticker_id" in message:
        return "sticker"
    if "attachments" in message:
        return "image"
    if "attachment" in message:
        return template_type(message) or str(object_in(message, "attachment").get("type") or "file")
    return "file" if has_file else "text"


def rate_class(message: dict[str, Any]) -> str:
    """``media`` for audio and video (10 a second), ``text`` for the rest (300 a second)."""
    return "media" if kind_of(message) in {"audio", "video"} else "text"


def _check_text(page: Page, message: dict[str, Any]) -> None:
    text = message.get("text")
    if text is None:
        return
    if not isinstance(text, str) or not text.strip():
        raise refusal("empty_message")
    if "attachment" in message or "attachments" in message:
        raise refusal("bad_parameter", what="text and attachment in one message")
    if page.instagram:
        if len(text.encode()) > 1000:
            raise refusal("too_long", param="message[text]", limit=1000)
    elif len(text) >= 2000:
        raise refusal("too_long", param="message[text]", limit=1999)


def _check_quick_replies(message: dict[str, Any]) -> None:
    for reply in _rows(message, "quick_replies", 13):
        if reply.get("content_type", "text") != "text":
            continue
        if not reply.get("title"):
            raise refusal("quick_reply_without_title")
        if not reply.get("payload"):
            raise refusal("quick_reply_without_payload")
        _short(reply["title"], 20, "quick_replies[title]")
        _short(reply["payload"], 1000, "quick_replies[payload]")


def _check_images(page: Page, message: dict[str, Any]) -> None:
    for row in _rows(message, "attachments", 10 if page.instagram else 30):
        if row.get("type") != "image":
            raise refusal("bad_parameter", what="attachments may hold images only")
        _check_media(page, row, has_file=False)


def _check_attachment(page: Page, attachment: dict[str, Any], has_file: bool) -> None:
    kind = str(attachment.get("type"))
    if kind in MEDIA:
        _check_media(page, attachment, has_file=has_file)
    elif kind == "template":
        _check_template(page, object_in(attachment, "payload"))
    else:
        raise refusal("bad_parameter", what=f"attachment type {kind}")


def _check_media(page: Page, attachment: dict[str, Any], *, has_file: bool) -> None:
    payload = object_in(attachment, "payload")
    if "attachment_id" in payload:
        check_attachment_id(page, str(payload["attachment_id"]))
    elif "url" in payload:
        check_url(str(payload["url"]))
    elif not has_file:
        raise refusal("upload_failed")


def check_attachment_id(page: Page, attachment_id: str) -> None:
    known = page.attachments.get(attachment_id)
    if known is None or page.world.clock.ms() - known.created_ms > ATTACHMENT_DAYS_MS:
        raise refusal("attachment_unknown")


def check_url(url: str) -> None:
    """Addresses are not fetched here; those that could not be reached from outside are refused."""
    host = url.split("://", 1)[-1].split("/", 1)[0].split(":")[0]
    if (
        not url.startswith(("http://", "https://"))
        or host in {"", "localhost", "127.0.0.1"}
        or host.endswith(".invalid")
    ):
        raise refusal("file_unreachable")


def _check_template(page: Page, payload: dict[str, Any]) -> None:
    kind = str(payload.get("template_type"))
    if kind == "button":
        _short(payload.get("text", ""), 640, "text")
        if not payload.get("text"):
            raise refusal("empty_message")
        _check_buttons(page, payload)
    elif kind == "generic":
        for card in _rows(payload, "elements", 10):
            _check_card(page, card)
    elif kind == "media":
        for element in _rows(payload, "elements", 1):
            _check_media_element(page, element)
    elif kind == "image_grid":
        for element in _rows(payload, "elements", 1):
            _check_grid(page, element)
    elif kind == "customer_feedback":
        _check_feedback(page, payload)
    elif kind in {"receipt", "coupon", "product"}:
        if "elements" in payload:
            _rows(payload, "elements", 100 if kind == "receipt" else 10)
    else:
        raise refusal("template_attachment")


def _check_card(page: Page, card: dict[str, Any]) -> None:
    if not card.get("title") or not card.keys() & {"subtitle", "image_url", "default_action", "buttons"}:
        raise refusal("card_incomplete")
    _short(card["title"], 80, "elements[title]")
    _short(card.get("subtitle", ""), 80, "elements[subtitle]")
    if "buttons" in card:
        _check_buttons(page, card)


def _check_media_element(page: Page, element: dict[str, Any]) -> None:
    if str(element.get("media_type")) not in {"image", "video"}:
        raise refusal("media_type_invalid")
    if "attachment_id" in element:
        check_attachment_id(page, str(element["attachment_id"]))
    elif "url" not in element:
        raise refusal("media_id_missing")
    elif "facebook.com/" not in str(element["url"]):
        raise refusal("media_url_foreign")
    if "buttons" in element:
        _check_buttons(page, element)


def _check_grid(page: Page, element: dict[str, Any]) -> None:
    images = element.get("images")
    if not isinstance(images, list) or not 2 <= len(images) <= 6:
        raise refusal("bad_parameter", what="an image grid holds 2 to 6 images")
    _short(element.get("title", ""), 45, "elements[title]")
    _short(element.get("subtitle", ""), 80, "elements[subtitle]")
    if "buttons" in element:
        _check_buttons(page, element)


def _check_feedback(page: Page, payload: dict[str, Any]) -> None:
    if page.instagram:
        raise refusal("instagram_content", what="customer feedback template")
    for name, limit in (("title", 65), ("subtitle", 80), ("button_title", 20)):
        value = str(payload.get(name, ""))
        if not value or "://" in value:
            raise refusal("bad_parameter", what=name)
        _short(value, limit, name)
    screens = _rows(payload, "feedback_screens", 1)
    for question in _rows(screens[0], "questions", 1):
        if str(question.get("type")) not in {"csat", "nps", "ces", "free_form"}:
            raise refusal("bad_parameter", what="question type")
    if not object_in(payload, "business_privacy").get("url"):
        raise refusal("bad_parameter", what="business_privacy[url]")
    if not 1 <= number_in(payload, "expires_in_days", 1) <= 7:
        raise refusal("bad_parameter", what="expires_in_days")


def _check_buttons(page: Page, holder: dict[str, Any]) -> None:
    for button in _rows(holder, "buttons", 3):
        kind = str(button.get("type"))
        if kind not in _BUTTONS:
            raise refusal("bad_parameter", what=f"button type {kind}")
        if page.instagram and kind not in {"web_url", "postback"}:
            raise refusal("instagram_content", what=f"button type {kind}")
        if kind in {"web_url", "postback", "phone_number"} and not button.get("title"):
            raise refusal("button_without_title")
        if kind == "postback" and not button.get("payload"):
            raise refusal("postback_without_payload")
        if kind == "web_url" and not button.get("url"):
            raise refusal("link_without_url")
        _short(button.get("title", ""), 20, "buttons[title]")
        _short(button.get("payload", ""), 1000, "buttons[payload]")


def _rows(holder: dict[str, Any], param: str, most: int) -> list[dict[str, Any]]:
    rows = rows_in(holder, param)
    if not rows:
        raise refusal("too_few", param=param)
    if len(rows) > most:
        raise refusal("too_many", param=param, limit=most)
    return rows


def _short(value: Any, limit: int, param: str) -> None:
    if len(str(value)) > limit:
        raise refusal("too_long", param=param, limit=limit)
