"""Placeholders: ``{{field}}`` and ``{{field|fallback}}``, found with their place and merged with values."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache

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
        placeholder = _placeholder(found)
        if not placeholder.field:
            raise BadInput(
                f"The placeholder at character {found.start()} names no field.", "Write {{first_name}}."
            )
        yield placeholder
    rest = _PLACEHOLDER.sub("", text)
    if "{{" in rest or "}}" in rest:
        raise BadInput(
            "A placeholder is not closed: there is '{{' or '}}' without its partner.", "Write {{first_name}}."
        )


def merge(text: str, values: Mapping[str, str | None]) -> str:
    """``text`` with values (keys as ``Placeholder.key``) or fallbacks. Raises MissingValue."""

    merged = []
    for part in _parts(text):
        if isinstance(part, str):
            merged.append(part)
            continue
        given = values.get(part.key)
        if given in (None, ""):
            given = part.fallback
        if given is None:
            raise MissingValue(part.field)
        merged.append(str(given))
    return "".join(merged)


@lru_cache(maxsize=1000)
def _parts(text: str) -> tuple[str | Placeholder, ...]:
    """What stands as it is, and the placeholders between: a campaign's texts are merged for person after person."""
    parts: list[str | Placeholder] = []
    place = 0
    for found in _PLACEHOLDER.finditer(text):
        parts += (text[place : found.start()], _placeholder(found))
        place = found.end()
    return (*parts, text[place:])


def _placeholder(found: re.Match[str]) -> Placeholder:
    return Placeholder(found.group(1).strip(), found.group(2), found.start(), found.end())
