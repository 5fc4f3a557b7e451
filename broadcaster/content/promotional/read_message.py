"""A whole message as read: what its parts hold, what its wording says, and so whether it sells."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

from broadcaster.content.promotional import wording
from broadcaster.content.promotional.reading import DISGUISE, PROMOTIONAL, SURVEY, Judged, Part
from broadcaster.content.promotional.wording import Scored, Token, Voice

CLAUSE_SHARE = 0.4
"""What the worst clause counts beside the message as a whole."""
BLATANT = 2.5
"""Weight of a clause above which its wording is not asked: 94 in 100 such messages of the building part sell."""
_SURE = 0.95
_TOLD = 3


@dataclass(frozen=True, slots=True)
class Clause:
    """``start``, ``end``: in the plain text of its part."""

    judged: Judged
    found: tuple[Token, ...]
    scored: Scored

    def strongest(self) -> tuple[int, int, list[tuple[int, int]]]:
        """Start and end of what leans most to promotion, and its strongest words, in the order they stand."""
        weighed = sorted(zip(self.scored.shares, self.found, strict=True), key=lambda one: -one[0])
        words = [token for share, token in weighed if share > 0 and token.word[0].isalpha()][:_TOLD]
        words = sorted(words or self.found[:1], key=lambda token: token.start)
        return self.found[0].start, self.found[-1].end, [(token.start, token.end) for token in words]


@dataclass(frozen=True)
class ReadMessage:
    """Its parts, its languages (best first, none when none shows), and the signs found in it.

    ``leaning``: log-odds that the way to send takes off, since the same words sell less often under some; not
    where a phrase says plainly that it sells.
    """

    judged: Sequence[Judged]
    languages: tuple[str, ...]
    signs: frozenset[str]
    link_only: Part | None
    leaning: float = 0.0

    @cached_property
    def voice(self) -> Voice:
        return wording.shipped().voice(self.languages[0])

    @cached_property
    def words(self) -> list[tuple[Judged, tuple[Token, ...]]]:
        """The words of every clause, with the part it stands in."""
        return [(one, words) for one in self.judged for words in one.clauses()]

    @cached_property
    def found(self) -> list[Token]:
        """The words of all parts."""
        return [token for _, words in self.words for token in words]

    @cached_property
    def clauses(self) -> list[Clause]:
        """Every clause with its score; none where no language shows."""
        if not self.languages:
            return []
        return [Clause(one, words, self.voice.clause(words)) for one, words in self.words]

    @cached_property
    def reads(self) -> float:
        """Log-odds that the wording is promotional; 0 and more is. Nothing can be said of an unknown language."""
        if not self.languages or not self.found:
            return -math.inf
        worst = max((clause.scored.score for clause in self.clauses), default=0.0)
        leaning = 0.0 if self.plain_reason else self.leaning
        return self.voice.message(self.found, self.signs).score + CLAUSE_SHARE * worst - leaning

    @property
    def plain_reason(self) -> bool:
        """A phrase that sells by itself; asking for an opinion is not one, as that is what feedback is for."""
        hits = (hit for one in self.judged for hit in one.hits)
        return any(hit.weight >= PROMOTIONAL and hit.group != SURVEY for hit in hits)

    @cached_property
    def certain(self) -> bool:
        """Signs that need no reading: an advertising link, a disguise, a button that sells, a clause full of
        reasons; without a known language any reason."""
        worst = max((one.worst for one in self.judged), default=0.0)
        return (
            self.link_only is not None
            or any(one.part.is_call and one.worst >= PROMOTIONAL for one in self.judged)
            or any(link.weight for one in self.judged for link in one.part.links)
            or any(hit.group == DISGUISE for one in self.judged for hit in one.hits)
            or worst >= (BLATANT if self.languages else PROMOTIONAL)
        )

    @property
    def promotional(self) -> bool:
        return self.certain or self.reads >= 0.0

    @property
    def score(self) -> float:
        """From 0 to 1."""
        read = 1.0 / (1.0 + math.exp(-max(self.reads, -50.0)))
        return max(read, _SURE) if self.certain else read

    @cached_property
    def purposes(self) -> dict[str, float]:
        return self.voice.purposes(self.found, self.signs)
