"""One part of a message read clause by clause: what its words say, and what cancels it."""

from __future__ import annotations

import re
from bisect import bisect_left
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from broadcaster.content.promotional import languages
from broadcaster.content.promotional.lexicon import Language, Lexicon, Phrases
from broadcaster.content.promotional.links import Link, links
from broadcaster.content.promotional.normalise import Plain

_CLAUSE = re.compile(
    r"[^.!?;\n•|。！？]*(?:[.!?;](?=[^\s.!?;\n•|])[^.!?;\n•|。！？]*)*[.!?;\n•|。！？]{0,20}"
)
LANGUAGE_FREE = "any"
NEXT_TO_EACH_OTHER = 1.5
"""Sum of the weights of different reasons, anywhere in a part, from which hints add up to promotion."""
PROMOTIONAL = 1.0
"""Sum of weights in one clause from which it is promotional."""
_CALLS = ("button", "quick reply", "quick_reply", "card")
DISGUISE = "disguise"


@dataclass(frozen=True, slots=True)
class Hit:
    """A reason found on words of the plain text; ``sells``: its clause is promotional."""

    group: str
    start: int
    end: int
    weight: float
    sells: bool = False


@dataclass(frozen=True, slots=True)
class Part:
    """A text of the message made ready: folded, cut into clauses, its links found."""

    name: str
    plain: Plain
    links: tuple[Link, ...]
    ends: tuple[int, ...]
    """Where each clause of the plain text ends."""

    @property
    def is_call(self) -> bool:
        return self.name.startswith(_CALLS)

    def clause(self, place: int) -> int:
        return min(bisect_left(self.ends, place), len(self.ends) - 1)

    def clauses(self) -> Iterator[tuple[int, int]]:
        start = 0
        for end in self.ends:
            yield start, end
            start = end


def prepare(name: str, text: str, lexicon: Lexicon) -> Part:
    plain = lexicon.normalise(text)
    ends = [match.end() for match in _CLAUSE.finditer(plain.text) if match.end() > match.start()]
    return Part(name, plain, tuple(links(text)), tuple(ends or [len(plain.text)]))


def clause_languages(part: Part, known: Mapping[str, Language], whole: Sequence[str]) -> list[list[str]]:
    """The languages each clause is read in: its own, and those of the whole message."""
    found = []
    for start, end in part.clauses():
        first, last = part.plain.span(start, end)
        signs = languages.count(part.plain.text[start:end], part.plain.given[first:last], known)
        found.append(list(dict.fromkeys([*languages.spoken(signs), *whole])))
    return found


def judge(
    part: Part, lexicon: Lexicon, spoken: Sequence[Collection[str]], allowed: Collection[str]
) -> tuple[float, list[Hit]]:
    """The weight of the worst clause, and the hits that nothing cancels.

    ``spoken`` holds the languages of each clause.
    """
    text = masked(part, lexicon, spoken, allowed)
    known = [lexicon.languages[code] for code in dict.fromkeys([c for one in spoken for c in one])]
    known.append(lexicon.languages[LANGUAGE_FREE])
    clauses = _hits(part, text, known, spoken)
    for start, end in _disguises(part, text):
        clauses.setdefault(part.clause(end), []).append(Hit(DISGUISE, start, end, PROMOTIONAL))
    if not clauses:
        return 0.0, []
    cancelled = _cancelled(part, text, known, spoken)
    return _weigh(clauses, cancelled)


def _hits(
    part: Part, text: str, known: Sequence[Language], spoken: Sequence[Collection[str]]
) -> dict[int, list[Hit]]:
    clauses: dict[int, list[Hit]] = {}
    for language in known:
        for entry in language.entries:
            if entry.buttons and not part.is_call:
                continue
            for start, end in entry.phrases.found(text):
                number = part.clause(end)
                if language.code == LANGUAGE_FREE or language.code in spoken[number]:
                    clauses.setdefault(number, []).append(Hit(entry.group, start, end, entry.weight))
    return clauses


def _cancelled(
    part: Part, text: str, known: Sequence[Language], spoken: Sequence[Collection[str]]
) -> dict[int, set[str]]:
    """Reasons that do not count, by clause: the benefit is past and settled, or refused, or asked for."""
    cancelled: dict[int, set[str]] = {}
    ahead: set[int] = set()
    for language in known:
        for phrases, groups in language.guards:
            for number in _clauses_with(phrases, part, text):
                if language.code == LANGUAGE_FREE or language.code in spoken[number]:
                    cancelled.setdefault(number, set()).update(groups)
        ahead.update(_clauses_with(language.ahead, part, text))
    return {number: groups for number, groups in cancelled.items() if number not in ahead}


def _clauses_with(phrases: Phrases, part: Part, text: str) -> set[int]:
    return {part.clause(end) for _, end in phrases.found(text)}


def _weigh(clauses: Mapping[int, list[Hit]], cancelled: Mapping[int, set[str]]) -> tuple[float, list[Hit]]:
    worst, kept = 0.0, list[Hit]()
    total: dict[str, float] = {}
    for number, found in clauses.items():
        left = _without_overlaps([hit for hit in found if hit.group not in cancelled.get(number, ())])
        weights: dict[str, float] = {}
        for hit in left:
            weights[hit.group] = max(weights.get(hit.group, 0.0), hit.weight)
            total[hit.group] = max(total.get(hit.group, 0.0), hit.weight)
        weight = sum(weights.values())
        worst = max(worst, weight)
        kept += [Hit(hit.group, hit.start, hit.end, hit.weight, weight >= PROMOTIONAL) for hit in left]
    if worst < PROMOTIONAL and sum(total.values()) >= NEXT_TO_EACH_OTHER:
        worst, kept = PROMOTIONAL, [Hit(h.group, h.start, h.end, h.weight, True) for h in kept]
    return worst, sorted(kept, key=lambda hit: hit.start)


def _disguises(part: Part, text: str) -> Iterator[tuple[int, int]]:
    """Words that were written so as not to be read, in places of the plain text."""
    places = part.plain.places
    for first, last in part.plain.disguised:
        start, end = bisect_left(places, first), bisect_left(places, last)
        if text[start:end].strip():
            yield start, end


def _without_overlaps(hits: list[Hit]) -> list[Hit]:
    """Of two hits of one reason on the same words the heavier one stays, then the longer."""
    kept: list[Hit] = []
    for hit in sorted(hits, key=lambda one: (-one.weight, one.start - one.end, one.start)):
        if not any(hit.group == one.group and hit.start < one.end and one.start < hit.end for one in kept):
            kept.append(hit)
    return kept


def masked(part: Part, lexicon: Lexicon, spoken: Sequence[Collection[str]], allowed: Collection[str]) -> str:
    """The plain text with links, allowed terms and names that sell nothing blanked out."""
    plain = part.plain
    blank = bytearray(len(plain.given) + 1)
    for link in part.links:
        blank[link.start : link.end] = b"\1" * (link.end - link.start)
    text = plain.text
    if part.links:
        text = "".join(" " if blank[place] else c for c, place in zip(text, plain.places, strict=True))
    for term in allowed:
        wanted = lexicon.normalise.words(term).strip()
        if wanted:
            text = re.sub(rf"(?<!\w){re.escape(wanted)}(?!\w)", _blank, text)
    codes = {LANGUAGE_FREE, *(code for one in spoken for code in one)}
    spans = (span for code in codes for span in lexicon.languages[code].neutral.found(text))
    return _blanked(text, spans)


def _blank(found: re.Match[str]) -> str:
    return " " * len(found.group())


def _blanked(text: str, spans: Iterable[tuple[int, int]]) -> str:
    for start, end in list(spans):
        text = text[:start] + "_" * (end - start) + text[end:]
    return text
