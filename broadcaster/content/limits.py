"""The platform's limits of one message, read from ``resources/message-limits.toml``."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from functools import cache
from importlib import resources
from typing import Any


@dataclass(frozen=True, slots=True)
class Limits:
    """Counts are of items or characters (code points), unless named bytes (UTF-8)."""

    text_characters: int
    text_bytes: int
    button_text_characters: int
    buttons: int
    button_types: tuple[str, ...]
    button_title_characters: int
    payload_characters: int
    quick_replies: int
    quick_reply_title_characters: int
    cards: int
    card_title_characters: int
    card_subtitle_characters: int
    feedback_title_characters: int
    feedback_subtitle_characters: int
    feedback_button_characters: int
    attachment_types: tuple[str, ...]
    templates: bool
    feedback: bool

    def text_problem(self, text: str) -> str | None:
        """Why ``text`` is too long for one message, or None."""
        if len(text) > self.text_characters:
            return f"{len(text)} characters, {self.text_characters} are allowed"
        size = len(text.encode("utf-8", "replace"))
        if self.text_bytes and size > self.text_bytes:
            return f"{size} bytes, {self.text_bytes} are allowed"
        return None


@cache
def limits_for(platform: str) -> Limits:
    """The limits of ``messenger`` or ``instagram``."""
    text = (resources.files("resources") / "message-limits.toml").read_text("utf-8")
    values: dict[str, Any] = tomllib.loads(text)[platform]
    lists = {key: tuple(value) for key, value in values.items() if isinstance(value, list)}
    return Limits(**{**values, **lists})
