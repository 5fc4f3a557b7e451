"""Does a text say what its way to send is for? Told by its purposes, which the wording gives."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib import resources

from broadcaster.content.promotional.read_message import ReadMessage

PROMOTIONAL = "Promotional content is not allowed by this way to send."


@dataclass(frozen=True, slots=True)
class Use:
    """What a way to send is for; ``least``: likelihood of a fitting purpose below which a text does not fit."""

    fits: tuple[str, ...]
    is_for: str
    least: float


@dataclass(frozen=True, slots=True)
class Purposes:
    """``words`` tells each purpose; a way to send without a use (``standard``) takes any text.

    ``leaning``: way to send → log-odds beyond even at which a text is called promotional.
    """

    words: Mapping[str, str]
    uses: Mapping[str, Use]
    leaning: Mapping[str, float]


@cache
def shipped() -> Purposes:
    """The purposes that come with the program."""
    given = tomllib.loads((resources.files("resources") / "promotional" / "purposes.toml").read_text("utf-8"))
    uses = {
        key: Use(tuple(one["fits"]), one["is_for"], one["least"]) for key, one in given["permission"].items()
    }
    return Purposes(given["purpose"], uses, given["leaning"])


def problem(key: str, message: ReadMessage) -> str | None:
    """Why a message does not suit its way to send, in one sentence; None when it does.

    Where no language was recognised, only promotion and emptiness count.
    """
    use = shipped().uses.get(key)
    if use is None:
        return None
    if not any(one.part.plain.text.strip() for one in message.judged):
        return "The text is empty."
    if message.promotional:
        return PROMOTIONAL
    likely = message.purposes if message.languages and message.found else None
    if likely is None or sum(likely[name] for name in use.fits) >= use.least:
        return None
    most = max(likely, key=lambda name: likely[name])
    return f"This way to send is for {use.is_for}; the text reads like {shipped().words[most]}."
