"""The check itself: findings in every part of a message, and the two verdicts."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from functools import cache

from broadcaster.content.promotional import fitting
from broadcaster.content.promotional.findings import Finding, Severity, TextCheck
from broadcaster.content.promotional.languages import Recogniser, spoken
from broadcaster.content.promotional.lexicon import Group, Language, Lexicon, shipped, unmarked
from broadcaster.content.promotional.permissions import permission_key
from broadcaster.content.promotional.read_message import ReadMessage
from broadcaster.content.promotional.reading import (
    LANGUAGE_FREE,
    PROMOTIONAL,
    Hit,
    Judged,
    Part,
    clause_languages,
    judge,
    prepare,
)
from broadcaster.content.promotional.signs import signs

LONGEST = 100_000
"""Characters of a part that are read; a message has at most 2,000."""
HINT = 0.7
"""Weight below which words of a message that does not sell are only pointed at."""
_ENOUGH_WORDS = 6


class PromotionalChecker:
    """Checks texts against the lexicons. Safe from any thread; nothing is remembered between texts."""

    def __init__(self, resources: Lexicon | None = None) -> None:
        self._lexicon = resources or shipped()
        known = self._lexicon.languages
        self._told = Recogniser({c: one for c, one in known.items() if c != LANGUAGE_FREE and c.isalpha()})

    def check_text(
        self, text: str, permission: str, lang: str | None = None, allowed_terms: Collection[str] = ()
    ) -> TextCheck:
        """Check one text. ``lang`` is a hint ("en"); ``allowed_terms`` are never held against it."""
        return self.check_parts([("text", text)], permission, lang, allowed_terms)

    def check_parts(
        self,
        parts: Sequence[tuple[str, str]],
        permission: str,
        lang: str | None = None,
        allowed_terms: Collection[str] = (),
    ) -> TextCheck:
        """Check the parts of one message, (name, text) each; the verdicts are about the whole message."""
        key = permission_key(permission)
        leaning = fitting.shipped().leaning.get(key, 0.0)
        message = self.read(parts, lang, allowed_terms, leaning)
        findings = [self._finding(message, one, hit, key) for one in message.judged for hit in one.hits]
        advertising = [(one.part, link) for one in message.judged for link in one.part.links if link.weight]
        findings += [
            self._place("advertising_link", part, link.start, link.end, _severity(key, link.weight))
            for part, link in advertising
        ]
        if message.link_only:
            part = message.link_only
            findings.append(self._place("link_only", part, *_ends(part), _severity(key, PROMOTIONAL)))
        if found := self._wording_finding(message, key, findings):
            findings.append(found)
        return self._verdict(message, key, findings)

    def read(
        self,
        parts: Sequence[tuple[str, str]],
        lang: str | None = None,
        allowed_terms: Collection[str] = (),
        leaning: float = 0.0,
    ) -> ReadMessage:
        """What the lexicons and the wording say of a message; ``leaning`` is all that its way to send adds."""
        ready = [prepare(name, text[:LONGEST], self._lexicon) for name, text in parts]
        whole = self._languages(ready, lang)
        judged = [judge(part, self._lexicon, self._spoken(part, whole), allowed_terms) for part in ready]
        return ReadMessage(
            judged, tuple(whole), signs(judged, self._plain_languages(whole)), _link_only(ready), leaning
        )

    def _verdict(self, message: ReadMessage, key: str, findings: list[Finding]) -> TextCheck:
        whole, parts = message.languages, [one.part for one in message.judged]
        unfit = fitting.problem(key, message)
        if unfit and not message.promotional:
            findings.append(_unfit(parts, key, unfit))
        words = sum(len(part.plain.text.split()) for part in parts)
        if not whole and words >= _ENOUGH_WORDS and parts:
            findings.append(self._place("language_unknown", parts[0], *_ends(parts[0]), Severity.INFO))
        return TextCheck(
            promotional=message.promotional,
            score=message.score,
            fits_permission=unfit is None,
            findings=tuple(findings),
            lang=whole[0] if whole else None,
            languages=whole,
        )

    def _wording_finding(self, message: ReadMessage, key: str, findings: Sequence[Finding]) -> Finding | None:
        """Where the text sells as a whole and no phrase of the lexicons says it: the clause that does."""
        sells = [found for found in findings if found.severity is Severity.VIOLATION or key == "standard"]
        if not message.promotional or sells or not message.clauses:
            return None
        clause = max(message.clauses, key=lambda one: one.scored.score)
        start, end, words = clause.strongest()
        group = self._lexicon.groups["wording"]
        severity = _severity(key, PROMOTIONAL)
        part = clause.judged.part
        first, last = part.plain.span(start, end)
        told = ", ".join(f"“{part.plain.given[slice(*part.plain.span(a, b))]}”" for a, b in words)
        reason = f"{group.reason} It leans on {told}."
        given = part.plain.given[first:last]
        return Finding("wording", severity, first, last, given, reason, group.advice, group.source, part.name)

    def _languages(self, parts: Sequence[Part], lang: str | None) -> list[str]:
        """Languages of the message, best first, the given one before all; none when none shows."""
        signs: dict[str, float] = {}
        for part in parts:
            for code, n in self._told.count(part.plain.text, part.plain.given).items():
                signs[code] = signs.get(code, 0.0) + n
        found = spoken(signs)
        return list(dict.fromkeys([lang, *found])) if lang and lang in self._told.known else found

    def _plain_languages(self, codes: Sequence[str]) -> list[Language]:
        """The languages in the form whose phrases are compared without marks."""
        known = self._lexicon.languages
        return [known.get(unmarked(code), known[code]) for code in codes]

    def _spoken(self, part: Part, whole: Sequence[str]) -> list[list[str]]:
        """Languages to read each clause in; a text of no known language is read in all."""
        found = clause_languages(part, self._told, whole)
        if not whole:
            return [[one.code for one in self._plain_languages(list(self._told.known))]] * len(found)
        return found

    def _finding(self, message: ReadMessage, judged: Judged, hit: Hit, key: str) -> Finding:
        part = judged.part
        if not message.promotional:
            severity = Severity.INFO
        else:
            severity = _severity(key, PROMOTIONAL if hit.sells and hit.weight >= PROMOTIONAL else hit.weight)
            if severity is Severity.INFO and hit.sells and key != "standard":
                severity = Severity.WARNING
        return self._place(hit.group, part, *part.plain.span(hit.start, hit.end), severity)

    def _place(self, rule: str, part: Part, start: int, end: int, severity: Severity) -> Finding:
        group: Group = self._lexicon.groups[rule]
        words = part.plain.given[start:end]
        return Finding(rule, severity, start, end, words, group.reason, group.advice, group.source, part.name)


def _unfit(parts: Sequence[Part], key: str, reason: str) -> Finding:
    name, text = (parts[0].name, parts[0].plain.given) if parts else ("text", "")
    advice = "Say what the message is about, or choose another way to send."
    source = "Meta, allowed uses of each way to send"
    return Finding(f"fit_{key}", Severity.WARNING, 0, len(text), text, reason, advice, source, name)


def _link_only(parts: Sequence[Part]) -> Part | None:
    """The part that holds the link of a message that says nothing else."""
    texts = [part for part in parts if not part.name.startswith("link")]
    linked = next((part for part in texts if part.links), None)
    if linked is None or any(link.neutral for part in texts for link in part.links):
        return None
    for part in texts:
        covered = {i for link in part.links for i in range(link.start, link.end)}
        if any(c.isalnum() and i not in covered for i, c in enumerate(part.plain.given)):
            return None
    return linked


def _ends(part: Part) -> tuple[int, int]:
    return 0, len(part.plain.given)


def _severity(key: str, weight: float) -> Severity:
    if key == "standard" or weight < HINT:
        return Severity.INFO
    return Severity.VIOLATION if weight >= PROMOTIONAL else Severity.WARNING


@cache
def default_checker() -> PromotionalChecker:
    """The checker with the shipped lexicons."""
    return PromotionalChecker()
