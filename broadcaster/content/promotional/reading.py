"""One part of a message read clause by clause: what its words say, what cancels it, and the signs that leaves."""

from __future__ import annotations

import re
from bisect import bisect_left
from collections.abc import Collection, Container, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from broadcaster.content.promotional.languages import Recogniser, spoken
from broadcaster.content.promotional.lexicon import Language, Lexicon, unmarked
from broadcaster.content.promotional.links import Link, links
from broadcaster.content.promotional.normalise import Plain
from broadcaster.content.promotional.phrases import Phrases, Readable
from broadcaster.content.promotional.wording import LINK, Token, tokens

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
SURVEY = "survey"
CODE_WEIGHT = 0.6
_CODE = re.compile(r"(?<!\w)[A-ZÀ-Ý]{3,16}(?:5|[1-9]0|[1-7]5|100)(?!\w)")


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


def clause_languages(part: Part, told: Recogniser, whole: Sequence[str]) -> list[list[str]]:
    """The languages each clause is read in: its own, and those of the whole message."""
    found = []
    for start, end in part.clauses():
        first, last = part.plain.span(start, end)
        given = part.plain.given[first:last]
        codes = dict.fromkeys([*spoken(told.count(part.plain.text[start:end], given)), *whole])
        found.append([_form(told.known[code], given) for code in codes])
    return found


def _form(one: Language, given: str) -> str:
    """The key of the phrases to use: those without marks for a text typed without."""
    return unmarked(one.code) if one.marked and one.letters.isdisjoint(given.lower()) else one.code


class _Reading:
    """A part with what its clauses are read in. ``spoken`` holds the languages of each clause."""

    def __init__(
        self, part: Part, lexicon: Lexicon, spoken: Sequence[Collection[str]], allowed: Collection[str]
    ) -> None:
        self.part, self.spoken = part, spoken
        codes = dict.fromkeys([LANGUAGE_FREE, *(code for one in spoken for code in one)])
        self.languages = [lexicon.languages[code] for code in codes]
        text = _without_links(part)
        for term in allowed:
            text = _without_term(text, lexicon.normalise.words(term).strip())
        marked = any(language.marked for language in self.languages)
        self.readable = self._text = Readable(text)
        self._marked = Readable(lexicon.normalise.marked(part.plain, text)) if marked else self._text
        neutral = [(s, e) for one in self.languages for _, s, e in self.found(one, one.neutral)]
        self.has_names = bool(neutral)
        if neutral:
            self._text = Readable(_blanked(self._text.text, neutral))
            self._marked = Readable(_blanked(self._marked.text, neutral)) if marked else self._text

    def found(self, language: Language, phrases: Phrases) -> list[tuple[int, int, int]]:
        """Clause, start and end wherever one of them stands in a clause of that language."""
        text = self._read(language)
        found = []
        for phrase in phrases.tried(text):
            for start, end in phrase.found(text):
                number = self.part.clause(end)
                if language.code == LANGUAGE_FREE or language.code in self.spoken[number]:
                    found.append((number, start, end))
        return found

    def likely(self, language: Language) -> Container[int]:
        """The numbers of that language's sets of which a phrase may stand in the text: few of many."""
        return self._read(language).tried(language.book)

    def _read(self, language: Language) -> Readable:
        return self._marked if language.marked else self._text

    def codes(self) -> Iterator[tuple[int, int]]:
        """Words such as SAVE20: capitals with a round number."""
        places = self.part.plain.places
        for code in _CODE.finditer(self.part.plain.given):
            start, end = bisect_left(places, code.start()), bisect_left(places, code.end())
            if self._text.text[start:end].strip(" _"):
                yield start, end

    def disguises(self) -> Iterator[tuple[int, int]]:
        """Words that were written so as not to be read."""
        places = self.part.plain.places
        for first, last in self.part.plain.disguised:
            start, end = bisect_left(places, first), bisect_left(places, last)
            if self._text.text[start:end].strip(" _"):
                yield start, end


@dataclass(frozen=True, slots=True)
class Judged:
    """A part as the lexicons see it.

    ``worst``: the weight of its worst clause; ``hits``: those that nothing cancels; ``signs``: everything found,
    cancelled or not, by name; ``readable``: the plain text with links and allowed terms taken out.
    """

    part: Part
    worst: float
    hits: tuple[Hit, ...]
    signs: frozenset[str]
    readable: Readable

    def clauses(self) -> Iterator[tuple[Token, ...]]:
        """The words of each clause that has any."""
        found = tokens(self.readable.text)
        first = 0
        for _, end in self.part.clauses():
            last = bisect_left(found, end, lo=first, key=lambda token: token.start)
            if last > first:
                yield tuple(found[first:last])
            first = last


def judge(
    part: Part, lexicon: Lexicon, spoken: Sequence[Collection[str]], allowed: Collection[str]
) -> Judged:
    """Read one part. ``spoken`` holds the languages of each clause."""
    reading = _Reading(part, lexicon, spoken, allowed)
    clauses, (cancelled, ahead) = _hits(reading), _cancelled(reading)
    holding = {number: groups for number, groups in cancelled.items() if number not in ahead}
    worst, hits = _weigh(clauses, holding) if clauses else (0.0, [])
    signs = {
        f"{'cancelled ' if hit.group in holding.get(number, ()) else ''}{hit.group}{'' if hit.weight >= 1 else ' hint'}"
        for number, found in clauses.items()
        for hit in found
    }
    named = {"guard": cancelled, "ahead": ahead, "neutral": reading.has_names}
    signs |= {name for name, there in named.items() if there}
    signs |= {
        f"link {'neutral' if link.neutral else 'selling' if link.weight else 'other'}" for link in part.links
    }
    return Judged(part, worst, tuple(hits), frozenset(signs), reading.readable)


def _hits(reading: _Reading) -> dict[int, list[Hit]]:
    clauses: dict[int, list[Hit]] = {}
    for language in reading.languages:
        likely = reading.likely(language)
        for entry in language.entries:
            if entry.phrases.number not in likely or (entry.buttons and not reading.part.is_call):
                continue
            for number, start, end in reading.found(language, entry.phrases):
                clauses.setdefault(number, []).append(Hit(entry.group, start, end, entry.weight))
    for start, end in reading.codes():
        clauses.setdefault(reading.part.clause(end), []).append(Hit("coupon", start, end, CODE_WEIGHT))
    for start, end in reading.disguises():
        clauses.setdefault(reading.part.clause(end), []).append(Hit(DISGUISE, start, end, PROMOTIONAL))
    return clauses


def _cancelled(reading: _Reading) -> tuple[dict[int, set[str]], set[int]]:
    """Reasons that do not count, by clause: the benefit is past and settled, or refused, or asked for.

    And the clauses that speak of what lies ahead, in which they count all the same.
    """
    cancelled: dict[int, set[str]] = {}
    ahead: set[int] = set()
    for language in reading.languages:
        likely = reading.likely(language)
        for phrases, groups in language.guards:
            if phrases.number not in likely:
                continue
            for number, _, _ in reading.found(language, phrases):
                cancelled.setdefault(number, set()).update(groups)
        ahead.update(number for number, _, _ in reading.found(language, language.ahead))
    return cancelled, ahead


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


def _without_overlaps(hits: list[Hit]) -> list[Hit]:
    """Of two hits of one reason on the same words the heavier one stays, then the longer."""
    kept: list[Hit] = []
    covered: dict[str, set[int]] = {}
    for hit in sorted(hits, key=lambda one: (-one.weight, one.start - one.end, one.start)):
        taken = covered.setdefault(hit.group, set())
        if taken.isdisjoint(range(hit.start, hit.end)):
            taken.update(range(hit.start, hit.end))
            kept.append(hit)
    return kept


def _without_links(part: Part) -> str:
    """The plain text with a sign for each link: its words are not the message's."""
    plain = part.plain
    if not part.links:
        return plain.text
    blank = bytearray(len(plain.given))
    for link in part.links:
        blank[link.start : link.end] = b"\1" * (link.end - link.start)
        blank[link.start] = 2
    letters = ("", " ", LINK)
    return "".join(letters[blank[place]] or c for c, place in zip(plain.text, plain.places, strict=True))


def _without_term(text: str, term: str) -> str:
    if not term:
        return text
    return re.sub(rf"(?<!\w){re.escape(term)}(?!\w)", lambda found: "_" * len(found.group()), text)


def _blanked(text: str, spans: Iterable[tuple[int, int]]) -> str:
    letters = list(text)
    for start, end in spans:
        letters[start:end] = "_" * (end - start)
    return "".join(letters)
