"""Reading what a program sent: objects, lists and whole numbers where they must be, a refusal where they are not."""

from __future__ import annotations

import json
from typing import Any

from broadcaster.sandbox.refusals import refusal


def object_in(params: dict[str, Any], name: str) -> dict[str, Any]:
    """An object, given as JSON or as a string of JSON; {} when absent."""
    value = params.get(name)
    if isinstance(value, str):
        value = _parsed(value, name)
    if value is None:
        return {}
    if not isinstance(value, dict):
        raise refusal("bad_parameter", what=f"{name} must be an object")
    return value


def rows_in(params: dict[str, Any], name: str) -> list[dict[str, Any]]:
    """A list of objects, given as JSON or as a string of JSON; [] when absent."""
    value = params.get(name)
    if isinstance(value, str):
        value = _parsed(value, name)
    if value is None:
        return []
    if not isinstance(value, list) or not all(isinstance(row, dict) for row in value):
        raise refusal("bad_parameter", what=f"{name} must be a list of objects")
    return value


def number_in(params: dict[str, Any], name: str, default: int) -> int:
    value = params.get(name, default)
    try:
        return int(value)
    except (TypeError, ValueError):
        raise refusal("bad_parameter", what=f"{name} must be a number") from None


def template_type(message: dict[str, Any]) -> str:
    """The kind of structured template a message carries; "" for none."""
    return str(object_in(object_in(message, "attachment"), "payload").get("template_type", ""))


def _parsed(text: str, name: str) -> Any:
    try:
        return json.loads(text)
    except ValueError:
        raise refusal("bad_parameter", what=f"{name} must be valid JSON") from None
