"""The lexicons: phrases by language with weight and reason, read from ``resources/promotional/``.

A phrase is words with blanks between. ``word*`` is the start of a word, ``#`` an amount or a percentage,
``_`` up to three words in between. Every phrase becomes one safe pattern: no part can match in two ways.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cache
from importlib import resources
from typing import Any

from broadcaster.content.promotional.normalise import normalise

AMOUNT = r"(?:(?:[$€£¥₫₺₹]|\brs\.?|\brp\.?|\br\$|\busd|\beur|\bvnd|\bidr|\btl)\s?\d[\d.,]*\s?(?:k|rb|ribu|jt|juta|tr)?|\d[\d.,]*\s?(?:%|percent\b|percnt\b|por\s?cento\b|por\s?ciento\b|prozent\b|pour\s?cent\b|persen\b|[$€£₫₺]|usd\b|eur\b|euros?\b|vnd\b|tl\b|lira\b|reais\b|k\b|rb\b|ribu\b)|%\s?\d[\d.,]*)"
_GAP = r"(?:\W+\w+){0,3}?\W+"


@dataclass(frozen=True, slots=True)
class Group:
    """A reason: its words for the person, and where it stands written."""

    key: str
    reason: str
    advice: str
    source: str


@dataclass(frozen=True, slots=True)
class Phrases:
    """Many phrases, each with a piece of it that a text must hold before its pattern is tried."""

    tried: tuple[tuple[str, re.Pattern[str]], ...]

    def found(self, text: str) -> Iterator[tuple[int, int]]:
        """Every place where one of them stands."""
        for piece, pattern in self.tried:
            if piece in text:
                for match in pattern.finditer(text):
                    yield match.span()


@dataclass(frozen=True, slots=True)
class Entry:
    """A phrase of one language. ``weight`` 1 makes its clause promotional by itself."""

    group: str
    phrases: Phrases
    weight: float
    hit: str
    miss: str


@dataclass(frozen=True, slots=True)
class Language:
    code: str
    entries: tuple[Entry, ...]
    guards: tuple[tuple[Phrases, frozenset[str]], ...]
    fit: Mapping[str, Phrases]
    common: frozenset[str]
    """Frequent short words that tell this language from the others."""


@dataclass(frozen=True, slots=True)
class Lexicon:
    groups: Mapping[str, Group]
    languages: Mapping[str, Language]
    words: frozenset[str] = field(default_factory=frozenset)
    """Single words that a disguise may hide."""


def phrase(words: str) -> str:
    """The pattern of a phrase."""
    parts: list[str] = []
    for token in words.split():
        if token == "_":
            parts.append(_GAP)
            continue
        if parts and parts[-1] != _GAP:
            parts.append(r"\W{1,3}" if token != "#" else r"\W{0,3}")
        if token == "#":
            parts.append(AMOUNT)
        else:
            plain = normalise(token.rstrip("*")).text
            parts.append(re.escape(plain) + (r"\w{0,20}" if token.endswith("*") else ""))
    first, last = words.split()[0], words.split()[-1]
    start = "" if first == "#" else r"(?<!\w)"
    end = "" if last.endswith("*") or last == "#" else r"(?!\w)"
    return f"{start}{''.join(parts)}{end}"


def any_of(given: Iterable[str]) -> Phrases:
    """Phrases ready to be looked for."""
    return Phrases(tuple((_piece(one), re.compile(phrase(one))) for one in given))


def _piece(words: str) -> str:
    """The longest plain run of letters of a phrase; empty when it has none."""
    plain = (normalise(token.rstrip("*")).text for token in words.split() if token not in ("#", "_"))
    runs = [run for token in plain for run in re.findall(r"[^\W_]+", token)]
    return max(runs, key=len, default="")


@cache
def shipped() -> Lexicon:
    """The lexicons that come with the program."""
    folder = resources.files("resources") / "promotional"
    given = tomllib.loads((folder / "reasons.toml").read_text("utf-8"))
    groups = {key: Group(key, **value) for key, value in given["group"].items()}
    languages = {}
    for file in sorted(folder.iterdir(), key=lambda one: one.name):
        code = file.name.removesuffix(".toml")
        if file.name.endswith(".toml") and code != "reasons":
            languages[code] = _language(code, tomllib.loads(file.read_text("utf-8")), groups)
    words = frozenset(
        piece
        for language in languages.values()
        for entry in language.entries
        for piece, _ in entry.phrases.tried
        if len(piece) > 3
    )
    return Lexicon(groups, languages, words)


def _language(code: str, given: Mapping[str, Any], groups: Mapping[str, Group]) -> Language:
    entries = []
    for one in given.get("entry", ()):
        if one["group"] not in groups:
            raise ValueError(f"{code}.toml: there is no group {one['group']!r}")
        entries.append(
            Entry(one["group"], any_of(one["phrases"]), one.get("weight", 1.0), one["hit"], one["miss"])
        )
    guards = tuple((any_of(one["phrases"]), frozenset(one["cancels"])) for one in given.get("guard", ()))
    fit = {key: any_of(phrases) for key, phrases in given.get("fit", {}).items()}
    return Language(code, tuple(entries), guards, fit, frozenset(given.get("common", ())))
