"""What the lexicons and the outer form of a message say, as names that the weights of the wording know."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

from broadcaster.content.promotional.lexicon import Language
from broadcaster.content.promotional.reading import PROMOTIONAL, Judged

_FORMS = {
    "long number": re.compile(r"\d{4,}"),
    "time": re.compile(r"\d{1,2}[:.h]\d{2}"),
    "percent": re.compile("%"),
    "question": re.compile(r"\?"),
    "exclamation": re.compile("!"),
    "emoji": re.compile("[\U0001f000-\U0010ffff]"),
}
_HEAVIEST = 4
_LENGTHS = ((10, "under 10 words"), (18, "under 18 words"), (30, "under 30 words"))


def signs(judged: Sequence[Judged], languages: Sequence[Language]) -> frozenset[str]:
    """The signs of a whole message."""
    given = "\n".join(one.part.plain.given for one in judged)
    found = {sign for one in judged for sign in one.signs}
    found |= {
        f"about {sign}"
        for language in languages
        for sign, phrases in language.fit.items()
        if any(phrases.stand_in(one.readable) for one in judged)
    }
    worst = max((one.worst for one in judged), default=0.0)
    found |= {f"a clause of weight {n}" for n in range(1, _HEAVIEST + 1) if worst >= n}
    found |= {name for name, form in _FORMS.items() if form.search(given)}
    return frozenset(found | set(_outer(given, worst)))


def _outer(given: str, worst: float) -> Iterable[str]:
    words = len(given.split())
    length = next((name for most, name in _LENGTHS if words < most), "long")
    yield length
    if worst >= PROMOTIONAL:  # the shorter a text, the less there is beside what sells
        yield f"sells {length}"
    if not any(c.isdigit() for c in given):
        yield "no digit"
