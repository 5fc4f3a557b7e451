"""Phrases looked for in a text: a notation, the safe pattern made of it, and an index so that few are tried.

A phrase is words with blanks between. ``word*`` is the start of a word, ``*word`` its end, ``a|b`` either
word, ``word?`` may be missing, ``*`` any word, ``#`` an amount or a percentage, ``%`` a percentage, ``$`` an
amount of money, ``9`` a number, ``_`` up to three words in between. All repetitions are bounded.
"""

from __future__ import annotations

import re
from bisect import bisect_left
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property, lru_cache
from itertools import chain, count, islice, takewhile

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
_CLASS_PATTERNS = {sign: re.compile(form) for sign, form in CLASSES.items()}
_BETWEEN = r"\W{1,3}"
_BESIDE_CLASS = r"\W{0,3}"
_GAP = r"(?:\W{1,4}\w{1,24}){0,3}?\W{1,4}"
_REST = r"\w{0,20}"
_RUN = re.compile(r"[^\W_]{1,40}")
_LONGEST_START = 16
_WORDS_KEPT = 20_000
"""Words whose look-up is kept: the next text, or the same with one letter more, has most of them."""
_WHOLE = " "
"""Ends the key of a whole word; the key of a start of words has none."""


@dataclass(frozen=True)
class Readable:
    """A plain text with the keys of its words."""

    text: str
    _tried: dict[int, Mapping[int, list[Phrase]]] = field(default_factory=dict, repr=False, compare=False)
    _amounts: dict[str, list[int]] = field(default_factory=dict, repr=False, compare=False)

    def tried(self, book: Book) -> Mapping[int, list[Phrase]]:
        """The phrases of a book that are worth trying, by the set they belong to; looked up once."""
        if id(book) not in self._tried:
            self._tried[id(book)] = book.worth_trying(self._places, self.keys)
        return self._tried[id(book)]

    @cached_property
    def _places(self) -> dict[str, list[int]]:
        """Where each word begins."""
        places: dict[str, list[int]] = {}
        for found in _RUN.finditer(self.text):
            places.setdefault(found[0], []).append(found.start())
        return places

    @cached_property
    def _words(self) -> list[str]:
        return sorted(self._places)

    def amounts(self, sign: str) -> Sequence[int]:
        """Where a member of a class (``#``, ``%``, ``$``, ``9``) begins, in order; looked up once."""
        if sign not in self._amounts:
            self._amounts[sign] = [found.start() for found in _CLASS_PATTERNS[sign].finditer(self.text)]
        return self._amounts[sign]

    def starts(self, keys: frozenset[str]) -> list[int]:
        """Where a word of one of these keys begins, in order."""
        if len(keys) == 1:
            return sorted(self._starts_of(*keys))
        return sorted({place for key in keys for place in self._starts_of(key)})

    def _starts_of(self, key: str) -> Iterable[int]:
        if key.endswith(_WHOLE):
            return self._places.get(key[:-1], ())
        first = bisect_left(self._words, key)
        fitting = takewhile(lambda word: word.startswith(key), islice(self._words, first, None))
        return (place for word in fitting for place in self._places[word])

    @cached_property
    def keys(self) -> frozenset[str]:
        """Every word as a whole, and every start of a word."""
        return frozenset().union(*map(_keys_of, self._places))


@lru_cache(maxsize=_WORDS_KEPT)
def _keys_of(word: str) -> tuple[str, ...]:
    return (word + _WHOLE, *(word[:n] for n in range(1, min(len(word), _LONGEST_START) + 1)))


class Phrase:
    """``needs``: of each set a text must hold a key before the pattern is worth trying."""

    def __init__(self, words: str, plain: Callable[[str], str]) -> None:
        self._words = words
        self._plain = plain
        tokens = words.split()
        self.needs = tuple(need for need in map(self._need, tokens) if need)
        self._first = self._need(tokens[0])
        self._amount = tokens[0] if tokens[0] in CLASSES else ""
        bare = tokens[0].strip(f"*{''.join(CLASSES)}")
        self._holds = "" if "|" in bare or bare.endswith("?") else plain(bare)

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

    def found(self, readable: Readable) -> Iterator[tuple[int, int]]:
        """Where it stands: tried at the words or amounts it can begin with, where those are known."""
        if self._first:
            starts: Sequence[int] = readable.starts(self._first)
        elif self._amount:
            starts = readable.amounts(self._amount)
        else:
            if self._holds in readable.text:
                yield from (match.span() for match in self.pattern.finditer(readable.text))
            return
        end = 0
        for start in starts:
            if start >= end and (match := self.pattern.match(readable.text, start)):
                end = match.end()
                yield match.span()

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


_Entered = tuple[int, Phrase, tuple[frozenset[str], ...]]


class Book:
    """All phrases of a language, found by the rarest of their words in one look-up for all sets of phrases."""

    def __init__(self) -> None:
        self._anchored: dict[str, list[_Entered]] = {}
        self._loose: dict[int, list[Phrase]] = {}
        self._sets = count()
        self._of_word = lru_cache(maxsize=_WORDS_KEPT)(self._entered)

    def new_set(self) -> int:
        """A number for one more set of phrases."""
        return next(self._sets)

    def add(self, number: int, phrase: Phrase) -> None:
        """Enter a phrase of the set with that number."""
        if not phrase.needs:
            self._loose.setdefault(number, []).append(phrase)
            return
        rarest = max(phrase.needs, key=lambda need: min(map(len, need)))
        others = tuple(need for need in phrase.needs if need is not rarest)
        for key in rarest:
            self._anchored.setdefault(key, []).append((number, phrase, others))

    def worth_trying(self, words: Iterable[str], keys: frozenset[str]) -> dict[int, list[Phrase]]:
        """Of each set the phrases of which every needed word stands in the text with these words and keys.

        Sets of which nothing can stand in it are left out.
        """
        tried = {number: {id(one): one for one in phrases} for number, phrases in self._loose.items()}
        for number, phrase, others in chain.from_iterable(map(self._of_word, words)):
            for need in others:
                if keys.isdisjoint(need):
                    break
            else:
                tried.setdefault(number, {})[id(phrase)] = phrase
        return {number: list(phrases.values()) for number, phrases in tried.items()}

    def _entered(self, word: str) -> tuple[_Entered, ...]:
        """What is entered under a word or a start of it."""
        return tuple(one for key in _keys_of(word) for one in self._anchored.get(key, ()))


class Phrases:
    """A set of phrases that mean the same, entered in the book of their language under its ``number``."""

    def __init__(self, given: Iterable[str], plain: Callable[[str], str], book: Book) -> None:
        self._book, self.number = book, book.new_set()
        for words in given:
            book.add(self.number, Phrase(words, plain))

    def found(self, readable: Readable) -> Iterator[tuple[int, int]]:
        """Every place where one of them stands."""
        for phrase in self.tried(readable):
            yield from phrase.found(readable)

    def tried(self, readable: Readable) -> Sequence[Phrase]:
        """Those that are worth trying: mostly none."""
        return readable.tried(self._book).get(self.number, ())

    def stand_in(self, readable: Readable) -> bool:
        return any(True for _ in self.found(readable))
