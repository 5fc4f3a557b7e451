"""Graph's ``fields=a,b.limit(3){c,d}`` expressions."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from functools import lru_cache

from broadcaster.sandbox.refusals import refusal

_TOKEN = re.compile(r"\s*([A-Za-z_][A-Za-z0-9_]*|\.[a-z_]+\([^()]*\)|[{},])\s*")


@dataclass(frozen=True)
class Field:
    """One wanted field: its arguments (``limit`` and the like) and the fields wanted inside it."""

    arguments: dict[str, str] = field(default_factory=dict)
    inner: dict[str, Field] = field(default_factory=dict)

    @property
    def limit(self) -> int:
        """How many rows; 25 unless said, 100 at most."""
        text = self.arguments.get("limit", "25")
        return max(1, min(100, int(text))) if text.isdecimal() else 25


@lru_cache(maxsize=256)
def parse_fields(text: str) -> dict[str, Field]:
    """Names to what is wanted of them; refuses what cannot be read."""
    tokens, position = [], 0
    while position < len(text):
        match = _TOKEN.match(text, position)
        if match is None:
            raise refusal("bad_parameter", what=f"Syntax error at character {position} of fields")
        tokens.append(match.group(1))
        position = match.end()
    wanted, rest = _level(tokens, 0)
    if rest != len(tokens):
        raise refusal("bad_parameter", what="Syntax error: unbalanced braces in fields")
    return wanted


def _level(tokens: list[str], at: int) -> tuple[dict[str, Field], int]:
    wanted: dict[str, Field] = {}
    while at < len(tokens) and tokens[at] != "}":
        if tokens[at] == ",":
            at += 1
            continue
        name = tokens[at]
        arguments: dict[str, str] = {}
        inner: dict[str, Field] = {}
        at += 1
        while at < len(tokens) and tokens[at].startswith("."):
            key, value = tokens[at][1:-1].split("(", 1)
            arguments[key] = value
            at += 1
        if at < len(tokens) and tokens[at] == "{":
            inner, at = _level(tokens, at + 1)
            if at >= len(tokens):
                raise refusal("bad_parameter", what="Syntax error: unbalanced braces in fields")
            at += 1
        wanted[name] = Field(arguments, inner)
    return wanted, at
