"""Utility templates at the Graph API: checked before they leave, read, created and deleted.

Rules: Meta's utility message pages and what integrators met in production, read 2026-11-20. A template is
known by Page, name and language; it cannot be edited, only deleted and made again.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from broadcaster.errors import BadInput
from broadcaster.graph.client import GraphClient
from broadcaster.graph.limits import limit

NAME_LIMIT = 512
BUTTON_TITLE_LIMIT = 20
BUTTON_TYPES = frozenset({"POSTBACK", "URL", "PHONE_NUMBER"})
FORMATS = frozenset({"POSITIONAL", "NAMED"})
_NAME = re.compile(r"[a-z0-9_]+")
_LANGUAGE = re.compile(r"[a-z]{2,3}(_[A-Z]{2})?")
_PLACEHOLDER = re.compile(r"\{\{\s*([^{}]*?)\s*\}\}")
_FIELDS = "id,name,language,status,category,components,parameter_format,rejected_reason"


@dataclass(frozen=True, slots=True)
class TemplateDraft:
    """A template that may be handed in for approval."""

    name: str
    language: str
    components: tuple[Mapping[str, Any], ...]
    parameter_format: str = "POSITIONAL"
    library_template_name: str | None = None


@dataclass(frozen=True, slots=True)
class RemoteTemplate:
    """A template as the platform has it."""

    id: str
    name: str
    language: str
    status: str
    components: tuple[Mapping[str, Any], ...] = ()
    parameter_format: str = "POSITIONAL"
    rejected_reason: str | None = None


def draft(definition: object) -> TemplateDraft:
    """A definition as given (``name``, ``language``, ``components``, ``parameter_format``), checked. BadInput."""
    if not isinstance(definition, dict):
        raise BadInput("A template is an object with name, language and components.")
    unknown = set(definition) - {
        "name",
        "language",
        "components",
        "parameter_format",
        "category",
        "library_template_name",
    }
    if unknown:
        raise BadInput(f"A template has no field {sorted(unknown)[0]!r}.", "Remove it.")
    name, language = definition.get("name"), definition.get("language")
    if not isinstance(name, str) or not _NAME.fullmatch(name) or len(name) > NAME_LIMIT:
        raise BadInput(
            f"The template name {name!r} cannot be used.",
            "Use lower-case letters, digits and underscores only.",
        )
    if not isinstance(language, str) or not _LANGUAGE.fullmatch(language):
        raise BadInput(f"The language {language!r} cannot be used.", "Give a code such as en or en_US.")
    if definition.get("category", "UTILITY") != "UTILITY":
        raise BadInput("Only templates of the category UTILITY can be made here.", "Leave the category out.")
    kind = definition.get("parameter_format", "POSITIONAL")
    if kind not in FORMATS:
        raise BadInput(f"parameter_format is {kind!r}.", "Give POSITIONAL or NAMED.")
    library = definition.get("library_template_name")
    components = _components(definition.get("components"), kind, required=not library)
    return TemplateDraft(name, language, components, kind, library)


def fetch(client: GraphClient) -> list[RemoteTemplate]:
    """All templates of the Page."""
    found: list[RemoteTemplate] = []
    query = {"limit": "100", "fields": _FIELDS}
    while True:
        body = client.get("message_templates", query)
        found += [_remote(row) for row in body.get("data", [])]
        paging = body.get("paging") or {}
        if not paging.get("next"):
            return found
        query = {**query, "after": str(paging["cursors"]["after"])}


def create(client: GraphClient, wanted: TemplateDraft) -> RemoteTemplate:
    """Hand a template in for approval; normally decided within seconds."""
    form = {
        "name": wanted.name,
        "language": wanted.language,
        "category": "UTILITY",
        "parameter_format": wanted.parameter_format,
    }
    if wanted.library_template_name:
        form["library_template_name"] = wanted.library_template_name
    if wanted.components:
        form["components"] = json.dumps(list(wanted.components))
    answer = client.post_edge("message_templates", form)
    return RemoteTemplate(
        id=str(answer.get("id", "")),
        name=wanted.name,
        language=wanted.language,
        status=str(answer.get("status", "PENDING")),
        components=wanted.components,
        parameter_format=wanted.parameter_format,
    )


def delete(client: GraphClient, name: str, template_id: str | None = None) -> None:
    """Delete a name in all languages, or the one with this id."""
    client.delete_edge(
        "message_templates", {"name": name, **({"template_id": template_id} if template_id else {})}
    )


def library(client: GraphClient, text: str = "", language: str | None = None) -> list[dict[str, Any]]:
    """Ready-made templates of Meta whose name or text contains ``text``."""
    query = {"name_or_content": text, **({"language": language} if language else {})}
    rows = client.get_root("message_template_library", query).get("data", [])
    return [dict(row) for row in rows]


def placeholders(text: str) -> list[str]:
    """Names (or numbers) of the placeholders of a template's text, in order."""
    return _PLACEHOLDER.findall(text)


def _remote(row: Mapping[str, Any]) -> RemoteTemplate:
    reason = str(row.get("rejected_reason") or "NONE")
    return RemoteTemplate(
        id=str(row.get("id", "")),
        name=str(row["name"]),
        language=str(row["language"]),
        status=str(row.get("status", "")),
        components=tuple(row.get("components") or ()),
        parameter_format=str(row.get("parameter_format") or "POSITIONAL"),
        rejected_reason=None if reason == "NONE" else reason,
    )


def _components(given: object, kind: str, *, required: bool) -> tuple[Mapping[str, Any], ...]:
    if given is None and not required:
        return ()
    if not isinstance(given, Sequence) or not all(isinstance(part, dict) for part in given):
        raise BadInput(
            "components is a list of objects with a type each.", "Give at least a BODY with a text."
        )
    types = [str(part.get("type", "")).upper() for part in given]
    if required and types.count("BODY") != 1:
        raise BadInput("A template needs exactly one component of type BODY.", "Add its text there.")
    for type_, part in zip(types, given, strict=True):
        match type_:
            case "BODY":
                _check_body(part, kind)
            case "HEADER":
                if part.get("format", "TEXT") not in {"TEXT", "IMAGE"}:
                    raise BadInput("A header is a TEXT or an IMAGE.", "Choose one of the two.")
            case "BUTTONS":
                _check_buttons(part.get("buttons"))
            case _:
                raise BadInput(f"A template has no component {type_!r}.", "Use HEADER, BODY and BUTTONS.")
    return tuple(given)


def _check_body(part: Mapping[str, Any], kind: str) -> None:
    text = part.get("text")
    most = limit("utility_body")
    if not isinstance(text, str) or not text.strip() or len(text) > most:
        raise BadInput(f"The BODY needs a text of 1 to {most} characters.", "Write or shorten it.")
    names = placeholders(text)
    if text.lstrip().startswith("{{") or text.rstrip().endswith("}}"):
        raise BadInput("The text may not begin or end with a placeholder.", "Put words around it.")
    if wrong := next((name for name in names if not name or set(name) & set("#$%")), None):
        raise BadInput(f"{{{{{wrong}}}}} has a character that is not allowed.", "Leave out #, $ and %.")
    if kind == "POSITIONAL" and names != [str(number + 1) for number in range(len(names))]:
        raise BadInput(
            f"The placeholders are {', '.join(names)}.", "Number them {{1}}, {{2}}, … in order, or use NAMED."
        )
    if names and not part.get("example"):
        raise BadInput(
            "The placeholders have no example values.", 'Add "example" to the BODY: Meta rejects it else.'
        )


def _check_buttons(buttons: object) -> None:
    most = limit("utility_buttons")
    if not isinstance(buttons, Sequence) or not 1 <= len(buttons) <= most:
        raise BadInput(f"A template has 1 to {most} buttons.", "Remove some, or the BUTTONS component.")
    for button in buttons:
        kind = button.get("type") if isinstance(button, dict) else None
        if kind not in BUTTON_TYPES:
            raise BadInput(
                f"A template's button cannot be {kind!r}.", f"Use {', '.join(sorted(BUTTON_TYPES))}."
            )
        title = str(button.get("text", ""))
        if not 1 <= len(title) <= BUTTON_TITLE_LIMIT:
            raise BadInput(
                f"The button title {title!r} is not 1 to {BUTTON_TITLE_LIMIT} characters.", "Change it."
            )
        if kind == "POSTBACK" and "example" in button:
            raise BadInput("A POSTBACK button takes no example.", "Remove it.")
