"""The lexicons: phrases by language with weight and reason, read from ``resources/promotional/``.

A phrase is words with blanks between. ``word*`` is the start of a word, ``*word`` its end, ``a|b`` either word, ``word?`` may be
missing, ``#`` an amount or a percentage, ``%`` a percentage, ``$`` an amount of money, ``9`` a number, ``_``
up to three words in between. Every phrase becomes one safe pattern: all repetitions in it are bounded.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from importlib import resources
from typing import Any

from broadcaster.content.promotional.normalise import Normaliser, Signs, with_marks

NOT_LANGUAGES = ("reasons", "look-alikes")
_NUMBER = r"\d[\d.,]{0,14}"
_PERCENT = rf"(?:{_NUMBER}\s?(?:%|per\s?cent\b|percent\b|por\s?cento\b|por\s?ciento\b|prozent\b|pour\s?cent\b|per\s?cento\b|persen\b|phan\s?tram\b)|%\s?{_NUMBER}|yuzde\s{_NUMBER})"
_MONEY = rf"(?:(?:[$€£¥₫₺₹₽₩]|\b(?:rs\.?|rp\.?|inr|usd|eur|gbp|vnd|idr|try|aud|cad|s/\.?|php|chf))\s?{_NUMBER}\s?(?:k|rb|ribu|jt|juta|tr)?\b|{_NUMBER}\s?(?:[$€£₫₺₹¥]|(?:usd|eur|gbp|euros?|vnd|vnđ|tl|lira\w{{0,4}}|reais|dollars?|bucks|pounds?|pesos?|rupiah|dong|d|k|rb|ribu|juta|chf|francs?|franken|soles)\b))"
CLASSES = {"#": rf"(?:{_MONEY}|{_PERCENT})", "%": _PERCENT, "$": _MONEY, "9": _NUMBER}
_BETWEEN = r"\W{1,3}"
_BESIDE_CLASS = r"\W{0,3}"
_GAP = r"(?:\W{1,4}\w{1,24}){0,3}?\W{1,4}"
_REST = r"\w{0,20}"


@dataclass(frozen=True, slots=True)
class Group:
    """A reason: its words for the person, and where it stands written."""

    key: str
    reason: str
    advice: str
    source: str


@dataclass(frozen=True, slots=True)
class Phrases:
    """Many phrases, each with pieces of which a text must hold one before its pattern is tried."""

    tried: tuple[tuple[tuple[str, ...], re.Pattern[str]], ...]

    def found(self, text: str) -> Iterator[tuple[int, int]]:
        """Every place where one of them stands."""
        for pieces, pattern in self.tried:
            for piece in pieces:
                if piece in text:
                    for match in pattern.finditer(text):
                        yield match.span()
                    break

    def stand_in(self, text: str) -> bool:
        return next(self.found(text), None) is not None


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


class _Reader:
    """Turns the phrases of a file into patterns."""

    def __init__(self, normalise: Normaliser, marked: bool = False) -> None:
        self._plain = with_marks if marked else normalise.words

    def any_of(self, given: Iterable[str]) -> Phrases:
        return Phrases(tuple((self._pieces(one), re.compile(self.pattern(one))) for one in given))

    def pattern(self, words: str) -> str:
        parts: list[str] = []
        tokens = words.split()
        for number, token in enumerate(tokens):
            if token == "_":
                continue
            before = tokens[number - 1] if number else ""
            one = CLASSES.get(token) or self._token(token.rstrip("?"))
            if number == 0:
                parts.append(f"(?:{one}{_BETWEEN})?" if token.endswith("?") else one)
                continue
            joint = _GAP if before == "_" else _BESIDE_CLASS if {before, token} & CLASSES.keys() else _BETWEEN
            if number == 1 and before.endswith("?"):
                joint = ""
            parts.append(f"(?:{joint}{one})?" if token.endswith("?") else joint + one)
        start = "" if tokens[0] in CLASSES else r"(?<!\w)"
        end = "" if tokens[-1] in CLASSES or tokens[-1].endswith("*") else r"(?!\w)"
        return start + "".join(parts) + end

    def _token(self, token: str) -> str:
        ways = []
        for way in token.split("|"):
            if way in CLASSES:
                ways.append(CLASSES[way])
                continue
            plain = re.escape(self._plain(way.strip("*"))).replace("'", "'?")
            ways.append((_REST if way.startswith("*") else "") + plain + (_REST if way.endswith("*") else ""))
        return ways[0] if len(ways) == 1 else f"(?:{'|'.join(ways)})"

    def _pieces(self, words: str) -> tuple[str, ...]:
        """The runs of letters one of which stands in every text that the phrase matches."""
        best: tuple[str, ...] = ("",)
        for token in words.split():
            if token == "_" or token in CLASSES or token.endswith("?"):
                continue
            runs = tuple("" if way in CLASSES else self._longest_run(way) for way in token.split("|"))
            if min(map(len, runs)) > min(map(len, best)):
                best = runs
        return best

    def _longest_run(self, way: str) -> str:
        return max(re.findall(r"[^\W_]+", self._plain(way.strip("*"))), key=len, default="")


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
        languages[code] = _language(code, given, groups, _Reader(normalise, marked))
        if marked:
            languages[unmarked(code)] = _language(unmarked(code), given, groups, _Reader(normalise))
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


def _language(code: str, given: Mapping[str, Any], groups: Mapping[str, Group], reader: _Reader) -> Language:
    entries = []
    for one in given.get("entry", ()):
        if one["group"] not in groups:
            raise ValueError(f"{code}.toml: there is no group {one['group']!r}")
        entries.append(
            Entry(
                one["group"],
                reader.any_of(one["phrases"]),
                one.get("weight", 1.0),
                one.get("buttons", False),
                one["hit"],
                one["miss"],
            )
        )
    return Language(
        code,
        tuple(entries),
        tuple((reader.any_of(one["phrases"]), frozenset(one["cancels"])) for one in given.get("guard", ())),
        reader.any_of(given.get("ahead", ())),
        reader.any_of(given.get("neutral", ())),
        {key: reader.any_of(phrases) for key, phrases in given.get("fit", {}).items()},
        frozenset(given.get("common", ())),
        frozenset(given.get("letters", "")),
        given.get("marked", False) and not code.endswith(unmarked("")),
    )
