"""What a text reads like as a whole: a linear model over its words, their pieces and the lexicons' signs.

The weights are data (``resources/promotional/wording.tsv``), learned from the building part of the labelled set
by ``tools/train_wording.py``. What is summed: for each distinct word its own weight and those of its pieces, for
each distinct pair of neighbours one more; over the square root of how many of all these are known; and the
weights of the signs that the lexicons found. So every word's share in a verdict can be told.

Three questions are answered by the same look-up: does the message sell, does one clause by itself (a single
selling clause taints a message), and what is the message about.
"""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache, lru_cache
from importlib import resources
from typing import NamedTuple

LINK = "\N{LINK SYMBOL}"
"""Stands for a link, whatever its address."""
SHORTEST, LONGEST = 3, 5
"""Letters of the pieces of words; the word's ends count."""
MESSAGE, CLAUSE, PURPOSE = "message", "clause", "purpose "
UNIT = 0.05
"""What 1 in the file stands for."""
_TOKEN = re.compile(r"[^\W\d_]{1,40}|\d+|[^\w\s]|_")
_KEPT = 50_000
"""Words and pairs whose sums are kept for the next text."""


class Token(NamedTuple):
    """A word, a number (any is ``0``), or a sign, with its place in the plain text."""

    word: str
    start: int
    end: int


def tokens(text: str) -> list[Token]:
    """The tokens of a plain text."""
    return [
        Token("0" if (word := found[0])[0].isdigit() else word, *found.span())
        for found in _TOKEN.finditer(text)
    ]


def features(word: str) -> tuple[str, ...]:
    """A word and its pieces; of a pair of neighbours (``two words``) the pair alone."""
    if " " in word or not word[0].isalpha():
        return (word,)
    whole = f" {word} "
    pieces = {
        whole[at : at + length]
        for length in range(SHORTEST, min(LONGEST, len(whole)) + 1)
        for at in range(len(whole) - length + 1)
    }
    return (word, *(f"~{piece.replace(' ', '_')}" for piece in sorted(pieces)))


def words_of(found: Sequence[Token]) -> list[tuple[str, int]]:
    """Every distinct word and pair of neighbours, with the index of the token where it first ends."""
    first: dict[str, int] = {}
    before = ""
    for number, token in enumerate(found):
        first.setdefault(token.word, number)
        if number:
            first.setdefault(f"{before} {token.word}", number)
        before = token.word
    return list(first.items())


def counted(found: Sequence[Token]) -> Counter[str]:
    """Every feature of a text with how often it counts: what the weights are learned from."""
    return Counter(feature for word, _ in words_of(found) for feature in features(word))


@dataclass(frozen=True, slots=True)
class Scored:
    """``score``: log-odds, above 0 it reads like promotion; ``shares``: what each token adds to it."""

    score: float
    shares: tuple[float, ...]


class Voice:
    """The weights as they hold for texts of one language; None: for all."""

    def __init__(self, wording: Wording, lang: str | None) -> None:
        self._wording = wording
        self._heads = {
            column: head
            for head, name in enumerate(wording.heads)
            for column in (name, f"{name} {lang}" if lang else name)
        }
        self._sums = lru_cache(maxsize=_KEPT)(self._sum)
        self._sign = lru_cache(maxsize=_KEPT)(self._sum_of_sign)

    def message(self, found: Sequence[Token], signs: Iterable[str]) -> Scored:
        """A whole message; ``signs`` are what the lexicons found in it."""
        scored = self._score(0, found)
        return Scored(scored.score + sum(row[0] for row in map(self._sign, signs)), scored.shares)

    def clause(self, found: Sequence[Token]) -> Scored:
        """One clause by itself."""
        return self._score(1, found)

    def purposes(self, found: Sequence[Token], signs: Iterable[str]) -> dict[str, float]:
        """How likely each purpose is if the text does not sell: shares of 1."""
        heads = self._wording.heads
        none = [0.0] * len(heads)
        sums = [self._sums(word) for word, _ in words_of(found)]
        scale = 1.0 / math.sqrt(max(1, sum(n for n, _ in sums)))
        of_words = map(sum, zip(none, *(row for n, row in sums if n), strict=True))
        of_signs = map(sum, zip(none, *map(self._sign, signs), strict=True))
        total = [
            self._wording.bias[name] + words * scale + marks
            for name, words, marks in zip(heads, of_words, of_signs, strict=True)
        ]
        most = max(total[2:])
        odds = {
            name.removeprefix(PURPOSE): math.exp(v - most)
            for name, v in zip(heads[2:], total[2:], strict=True)
        }
        whole = sum(odds.values())
        return {name: share / whole for name, share in odds.items()}

    def _score(self, head: int, found: Sequence[Token]) -> Scored:
        known, shares = 0, [0.0] * len(found)
        for word, number in words_of(found):
            n, row = self._sums(word)
            if n:
                known += n
                shares[number] += row[head]
        scale = 1.0 / math.sqrt(max(1, known))
        scaled = tuple(share * scale for share in shares)
        return Scored(self._wording.bias[self._wording.heads[head]] + sum(scaled), scaled)

    def _sum(self, word: str) -> tuple[int, tuple[float, ...]]:
        """How many features of a word or pair are known, and their weights together, by head."""
        known, sums = 0, [0.0] * len(self._wording.heads)
        for feature in features(word):
            if (row := self._wording.weights.get(feature)) is not None:
                known += 1
                self._add(row, sums)
        return known, tuple(sums)

    def _sum_of_sign(self, sign: str) -> tuple[float, ...]:
        sums = [0.0] * len(self._wording.heads)
        self._add(self._wording.weights.get(f"={sign}", ""), sums)
        return tuple(sums)

    def _add(self, row: str, sums: list[float]) -> None:
        columns = self._wording.columns
        for cell in row.split():
            column, _, weight = cell.partition(":")
            if (head := self._heads.get(columns[int(column)])) is not None:
                sums[head] += int(weight) * UNIT


class Wording:
    """The weights as they stand in the file: of each feature a row of ``column:weight``, read when it is met."""

    def __init__(self, columns: Sequence[str], bias: Mapping[str, float], weights: Mapping[str, str]) -> None:
        self.columns, self.bias, self.weights = tuple(columns), bias, weights
        purposes = [name for name in columns if name.startswith(PURPOSE)]
        self.heads = (MESSAGE, CLAUSE, *purposes)
        self._voices: dict[str | None, Voice] = {}

    def voice(self, lang: str | None) -> Voice:
        """The weights for texts of one language; made once, since it keeps the sums of the words it met."""
        if lang not in self._voices:
            self._voices[lang] = Voice(self, lang)
        return self._voices[lang]


def parse(text: str) -> Wording:
    """A weights file: columns, biases in their order, then a line per feature."""
    first, second, *lines = text.splitlines()
    columns = first.split("\t")
    bias = dict(zip(columns, map(float, second.split("\t")), strict=True))
    rows = (line.partition("\t") for line in lines)
    return Wording(columns, bias, {feature: row for feature, _, row in rows})


@cache
def shipped() -> Wording:
    """The weights that come with the program."""
    return parse((resources.files("resources") / "promotional" / "wording.tsv").read_text("utf-8"))
