"""A message as written in a campaign: checked against the platform, and rendered for one person."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from broadcaster.content.limits import limits_for
from broadcaster.content.placeholders import Placeholder, merge, placeholders
from broadcaster.content.shapes import check_shape
from broadcaster.errors import BadInput

KINDS = ("text", "attachment", "cards", "feedback", "template")


class UnfitMessage(Exception):
    """The merged message breaks a limit for this person; ``problem`` says which."""

    def __init__(self, problem: str) -> None:
        super().__init__(problem)
        self.problem = problem


@dataclass(frozen=True, slots=True)
class Message:
    """One message. ``definition`` is the JSON of the campaign file, already checked."""

    definition: Mapping[str, Any]
    platform: str
    kind: str = field(init=False)
    """What it is sent as: template, feedback, cards, attachment, or text."""

    def __post_init__(self) -> None:
        found = next((kind for kind in reversed(KINDS) if kind in self.definition), "text")
        object.__setattr__(self, "kind", found)

    @classmethod
    def parse(cls, definition: object, platform: str) -> Message:
        """Check a message definition. Raises BadInput with the part and the mend."""
        if not isinstance(definition, dict):
            raise BadInput("The message must be an object.", 'Write {"text": "Hello {{first_name|there}}"}.')
        checked = dict(definition)
        check_shape(checked, limits_for(platform), platform)
        message = cls(checked, platform)
        for name, text in message.parts():
            try:
                list(placeholders(text))
            except BadInput as error:
                raise BadInput(f"In the {name}: {error.text}", error.hint) from error
        return message

    @property
    def is_media(self) -> bool:
        """Counts against the slower limit (10/s): audio, video, images; templates with images too."""
        return self.kind in ("attachment", "cards")

    @property
    def text(self) -> str:
        return str(self.definition.get("text", ""))

    def parts(self) -> list[tuple[str, str]]:
        """Every text a person will read, with the name of its part."""
        return list(_parts(self.definition))

    def placeholders(self) -> tuple[Placeholder, ...]:
        return tuple(found for _, text in self.parts() for found in placeholders(text))

    def required_fields(self) -> tuple[str, ...]:
        """Keys of placeholders without a fallback: who lacks one of these values is blocked."""
        needed = {found.key for found in self.placeholders() if found.fallback is None}
        return tuple(sorted(needed))

    def fields(self) -> tuple[str, ...]:
        """Keys of all placeholders: the values that ``render`` may ask for."""
        return tuple(sorted({found.key for found in self.placeholders()}))

    def render(self, values: Mapping[str, str | None]) -> dict[str, Any]:
        """The Graph ``message`` object for one person, without metadata. MissingValue, UnfitMessage."""
        body = _BUILDERS[self.kind](self.definition, lambda text: merge(str(text), values))
        text = body.get("text")
        problem = limits_for(self.platform).text_problem(text) if isinstance(text, str) else None
        if problem:
            raise UnfitMessage(f"The merged text has {problem}.")
        replies = self.definition.get("quick_replies")
        if replies:
            body["quick_replies"] = [_quick_reply(reply, values) for reply in replies]
        return body

    def merged_parts(self, values: Mapping[str, str | None]) -> list[tuple[str, str]]:
        """The parts as one person would read them. Raises MissingValue."""
        return [(name, merge(text, values)) for name, text in self.parts()]


def text_hash(body: Mapping[str, Any]) -> str:
    """A stable hash of a rendered message: proof of what was sent, without keeping the text."""
    # the commonest message by far: a bare text is written out without a walk through an object
    written = f'{{"text": {_sorted(body["text"])}}}' if body.keys() == {"text"} else _sorted(body)
    return hashlib.sha256(written.encode()).hexdigest()


_sorted = json.JSONEncoder(sort_keys=True, ensure_ascii=False).encode


def readable_text(body: Mapping[str, Any]) -> str:
    """The text a conversation shows for a rendered message: used to recognise it when read back."""
    if "text" in body:
        return str(body["text"])
    payload = body.get("attachment", {}).get("payload", {})
    if isinstance(payload, dict):
        elements = payload.get("elements") or [{}]
        return str(payload.get("text") or payload.get("title") or elements[0].get("title", ""))
    return ""


def _parts(message: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    if message.get("text"):
        yield "text", str(message["text"])
    yield from _button_parts(message.get("buttons", ()), "")
    for index, reply in enumerate(message.get("quick_replies", ()), 1):
        yield f"quick reply {index}", str(reply if isinstance(reply, str) else reply.get("title", ""))
    for index, card in enumerate(message.get("cards", ()), 1):
        for key in ("title", "subtitle", "url"):
            if card.get(key):
                yield f"card {index} {key}", str(card[key])
        yield from _button_parts(card.get("buttons", ()), f"card {index} ")
    for key in ("title", "subtitle", "button_title", "question", "follow_up"):
        if message.get("feedback", {}).get(key):
            yield f"feedback {key}", str(message["feedback"][key])
    for name, value in _parameters(message.get("template", {})).items():
        yield f"template parameter {name}", str(value)


def _button_parts(buttons: Any, prefix: str) -> Iterator[tuple[str, str]]:
    for index, button in enumerate(buttons, 1):
        yield f"{prefix}button {index}", str(button.get("title", ""))
        if button.get("url"):
            yield f"{prefix}button {index} link", str(button["url"])


def _parameters(template: Mapping[str, Any]) -> dict[str, Any]:
    given = template.get("parameters", {})
    if isinstance(given, list):
        return {str(index): value for index, value in enumerate(given, 1)}
    return dict(given)


Fill = Callable[[Any], str]


def _text_body(message: Mapping[str, Any], fill: Fill) -> dict[str, Any]:
    text = fill(message["text"])
    if not message.get("buttons"):
        return {"text": text}
    buttons = [_button(button, fill) for button in message["buttons"]]
    payload = {"template_type": "button", "text": text, "buttons": buttons}
    return {"attachment": {"type": "template", "payload": payload}}


def _attachment_body(message: Mapping[str, Any], _fill: Fill) -> dict[str, Any]:
    attachment = message["attachment"]
    if "attachment_id" in attachment:
        payload = {"attachment_id": attachment["attachment_id"]}
    else:
        payload = {"url": attachment["url"], "is_reusable": True}
    return {"attachment": {"type": attachment["type"], "payload": payload}}


def _cards_body(message: Mapping[str, Any], fill: Fill) -> dict[str, Any]:
    elements = []
    for card in message["cards"]:
        element: dict[str, Any] = {key: fill(card[key]) for key in ("title", "subtitle") if card.get(key)}
        if card.get("image_url"):
            element["image_url"] = card["image_url"]
        if card.get("url"):
            element["default_action"] = {"type": "web_url", "url": fill(card["url"])}
        if card.get("buttons"):
            element["buttons"] = [_button(button, fill) for button in card["buttons"]]
        elements.append(element)
    return {"attachment": {"type": "template", "payload": {"template_type": "generic", "elements": elements}}}


def _feedback_body(message: Mapping[str, Any], fill: Fill) -> dict[str, Any]:
    feedback = message["feedback"]
    question: dict[str, Any] = {
        "id": "q1",
        "type": feedback.get("type", "csat"),
        "title": fill(feedback["question"]),
    }
    if feedback.get("follow_up"):
        question["follow_up"] = {"type": "free_form", "placeholder": fill(feedback["follow_up"])}
    payload = {
        "template_type": "customer_feedback",
        "title": fill(feedback["title"]),
        "subtitle": fill(feedback.get("subtitle", "")),
        "button_title": fill(feedback.get("button_title", "Answer")),
        "feedback_screens": [{"questions": [question]}],
        "business_privacy": {"url": feedback["privacy_url"]},
        "expires_in_days": feedback.get("expires_in_days", 1),
    }
    return {"attachment": {"type": "template", "payload": payload}}


def _template_body(message: Mapping[str, Any], fill: Fill) -> dict[str, Any]:
    template = message["template"]
    named = isinstance(template.get("parameters", {}), dict)
    parameters = [
        {"type": "text", **({"parameter_name": name} if named else {}), "text": fill(value)}
        for name, value in _parameters(template).items()
    ]
    components: list[dict[str, Any]] = [{"type": "body", "parameters": parameters}] if parameters else []
    if template.get("buttons"):
        values = [{"type": "text", "text": fill(value)} for value in template["buttons"]]
        components.append({"type": "buttons", "parameters": values})
    return {
        "template": {
            "name": template["name"],
            "language": {"code": template["language"]},
            "components": components,
        }
    }


def _button(button: Mapping[str, Any], fill: Fill) -> dict[str, Any]:
    texts = {key: fill(button[key]) for key in ("title", "url") if key in button}
    return {**{key: value for key, value in button.items() if key not in texts}, **texts}


def _quick_reply(reply: Any, values: Mapping[str, str | None]) -> dict[str, Any]:
    given = {"title": reply} if isinstance(reply, str) else dict(reply)
    title = merge(str(given["title"]), values)
    return {"content_type": "text", "title": title, "payload": str(given.get("payload", title))}


_BUILDERS: dict[str, Callable[[Mapping[str, Any], Fill], dict[str, Any]]] = {
    "text": _text_body,
    "attachment": _attachment_body,
    "cards": _cards_body,
    "feedback": _feedback_body,
    "template": _template_body,
}
