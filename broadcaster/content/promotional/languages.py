"""Which language a sentence is written in, told by its frequent words and its letters."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping

from broadcaster.content.promotional.lexicon import Language

_WORDS = re.compile(r"[a-z]{1,20}")
_NEAR = 0.6
"""A language with this share of the best one's signs is read as well: messages mix languages."""
_WORD_COUNTS = 2
_LETTER_COUNTS = 3
"""What a letter with its own mark counts, in words."""


def count(plain: str, given: str, known: Mapping[str, Language]) -> dict[str, float]:
    """Signs of each language in a text; ``plain`` is folded, ``given`` as typed."""
    words = Counter(_WORDS.findall(plain))
    letters = set(given.lower())
    signs: dict[str, float] = {}
    for code, language in known.items():
        common = sum(n for word, n in words.items() if word in language.common)
        marks = len(letters & language.letters)
        if common or marks:
            signs[code] = _WORD_COUNTS * common + _LETTER_COUNTS * marks
    return signs


def spoken(signs: Mapping[str, float]) -> list[str]:
    """The languages that a text is written in, best first; none when none shows."""
    best = max(signs.values(), default=0.0)
    return [code for code, n in sorted(signs.items(), key=lambda one: -one[1]) if n >= best * _NEAR]
