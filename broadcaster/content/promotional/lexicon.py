"""The lexicons: phrases by language with weight and reason, read from ``resources/promotional/``."""

from __future__ import annotations

import tomllib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache
from importlib import resources
from typing import Any

from broadcaster.content.promotional.normalise import Normaliser, Signs, with_marks
from broadcaster.content.promotional.phrases import Book, Phrases

NOT_LANGUAGES = ("reasons", "look-alikes", "purposes")


@dataclass(frozen=True, slots=True)
class Group:
    """A reason: its words for the person, and where it stands written."""

    key: str
    reason: str
    advice: str
    source: str


@dataclass(frozen=True, slots=True)
class Entry:
    """Phrases of one language and one reason. ``weight`` 1 makes its clause promotional by itself.

    ``buttons``: only read on buttons and quick replies, where a bare word is a call.
    """

    group: str
    phrases: Phrases
    weight: float
    buttons: bool
    hit: str
    miss: str


@dataclass(frozen=True, slots=True)
class Language:
    code: str
    entries: tuple[Entry, ...]
    guards: tuple[tuple[Phrases, frozenset[str]], ...]
    ahead: Phrases
    """Words that put a benefit into the future: no guard counts in their clause."""
    neutral: Phrases
    """Names and compounds that sell nothing although they hold a selling word."""
    fit: Mapping[str, Phrases]
    common: frozenset[str]
    """Frequent short words that tell this language from the others."""
    letters: frozenset[str]
    """Letters with marks that tell it, as typed."""
    book: Book
    """Where all its phrases are entered."""
    marked: bool = False
    """Its phrases are compared with their marks; :func:`unmarked` names the form for texts without."""


@dataclass(frozen=True, slots=True)
class Lexicon:
    groups: Mapping[str, Group]
    languages: Mapping[str, Language]
    normalise: Normaliser


def unmarked(code: str) -> str:
    """The key of a marked language's phrases without marks: ``vi~``."""
    return f"{code}~"


@cache
def shipped() -> Lexicon:
    """The lexicons that come with the program."""
    folder = resources.files("resources") / "promotional"
    files = {
        file.name.removesuffix(".toml"): tomllib.loads(file.read_text("utf-8"))
        for file in sorted(folder.iterdir(), key=lambda one: one.name)
        if file.name.endswith(".toml")
    }
    signs = _signs(files["look-alikes"])
    hidden = {word for given in files.values() for word in given.get("hidden", ())}
    normalise = Normaliser(signs, {Normaliser(signs).words(word) for word in hidden})
    groups = {key: Group(key, **value) for key, value in files["reasons"]["group"].items()}
    languages: dict[str, Language] = {}
    for code, given in files.items():
        if code in NOT_LANGUAGES:
            continue
        marked = given.get("marked", False)
        languages[code] = _language(code, given, groups, with_marks if marked else normalise.words)
        if marked:
            languages[unmarked(code)] = _language(unmarked(code), given, groups, normalise.words)
    return Lexicon(groups, languages, normalise)


def _table(given: Mapping[str, str]) -> dict[int, str]:
    return {ord(one): to for one, to in zip(given["from"], given["to"], strict=True)}


def _signs(given: Mapping[str, Any]) -> Signs:
    folds = given["look_alikes"]
    leet = tuple(_table(table) for table in given["leet"])
    round_letters = {
        chr(first + n): chr(ord("a") + n) for first in (0x1F150, 0x1F170) for n in range(26)
    }  # letters in filled circles and squares
    return Signs(_table(folds), leet, {**round_letters, **given["plain"]})


def _language(
    code: str, given: Mapping[str, Any], groups: Mapping[str, Group], plain: Callable[[str], str]
) -> Language:
    entries = []
    book = Book()
    for one in given.get("entry", ()):
        if one["group"] not in groups:
            raise ValueError(f"{code}.toml: there is no group {one['group']!r}")
        entries.append(
            Entry(
                one["group"],
                Phrases(one["phrases"], plain, book),
                one.get("weight", 1.0),
                one.get("buttons", False),
                one["hit"],
                one["miss"],
            )
        )
    return Language(
        code,
        tuple(entries),
        tuple(
            (Phrases(one["phrases"], plain, book), frozenset(one["cancels"]))
            for one in given.get("guard", ())
        ),
        Phrases(given.get("ahead", ()), plain, book),
        Phrases(given.get("neutral", ()), plain, book),
        {key: Phrases(phrases, plain, book) for key, phrases in given.get("fit", {}).items()},
        frozenset(given.get("common", ())),
        frozenset(given.get("letters", "")),
        book,
        given.get("marked", False) and not code.endswith(unmarked("")),
    )
