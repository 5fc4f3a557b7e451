"""Phrases looked for in a text: a notation, the safe pattern made of it, and an index so that few are tried.

A phrase is words with blanks between. ``word*`` is the start of a word, ``*word`` its end, ``a|b`` either
word, ``word?`` may be missing, ``*`` any word, ``#`` an amount or a percentage, ``%`` a percentage, ``$`` an
amount of money, ``9`` a number, ``_`` up to three words in between. All repetitions are bounded.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property

_NUMBER = r"\d[\d.,]{0,14}"
_PERCENT = (
    rf"(?:{_NUMBER}\s?(?:%|(?:per\s?cent|percent|por\s?cento|por\s?ciento|prozent|pour\s?cent|per\s?cento|persen"
    rf"|phan\s?tram)\b)|%\s?{_NUMBER}|yuzde\s{_NUMBER})"
)
_MONEY = (
    rf"(?:(?:[$€£¥₫₺₹₽₩]|\b(?:rs\.?|rp\.?|inr|usd|eur|gbp|vnd|idr|try|aud|cad|s/\.?|php|chf))\s?{_NUMBER}"
    rf"\s?(?:k|rb|ribu|jt|juta|tr)?\b|{_NUMBER}\s?(?:[$€£₫₺₹¥]|(?:usd|eur|gbp|euros?|vnd|tl|lira\w{{0,4}}|reais"
    r"|dollars?|bucks|pounds?|pesos?|rupiah|dong|đồng|d|đ|k|rb|ribu|juta|chf|francs?|franken|soles)\b))"
)
CLASSES = {"#": rf"(?:{_MONEY}|{_PERCENT})", "%": _PERCENT, "$": _MONEY, "9": _NUMBER}
_BETWEEN = r"\W{1,3}"
_BESIDE_CLASS = r"\W{0,3}"
_GAP = r"(?:\W{1,4}\w{1,24}){0,3}?\W{1,4}"
_REST = r"\w{0,20}"
_RUN = re.compile(r"[^\W_]{1,40}")
_LONGEST_START = 16
_WHOLE = " "
"""Ends the key of a whole word; the key of a start of words has none."""


@dataclass(frozen=True)
class Readable:
    """A plain text with the keys of its words."""

    text: str

    @cached_property
    def keys(self) -> frozenset[str]:
        """Every word as a whole, and every start of a word."""
        words = set(_RUN.findall(self.text))
        starts = {word[:n] for word in words for n in range(1, min(len(word), _LONGEST_START) + 1)}
        return frozenset(starts.union(word + _WHOLE for word in words))


class Phrase:
    """``needs``: of each set a text must hold a key before the pattern is worth trying."""

    def __init__(self, words: str, plain: Callable[[str], str]) -> None:
        self._words = words
        self._plain = plain
        self.needs = tuple(need for need in map(self._need, words.split()) if need)

    @cached_property
    def pattern(self) -> re.Pattern[str]:
        parts: list[str] = []
        tokens = self._words.split()
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
        return re.compile(start + "".join(parts) + end)

    def _token(self, token: str) -> str:
        ways = [CLASSES.get(way) or self._way(way) for way in token.split("|")]
        return ways[0] if len(ways) == 1 else f"(?:{'|'.join(ways)})"

    def _way(self, way: str) -> str:
        if way == "*":
            return r"\w{1,20}"
        plain = re.escape(self._plain(way.strip("*"))).replace("'", "'?")
        return (_REST if way.startswith("*") else "") + plain + (_REST if way.endswith("*") else "")

    def _need(self, token: str) -> frozenset[str] | None:
        """The keys of which one stands in every text that the token matches; None when it asks for none."""
        if token == "_" or token in CLASSES or token.endswith("?"):
            return None
        keys = {self._key(way) for way in token.split("|")}
        return None if None in keys else frozenset(key for key in keys if key)

    def _key(self, way: str) -> str | None:
        if way in CLASSES or way.startswith("*"):
            return None
        plain = self._plain(way.rstrip("*"))
        runs = _RUN.findall(plain)
        if not runs:
            return None
        if "'" in plain or "_" in plain:
            return str(runs[0][:_LONGEST_START])
        if len(runs) == 1 and way.endswith("*"):
            return str(runs[0][:_LONGEST_START])
        return str(runs[0]) + _WHOLE


class Phrases:
    """Many phrases, found by the rarest of their words."""

    def __init__(self, given: Iterable[str], plain: Callable[[str], str]) -> None:
        anchored: dict[str, list[Phrase]] = {}
        self._loose: list[Phrase] = []
        for words in given:
            phrase = Phrase(words, plain)
            if not phrase.needs:
                self._loose.append(phrase)
                continue
            for key in max(phrase.needs, key=lambda need: min(map(len, need))):
                anchored.setdefault(key, []).append(phrase)
        self._anchored: Mapping[str, list[Phrase]] = anchored
        self._anchors = frozenset(anchored)

    def found(self, readable: Readable) -> Iterator[tuple[int, int]]:
        """Every place where one of them stands."""
        keys = readable.keys
        tried = {id(one): one for anchor in self._anchors & keys for one in self._anchored[anchor]}
        for phrase in (*tried.values(), *self._loose):
            if not any(keys.isdisjoint(need) for need in phrase.needs):
                for match in phrase.pattern.finditer(readable.text):
                    yield match.span()

    def stand_in(self, readable: Readable) -> bool:
        return next(self.found(readable), None) is not None
