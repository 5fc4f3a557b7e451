"""Utility message templates of a Page: library, creation with its review, and what a send must carry."""

from __future__ import annotations

import re
import tomllib
from dataclasses import dataclass, field
from functools import cache
from importlib.resources import files
from typing import TYPE_CHECKING, Any

from broadcaster.sandbox.refusals import refusal
from broadcaster.sandbox.shapes import object_in, rows_in

if TYPE_CHECKING:
    from broadcaster.sandbox.world import Page

REVIEW_SECONDS = 1.0
_PLACEHOLDER = re.compile(r"\{\{\s*([^{}]*?)\s*\}\}")
_MARKETING = re.compile(
    r"\b(sale|discount|coupon|% off|deal|offer|promo\w*|rabatt|limited time)\b", re.IGNORECASE
)


@dataclass(slots=True)
class Template:
    id: str
    name: str
    language: str
    components: list[dict[str, Any]]
    parameter_format: str
    created_ms: int
    category: str = "UTILITY"
    status: str = "PENDING"
    rejected_reason: str = "NONE"
    library_name: str = ""
    placeholders: dict[str, list[str]] = field(default_factory=dict)

    def as_json(self) -> dict[str, Any]:
        row: dict[str, Any] = {
            "name": self.name,
            "status": self.status,
            "category": self.category,
            "language": self.language,
            "components": self.components,
            "parameter_format": self.parameter_format,
            "rejected_reason": self.rejected_reason,
            "id": self.id,
        }
        if self.library_name:
            row["library_template_name"] = self.library_name
        return row


@cache
def library() -> list[dict[str, Any]]:
    """Ready-made templates, from ``resources/sandbox/template_library.toml``."""
    text = (files("resources") / "sandbox" / "template_library.toml").read_text(encoding="utf-8")
    rows: list[dict[str, Any]] = tomllib.loads(text)["template"]
    return rows


class Templates:
    """The templates of one Page, by name and language."""

    def __init__(self, page: Page) -> None:
        self._page = page
        self._numbers = 0
        self.rows: dict[tuple[str, str], Template] = {}

    def create(self, params: dict[str, Any]) -> Template:
        """Take a new template into review; refuses malformed ones at once."""
        name, language = str(params.get("name", "")), str(params.get("language", ""))
        if not re.fullmatch(r"[a-z0-9_]{1,512}", name) or not language:
            raise refusal(
                "bad_parameter", what="name (lower case, digits, underscore) and language are required"
            )
        if str(params.get("category", "UTILITY")) != "UTILITY":
            raise refusal("bad_parameter", what="category must be UTILITY")
        if (name, language) in self.rows:
            raise refusal("bad_parameter", what="a template of this name and language exists")
        components = self._components(params)
        _check_components(components)
        self._numbers += 1
        template = Template(
            id=str(700_000_000_000_000 + self._numbers),
            name=name,
            language=language,
            components=components,
            parameter_format=str(params.get("parameter_format", "POSITIONAL")),
            created_ms=self._page.world.clock.ms(),
            library_name=str(params.get("library_template_name", "")),
            placeholders={
                str(part["type"]).upper(): _names(str(part.get("text", ""))) for part in components
            },
        )
        self.rows[name, language] = template
        self._page.world.agenda.plan(REVIEW_SECONDS, self.review, template)
        return template

    def review(self, template: Template, status: str = "", reason: str = "") -> None:
        """End the review: as told, else by Meta's named reasons for rejection."""
        found = reason or _rejection(template)
        template.status = status or ("REJECTED" if found else "APPROVED")
        template.rejected_reason = found or "NONE"
        change = {
            "event": template.status,
            "message_template_id": template.id,
            "message_template_name": template.name,
            "message_template_language": template.language,
            "reason": template.rejected_reason,
        }
        self._page.world.emit(self._page, "message_template_status_update", change)

    def delete(self, name: str, template_id: str) -> bool:
        """Remove one language by id, or all of a name; False when there is none."""
        gone = [
            key
            for key, row in self.rows.items()
            if (row.id == template_id if template_id else row.name == name)
        ]
        for key in gone:
            del self.rows[key]
        return bool(gone)

    def find(self, filters: dict[str, Any]) -> list[Template]:
        def fits(row: Template) -> bool:
            text = str(row.components).lower()
            wanted = str(filters.get("name_or_content", "")).lower()
            return (
                filters.get("name") in (None, row.name)
                and filters.get("language") in (None, row.language)
                and filters.get("status") in (None, row.status)
                and filters.get("category") in (None, row.category)
                and str(filters.get("content", "")).lower() in text
                and (wanted in row.name or wanted in text)
            )

        return [row for row in self.rows.values() if fits(row)]

    def fill(self, given: dict[str, Any]) -> str:
        """Check a send's ``message.template`` against its approved template; the text the person reads."""
        name = str(given.get("name", ""))
        code = str(object_in(given, "language").get("code", ""))
        template = self.rows.get((name, code))
        if template is None or template.status != "APPROVED":
            raise refusal("template_missing", name=name, language=code)
        values = {str(part.get("type", "")): part for part in rows_in(given, "components")}
        if unknown := set(values) - {"header", "body", "buttons"}:
            raise refusal("template_parameters", what=f"component {sorted(unknown)[0]}")
        _check_buttons(template, values.get("buttons"))
        parts = [_filled(template, kind, values.get(kind.lower())) for kind in ("HEADER", "BODY")]
        return "\n".join(part for part in parts if part)

    def _components(self, params: dict[str, Any]) -> list[dict[str, Any]]:
        wanted = params.get("library_template_name")
        if wanted:
            row = next((row for row in library() if row["name"] == wanted), None)
            if row is None:
                raise refusal("bad_parameter", what=f"no library template {wanted}")
            return [{"type": "BODY", "text": row["body"]}]
        return rows_in(params, "components")


def _names(text: str) -> list[str]:
    return _PLACEHOLDER.findall(text)


def _check_components(components: list[dict[str, Any]]) -> None:
    kinds = [str(part.get("type", "")).upper() for part in components]
    if "BODY" not in kinds or set(kinds) - {"HEADER", "BODY", "BUTTONS"}:
        raise refusal("template_create_failed", what="a BODY, and at most HEADER and BUTTONS beside it")
    for part in components:
        if str(part.get("type", "")).upper() == "BODY" and len(str(part.get("text", ""))) > 1024:
            raise refusal("too_long", param="body", limit=1024)
        for button in rows_in(part, "buttons"):
            _check_button(button)
        if len(rows_in(part, "buttons")) > 3:
            raise refusal("too_many", param="buttons", limit=3)


def _check_button(button: dict[str, Any]) -> None:
    if str(button.get("type")) not in {"POSTBACK", "URL", "PHONE_NUMBER"}:
        raise refusal("template_create_failed", what=f"button type {button.get('type')}")
    if button.get("type") == "POSTBACK" and "example" in button:
        raise refusal("template_button_field", what="example")
    if len(str(button.get("text", ""))) > 20:
        raise refusal("too_long", param="button text", limit=20)


def _rejection(template: Template) -> str:
    body = next(str(part["text"]) for part in template.components if str(part["type"]).upper() == "BODY")
    names = _names(body)
    if _MARKETING.search(body):
        return "TAG_SHOULD_BE_MARKETING"
    if body.startswith("{{") or body.rstrip().endswith("}}") or any(set(name) & set("#$%") for name in names):
        return "INCORRECT_PARAMS"
    if template.parameter_format == "POSITIONAL" and names != [str(n + 1) for n in range(len(names))]:
        return "INCORRECT_PARAMS"
    if len(names) * 3 > len(_PLACEHOLDER.sub("", body).split()) + 2:
        return "PARAMS_TO_WORD_RATIO_EXCEED_LIMIT"
    if names and not template.library_name and not any("example" in part for part in template.components):
        return "TEMPLATE_VARIABLES_MISSING_SAMPLE_VALUES"
    return ""


def _check_buttons(template: Template, given: dict[str, Any] | None) -> None:
    approved = [button for part in template.components for button in rows_in(part, "buttons")]
    values = rows_in(given or {}, "parameters") or rows_in(given or {}, "buttons")
    if any("index" in value for value in [*values, given or {}]):
        raise refusal("template_parameters", what="unexpected key index on buttons")
    if len(values) < len(approved):
        raise refusal("template_buttons")


def _filled(template: Template, kind: str, given: dict[str, Any] | None) -> str:
    part = next((row for row in template.components if str(row.get("type", "")).upper() == kind), None)
    if part is None:
        return ""
    text = str(part.get("text", ""))
    names = template.placeholders.get(kind, [])
    parameters = rows_in(given or {}, "parameters")
    if template.parameter_format == "NAMED":
        values = {str(row.get("parameter_name", "")): row.get("text") for row in parameters}
    else:
        values = {str(number + 1): row.get("text") for number, row in enumerate(parameters)}
    if set(names) != set(values) or any(not isinstance(value, str) or not value for value in values.values()):
        raise refusal("template_parameters", what=f"{kind.lower()} needs exactly the parameters {names}")
    return _PLACEHOLDER.sub(lambda match: str(values[match.group(1)]), text)
