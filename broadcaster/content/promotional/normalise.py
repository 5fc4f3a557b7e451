"""A text as the rules read it: one plain form, with the way back to every character that was typed.

Folded: width and style forms (NFKC), case, accents; zero-width characters dropped; look-alikes of other
scripts, digits for letters and letters spread by dots or spaces put right inside words.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Collection
from dataclasses import dataclass
from functools import lru_cache

LOOK_ALIKES = str.maketrans(
    "аеорсухіјѕһԁԛԝкмтвнαοερτυικνχ",
    "aeopcyxijshdqwkmtbhaoeptuikvx",
)
"""Cyrillic and Greek letters that pass for Latin ones (Unicode confusables), folded in mixed words only."""
LEET = str.maketrans("013457@$!", "oieastasi")
_SPREAD = re.compile(r"(?<!\w)\w(?:[ .\-_*·]\w){2,}(?!\w)")
_WORD = re.compile(r"[\w@$!]+")
_SPECIAL = {"ß": "ss", "ı": "i", "đ": "d", "ø": "o", "ł": "l", "æ": "ae", "œ": "oe"}


@dataclass(frozen=True, slots=True)
class Plain:
    """``text`` is plain; ``places[i]`` is the index in the given text of its i-th character.

    ``disguised`` holds spans (of ``text``) that had to be unmasked.
    """

    text: str
    places: tuple[int, ...]
    given: str
    disguised: tuple[tuple[int, int], ...] = ()

    def span(self, start: int, end: int) -> tuple[int, int]:
        """The place in the given text of a piece of the plain one."""
        if start >= end or not self.places:
            return 0, 0
        return self.places[start], self.places[min(end, len(self.places)) - 1] + 1


@lru_cache(maxsize=4096)
def fold(character: str) -> str:
    """One character as zero or more plain ones."""
    if unicodedata.category(character) in ("Cf", "Mn", "Cs", "Me"):
        return ""
    spread = unicodedata.normalize("NFKD", unicodedata.normalize("NFKC", character).casefold())
    kept = "".join(_SPECIAL.get(c, c) for c in spread if not unicodedata.combining(c))
    return "".join(" " if c.isspace() or unicodedata.category(c) == "Cc" else c for c in kept)


def normalise(given: str, lexicon: Collection[str] = ()) -> Plain:
    """Fold a text; ``lexicon`` holds the words that digits and dots may hide."""
    text: list[str] = []
    places: list[int] = []
    for index, character in enumerate(given):
        for folded in "\n" if character == "\n" else fold(character):
            text.append(folded)
            places.append(index)
    plain = Plain("".join(text), tuple(places), given)
    return _unmask(plain, lexicon)


def _unmask(plain: Plain, lexicon: Collection[str]) -> Plain:
    plain = _join_spread(plain, lexicon)
    text, disguised = list(plain.text), list(plain.disguised)
    for word in _WORD.finditer(plain.text):
        found = _unmasked(word.group(), lexicon)
        if found and len(found) == len(word.group()):
            text[word.start() : word.end()] = found
            disguised.append(word.span())
    return Plain("".join(text), plain.places, plain.given, tuple(disguised))


def _unmasked(word: str, lexicon: Collection[str]) -> str | None:
    """The word behind look-alikes or digits, None when there is nothing behind it."""
    latin = any("a" <= c <= "z" for c in word)
    mixed = word.translate(LOOK_ALIKES)
    if latin and mixed != word:
        return mixed
    if latin and any(c in "013457@$!" for c in word):
        for candidate in (word.translate(LEET), word.translate(LEET).replace("i", "l")):
            if candidate in lexicon:
                return candidate
    return None


def _join_spread(plain: Plain, lexicon: Collection[str]) -> Plain:
    text: list[str] = []
    places: list[int] = []
    disguised: list[tuple[int, int]] = []
    last = 0
    for found in _SPREAD.finditer(plain.text):
        kept = [i for i in range(found.start(), found.end()) if plain.text[i].isalnum()]
        word = "".join(plain.text[i] for i in kept)
        if word not in lexicon and word.translate(LEET) not in lexicon:
            continue
        text.append(plain.text[last : found.start()])
        places += plain.places[last : found.start()]
        start = sum(map(len, text))
        text.append(word)
        places += [plain.places[i] for i in kept]
        disguised.append((start, start + len(word)))
        last = found.end()
    text.append(plain.text[last:])
    places += plain.places[last:]
    return Plain("".join(text), tuple(places), plain.given, tuple(disguised))
