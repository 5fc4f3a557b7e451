"""Placeholders: ``{{field}}`` and ``{{field|fallback}}``, found with their place and merged with values."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from broadcaster.errors import BadInput

_PLACEHOLDER = re.compile(r"\{\{([^{}|]*)(?:\|([^{}]*))?\}\}")

PERSON_FIELDS = ("first_name", "last_name", "locale", "timezone", "psid")
"""Columns of a person that may stand in a message; anything else is a custom attribute."""


@dataclass(frozen=True, slots=True)
class Placeholder:
    """``field`` as written, ``fallback`` or None, and its place in the text (characters)."""

    field: str
    fallback: str | None
    start: int
    end: int

    @property
    def key(self) -> str:
        """``first_name`` … for a known column, ``attribute.NAME`` for a custom attribute."""
        if self.field in PERSON_FIELDS or self.field.startswith("attribute."):
            return self.field
        return f"attribute.{self.field}"


class MissingValue(Exception):
    """A person has neither a value nor a fallback for ``field``; a verdict, not a fault."""

    def __init__(self, field: str) -> None:
        super().__init__(field)
        self.field = field


def placeholders(text: str) -> Iterator[Placeholder]:
    """Every placeholder of ``text`` in order. Raises BadInput for an empty or unclosed one."""
    for found in _PLACEHOLDER.finditer(text):
        field = found.group(1).strip()
        if not field:
            raise BadInput(
                f"The placeholder at character {found.start()} names no field.", "Write {{first_name}}."
            )
        yield Placeholder(field, found.group(2), found.start(), found.end())
    rest = _PLACEHOLDER.sub("", text)
    if "{{" in rest or "}}" in rest:
        raise BadInput(
            "A placeholder is not closed: there is '{{' or '}}' without its partner.", "Write {{first_name}}."
        )


def merge(text: str, values: Mapping[str, str | None]) -> str:
    """``text`` with values (keys as ``Placeholder.key``) or fallbacks. Raises MissingValue."""

    def value(found: re.Match[str]) -> str:
        placeholder = Placeholder(found.group(1).strip(), found.group(2), 0, 0)
        given = values.get(placeholder.key)
        if given not in (None, ""):
            return str(given)
        if placeholder.fallback is not None:
            return placeholder.fallback
        raise MissingValue(placeholder.field)

    return _PLACEHOLDER.sub(value, text)
