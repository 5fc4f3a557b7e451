"""Is a message definition complete, and within the platform's limits? One sentence when not."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from broadcaster.content.limits import Limits
from broadcaster.errors import BadInput

KEYS = {
    "text",
    "quick_replies",
    "attachment",
    "buttons",
    "cards",
    "feedback",
    "template",
    "language",
    "parameters",
}


def check_shape(message: dict[str, Any], limits: Limits, platform: str) -> None:
    """Raise BadInput for the first thing the platform would refuse. Lifts a flat template into place."""
    _lift_template(message)
    _known(message, KEYS - {"language", "parameters"}, "message")
    bodies = [key for key in ("attachment", "cards", "feedback", "template") if key in message]
    if len(bodies) > 1 or not (bodies or str(message.get("text", "")).strip()):
        raise BadInput(
            "The message needs exactly one body: a text, an attachment, cards, feedback or a template.",
            "Remove all but one." if len(bodies) > 1 else "Write a text.",
        )
    if bodies and str(message.get("text", "")).strip():
        raise BadInput(
            f"The platform takes no text beside {bodies[0]} in one message.",
            "Use a card with a title, or leave the text out.",
        )
    _check_text(message, limits)
    _check_buttons(message.get("buttons", []), limits, "message")
    _check_quick_replies(message.get("quick_replies", []), limits)
    for key, check in _BODY_CHECKS.items():
        if key in message:
            check(message[key], limits, platform)


def _lift_template(message: dict[str, Any]) -> None:
    """The file form is ``{"template": NAME, "language": L, "parameters": {…}}``; inside it is one object."""
    if isinstance(message.get("template"), str):
        message["template"] = {
            "name": message["template"],
            "language": message.pop("language", "en"),
            "parameters": message.pop("parameters", {}),
        }


def _known(given: Mapping[str, Any], allowed: set[str], where: str) -> None:
    if unknown := sorted(set(given) - allowed):
        raise BadInput(
            f"The {where} has the unknown key {unknown[0]!r}.", f"Known: {', '.join(sorted(allowed))}."
        )


def _listed(value: Any, what: str, most: int) -> list[Any]:
    if not isinstance(value, list):
        raise BadInput(f"{what} must be a list.", "Write [ … ].")
    if len(value) > most:
        raise BadInput(f"There are {len(value)} {what}; the platform takes {most}.", "Remove some.")
    return value


def _short(text: Any, most: int, what: str) -> None:
    if not isinstance(text, str) or not text.strip():
        raise BadInput(f"The {what} is missing.", "Write one.")
    if "{{" not in text and len(text) > most:
        raise BadInput(f"The {what} has {len(text)} characters; {most} are allowed.", "Shorten it.")


def _check_text(message: Mapping[str, Any], limits: Limits) -> None:
    text = message.get("text", "")
    if not isinstance(text, str):
        raise BadInput("The text must be a string.", 'Write "text": "…".')
    most = limits.button_text_characters if message.get("buttons") else None
    problem = (
        f"{len(text)} characters, {most} are allowed with buttons" if most and len(text) > most else None
    )
    problem = problem or limits.text_problem(text)
    if problem:
        raise BadInput(f"The text has {problem}.", "Shorten it.")


def _check_buttons(buttons: Any, limits: Limits, where: str) -> None:
    for index, button in enumerate(_listed(buttons, "buttons", limits.buttons), 1):
        name = f"button {index} of the {where}"
        if not isinstance(button, dict) or button.get("type") not in limits.button_types:
            raise BadInput(
                f"The type of {name} is not allowed.", f"Allowed: {', '.join(limits.button_types)}."
            )
        _short(button.get("title"), limits.button_title_characters, f"title of {name}")
        if button["type"] == "web_url" and not str(button.get("url", "")).startswith(
            ("https://", "http://", "{{")
        ):
            raise BadInput(f"The link of {name} is not an address.", "Give url: https://…")
        if button["type"] != "web_url":
            _short(button.get("payload"), limits.payload_characters, f"payload of {name}")


def _check_quick_replies(replies: Any, limits: Limits) -> None:
    for index, reply in enumerate(_listed(replies, "quick_replies", limits.quick_replies), 1):
        title = reply if isinstance(reply, str) else reply.get("title") if isinstance(reply, dict) else None
        _short(title, limits.quick_reply_title_characters, f"title of quick reply {index}")
        if isinstance(reply, dict) and "payload" in reply:
            _short(reply["payload"], limits.payload_characters, f"payload of quick reply {index}")


def _check_attachment(attachment: Any, limits: Limits, _platform: str) -> None:
    if not isinstance(attachment, dict) or attachment.get("type") not in limits.attachment_types:
        raise BadInput(
            "The attachment's type is not allowed.", f"Allowed: {', '.join(limits.attachment_types)}."
        )
    if sum(key in attachment for key in ("url", "path", "attachment_id")) != 1:
        raise BadInput("The attachment needs exactly one of url, path or attachment_id.", "Give one of them.")


def _check_cards(cards: Any, limits: Limits, _platform: str) -> None:
    if not _listed(cards, "cards", limits.cards):
        raise BadInput("The list of cards is empty.", "Add a card with a title.")
    for index, card in enumerate(cards, 1):
        if not isinstance(card, dict):
            raise BadInput(f"Card {index} must be an object.", "Give title and one more field.")
        _short(card.get("title"), limits.card_title_characters, f"title of card {index}")
        if not any(card.get(key) for key in ("subtitle", "image_url", "buttons", "url")):
            raise BadInput(f"Card {index} has only a title.", "Add a subtitle, an image, a link or a button.")
        if card.get("subtitle"):
            _short(card["subtitle"], limits.card_subtitle_characters, f"subtitle of card {index}")
        _check_buttons(card.get("buttons", []), limits, f"card {index}")


def _check_feedback(feedback: Any, limits: Limits, platform: str) -> None:
    if not limits.feedback:
        raise BadInput(f"Feedback templates do not exist on {platform}.", "Use a text.")
    if not isinstance(feedback, dict):
        raise BadInput("The feedback must be an object.", "Give title, question and privacy_url.")
    _short(feedback.get("title"), limits.feedback_title_characters, "title of the feedback")
    _short(feedback.get("question"), limits.feedback_subtitle_characters, "question of the feedback")
    if not str(feedback.get("privacy_url", "")).startswith("https://"):
        raise BadInput(
            "The feedback needs the address of your privacy policy.", "Give privacy_url: https://…"
        )
    if not 1 <= int(feedback.get("expires_in_days", 1)) <= 7:
        raise BadInput("expires_in_days of the feedback must be 1 to 7.", "Change it.")


def _check_template(template: Any, limits: Limits, platform: str) -> None:
    if not limits.templates:
        raise BadInput(
            f"Utility templates do not exist on {platform}.", "Use a text inside the 24-hour window."
        )
    if not isinstance(template, dict) or not template.get("name") or not template.get("language"):
        raise BadInput(
            "The template needs a name and a language.", 'Write {"template": "NAME", "language": "en"}.'
        )
    if not isinstance(template.get("parameters", {}), dict | list):
        raise BadInput(
            "The template's parameters must be an object or a list.", 'Write {"parameters": {"1": "…"}}.'
        )


_BODY_CHECKS = {
    "attachment": _check_attachment,
    "cards": _check_cards,
    "feedback": _check_feedback,
    "template": _check_template,
}
