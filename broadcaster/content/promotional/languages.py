"""Which language a sentence is written in, told by its frequent words and its letters."""

from __future__ import annotations

import re
from collections.abc import Mapping

from broadcaster.content.promotional.lexicon import Language

_WORDS = re.compile(r"[a-z]{1,20}")
_NEAR = 0.6
"""A language with this share of the best one's signs is read as well: messages mix languages."""
_WORD_COUNTS = 2
_LETTER_COUNTS = 3
"""What a letter with its own mark counts, in words."""


class Recogniser:
    """Knows which languages a word and a letter speak for."""

    def __init__(self, known: Mapping[str, Language]) -> None:
        self.known = known
        self._of_word: dict[str, list[str]] = {}
        self._of_letter: dict[str, list[str]] = {}
        for code, language in known.items():
            for word in language.common:
                self._of_word.setdefault(word, []).append(code)
            for letter in language.letters:
                self._of_letter.setdefault(letter, []).append(code)

    def count(self, plain: str, given: str) -> dict[str, float]:
        """Signs of each language in a text; ``plain`` is folded, ``given`` as typed."""
        signs = dict.fromkeys(self.known, 0.0)
        for word in _WORDS.findall(plain):
            for code in self._of_word.get(word, ()):
                signs[code] += _WORD_COUNTS
        for letter in self._of_letter.keys() & set(given.lower()):
            for code in self._of_letter[letter]:
                signs[code] += _LETTER_COUNTS
        return {code: n for code, n in signs.items() if n}


def spoken(signs: Mapping[str, float]) -> list[str]:
    """The languages that a text is written in, best first; none when none shows."""
    best = max(signs.values(), default=0.0)
    return [code for code, n in sorted(signs.items(), key=lambda one: -one[1]) if n >= best * _NEAR]
