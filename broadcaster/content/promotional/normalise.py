"""A text as the rules read it: one plain form, with the way back to every character that was typed.

Folded: width and style forms (NFKC), case, accents; zero-width characters dropped; look-alikes of other
scripts, digits for letters and letters spread by dots or spaces put right inside words. Every step is
linear in the length of the text.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from functools import lru_cache

_MOST_JOINED = 60
_SPREAD = re.compile(r"(?<!\w)\w(?:[ .\-_*·+~/]{1,2}\w){2,60}(?!\w)")
_CUT = re.compile(r"(?<!\w)[^\W\d]{1,8}(?:[.\-_*·+~/][^\W\d]{1,8}){1,12}(?!\w)")
_WORD = re.compile(r"[\w@$€£][\w@$€£!|]{0,40}")
_LETTER_NOUGHT = re.compile(r"(?<=\d)o(?=\d|o?\s?%)")
_SHORTEST = 3
_TONES = "\u0300\u0301\u0303\u0309\u0323"
_MOVED = {
    unicodedata.normalize("NFC", first + second + tone): unicodedata.normalize("NFC", first + tone + second)
    for first, second in ("oa", "oe", "uy")
    for tone in _TONES
}
"""Vietnamese writes a tone on either of two vowels: hoà and hòa."""
_TONE = re.compile("|".join(_MOVED))


@dataclass(frozen=True, slots=True)
class Signs:
    """Tables of single characters, data in ``resources/promotional/look-alikes.toml``.

    ``look_alikes``: letters of other scripts that pass for Latin ones; ``leet``: digits and signs read as
    letters; ``plain``: letters that Unicode does not take apart.
    """

    look_alikes: dict[int, str]
    leet: tuple[dict[int, str], ...]
    plain: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Plain:
    """``text`` is plain; ``places[i]`` is the index in the given text of its i-th character.

    ``disguised`` holds spans of the given text that had to be unmasked.
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


class Normaliser:
    """Folds texts; ``hidden`` holds the words that digits, dots and look-alikes may hide."""

    def __init__(self, signs: Signs, hidden: Collection[str] = ()) -> None:
        self._signs = signs
        self._hidden = frozenset(hidden)
        self._fold = lru_cache(maxsize=8192)(self._fold_character)

    def __call__(self, given: str) -> Plain:
        folded = list(map(self._fold, given))
        places: Iterable[int] = range(len(given))
        if set(map(len, folded)) - {1}:
            places = (place for place, letters in enumerate(folded) for _ in letters)
        plain = Plain("".join(folded), tuple(places), given)
        return self._unmask(self._join(self._join(plain, _SPREAD), _CUT))

    def words(self, given: str) -> str:
        """A phrase of a lexicon, folded without unmasking."""
        return "".join(map(self._fold, given))

    def marked(self, plain: Plain, text: str) -> str:
        """``text``, a form of ``plain.text`` as long as that, with the marks of its letters as typed."""
        fold, given = self._fold, plain.given
        letters = []
        for character, place in zip(text, plain.places, strict=True):
            typed = given[place]
            kept = not typed.isascii() and fold(typed) == character
            letters.append(typed.lower()[0] if kept else character)
        return with_marks("".join(letters))

    def _fold_character(self, character: str) -> str:
        """One character as zero or more plain ones."""
        if character == "\n":
            return character
        if character in self._signs.plain:
            return self._signs.plain[character]
        if unicodedata.category(character) in ("Cf", "Mn", "Cs", "Me"):
            return ""
        spread = unicodedata.normalize("NFKD", unicodedata.normalize("NFKC", character).casefold())
        kept = (self._signs.plain.get(c, c) for c in spread if not unicodedata.combining(c))
        return "".join(
            " " if c.isspace() or unicodedata.category(c) == "Cc" else c for part in kept for c in part
        )

    def _unmask(self, plain: Plain) -> Plain:
        text, disguised = list(plain.text), list(plain.disguised)
        places = plain.places
        for nought in _LETTER_NOUGHT.finditer(plain.text):
            text[nought.start()] = "0"
        for word in _WORD.finditer(plain.text):
            given = word[0]
            if given.isascii() and (given.isalpha() or given.isdigit()):
                continue
            given = given.rstrip("!|")
            found = self._unmasked(given)
            if found and len(found) == len(given):
                text[word.start() : word.start() + len(given)] = found
                disguised.append((places[word.start()], places[word.start() + len(given) - 1] + 1))
        return Plain("".join(text), places, plain.given, tuple(disguised))

    def _unmasked(self, word: str) -> str | None:
        """The word behind look-alikes or digits, None when there is nothing behind it."""
        latin = any("a" <= c <= "z" for c in word)
        if word.isascii() and (not latin or word.isalpha()):
            return None
        folded = word.translate(self._signs.look_alikes)
        found = folded if folded != word and (latin or self.hides(folded)) else None
        for table in self._signs.leet if latin else ():
            candidate = (found or word).translate(table)
            if candidate != word and self.hides(candidate):
                return candidate
        return found

    def hides(self, word: str, spare: int = 4) -> bool:
        """True where the word, or a start of it, is one that is worth hiding.

        ``spare`` is how many letters may follow it.
        """
        longest = min(len(word), 24)
        shortest = max(_SHORTEST, longest - spare)
        return any(word[:length] in self._hidden for length in range(longest, shortest - 1, -1))

    def _join(self, plain: Plain, pattern: re.Pattern[str]) -> Plain:
        """Words written in pieces put together, where a word worth hiding comes out."""
        text: list[str] = []
        places: list[int] = []
        disguised = list(plain.disguised)
        last = 0
        for found in pattern.finditer(plain.text):
            kept = self._joined(found)
            if not kept:
                continue
            text.append(plain.text[last : kept[0]])
            places += plain.places[last : kept[0]]
            start = len(places)
            text.append("".join(plain.text[i] for i in kept))
            places += [plain.places[i] for i in kept]
            disguised.append((places[start], places[-1] + 1))
            last = found.end()
        if not last:
            return plain
        text.append(plain.text[last:])
        places += plain.places[last:]
        return Plain("".join(text), tuple(places), plain.given, tuple(disguised))

    def _joined(self, found: re.Match[str]) -> list[int]:
        """Which characters of a run make up the hidden word or words; none when nothing is hidden."""
        run = found.group()
        kept = [i for i, c in enumerate(run) if c.isalnum()]
        letters = _letters(run)
        starts = range(len(kept)) if found.re is _SPREAD else (0,)
        spare = len(kept) if found.re is _SPREAD else 4
        for first in starts:
            if self.hides(self._read(letters[first:]), spare):
                return [found.start() + i for i in kept[first:]]
        if " " in run and any(
            self.hides(self._read(_letters(word))) for word in run.split() if len(word) > 2
        ):
            return [found.start() + i for i, c in enumerate(run) if c.isalnum() or c == " "]
        return []

    def _read(self, word: str) -> str:
        word = word.translate(self._signs.look_alikes)
        return word if self.hides(word) else word.translate(self._signs.leet[0])


def with_marks(words: str) -> str:
    """Lower case with marks, each tone on the one letter where it is looked for."""
    words = unicodedata.normalize("NFC", words.lower()) if len(words) < 60 else words
    return _TONE.sub(lambda found: _MOVED[found.group()], words)


def _letters(word: str) -> str:
    return "".join(c for c in word if c.isalnum())
