"""The token file, read: colours by name for one scheme, lengths in pixels at 100 % text."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from importlib import resources

SCHEMES = ("light", "dark")


@dataclass(frozen=True, slots=True)
class Tokens:
    """One scheme of the look. ``scale`` is the text size against 100 %."""

    scheme: str
    scale: float
    colors: Mapping[str, str]
    lengths: Mapping[str, Mapping[str, int]]

    def length(self, group: str, name: str) -> int:
        """Pixels of ``group.name`` at this text size; lines and dots do not grow."""
        value = self.lengths[group][name]
        return value if value <= 2 else round(value * self.scale)


def load(scheme: str, scale: float = 1.0) -> Tokens:
    """The tokens of ``scheme`` (``light`` or ``dark``)."""
    text = (resources.files("resources") / "theme" / "tokens.toml").read_text("utf-8")
    given = tomllib.loads(text)
    lengths = {name: values for name, values in given.items() if name not in SCHEMES}
    return Tokens(scheme, scale, given[scheme], lengths)
