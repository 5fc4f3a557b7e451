"""The check itself: clauses, reasons in them, guards that cancel, and the two verdicts."""

from __future__ import annotations

import re
from bisect import bisect_left
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from functools import cache

from broadcaster.content.promotional import fitting
from broadcaster.content.promotional.findings import Finding, Severity, TextCheck
from broadcaster.content.promotional.lexicon import Language, Lexicon, shipped
from broadcaster.content.promotional.links import Link, links
from broadcaster.content.promotional.normalise import Plain, normalise
from broadcaster.content.promotional.permissions import permission_key

_CLAUSE = re.compile(r"[^.!?;\n•|]+(?:[.!?;](?=\S)[^.!?;\n•|]+)*")
PROMOTIONAL = 1.0
"""Sum of weights in one clause from which it is promotional."""
LONGEST = 20_000
"""Characters that are read; a message is far shorter."""


@dataclass(frozen=True, slots=True)
class _Hit:
    group: str
    start: int
    end: int
    weight: float


class PromotionalChecker:
    """Checks texts against the lexicons. Safe from any thread; nothing is remembered between texts."""

    def __init__(self, lexicon: Lexicon | None = None) -> None:
        self._lexicon = lexicon or shipped()

    def check_text(
        self, text: str, permission: str, lang: str | None = None, allowed_terms: Collection[str] = ()
    ) -> TextCheck:
        """Check one text."""
        return self.check_parts([("text", text)], permission, lang, allowed_terms)

    def check_parts(
        self,
        parts: Sequence[tuple[str, str]],
        permission: str,
        lang: str | None = None,
        allowed_terms: Collection[str] = (),
    ) -> TextCheck:
        """Check the parts of one message; the verdicts are about the message as a whole."""
        key = permission_key(permission)
        whole = " \n".join(text for _, text in parts)[:LONGEST]
        plain_whole = normalise(whole, self._lexicon.words)
        languages = [lang] if lang and lang in self._lexicon.languages else self._languages(plain_whole.text)
        findings: list[Finding] = []
        score = 0.0
        for name, text in parts:
            worst, found = self._part(name, text[:LONGEST], key, languages, allowed_terms)
            score = max(score, worst)
            findings += found
        promotional = score >= PROMOTIONAL
        spoken = [
            self._lexicon.languages[code] for code in (languages or list(self._lexicon.languages)) if code
        ]
        unfit = fitting.problem(plain_whole.text, key, spoken, promotional)
        if unfit and not promotional:
            findings.append(self._unfit(parts, key, unfit))
        fits = key == "standard" or (not promotional and unfit is None)
        return TextCheck(
            promotional, min(1.0, score / 2), fits, tuple(findings), languages[0] if languages else None,
            tuple(languages),
        )  # fmt: skip

    def _languages(self, plain: str) -> list[str]:
        """Languages of a text by their frequent words, best first; empty when none is recognised."""
        words = re.findall(r"[a-z]{1,20}", plain)[:400]
        counts = {
            code: sum(word in language.common for word in words)
            for code, language in self._lexicon.languages.items()
            if language.common
        }
        best = max(counts.values(), default=0)
        return [code for code, n in sorted(counts.items(), key=lambda one: -one[1]) if n and n >= best * 0.6]

    def _part(
        self, name: str, text: str, key: str, languages: Sequence[str], allowed: Collection[str]
    ) -> tuple[float, list[Finding]]:
        plain = normalise(text, self._lexicon.words)
        found_links = links(text)
        worst, hits = self._judge(_mask(plain, found_links, allowed), self._spoken(languages))
        findings = [self._finding(name, plain, hit, key, worst) for hit in hits]
        for link in found_links:
            if link.advertises:
                worst = max(worst, PROMOTIONAL)
                findings.append(self._link_finding(name, link, key))
        return worst, findings

    def _spoken(self, languages: Sequence[str]) -> list[Language]:
        """The lexicons to use: of the languages recognised (all, if none), and what needs no language."""
        known = self._lexicon.languages
        codes = [*languages, "any"] if languages else list(known)
        return [known[code] for code in dict.fromkeys(codes) if code in known]

    def _judge(self, text: str, spoken: Sequence[Language]) -> tuple[float, list[_Hit]]:
        """The weight of the worst clause, and the hits of all that no guard cancels."""
        bounds = [clause.end() for clause in _CLAUSE.finditer(text)] or [len(text)]
        clauses: dict[int, list[_Hit]] = {}
        for language in spoken:
            for entry in language.entries:
                for start, end in entry.phrases.found(text):
                    hit = _Hit(entry.group, start, end, entry.weight)
                    clauses.setdefault(bisect_left(bounds, end), []).append(hit)
        if not clauses:
            return 0.0, []
        cancelled: dict[int, set[str]] = {}
        for language in spoken:
            for phrases, groups in language.guards:
                for _, end in phrases.found(text):
                    cancelled.setdefault(bisect_left(bounds, end), set()).update(groups)
        worst, kept = 0.0, list[_Hit]()
        for number, found in clauses.items():
            left = _without_overlaps([hit for hit in found if hit.group not in cancelled.get(number, ())])
            weights: dict[str, float] = {}
            for hit in left:
                weights[hit.group] = max(weights.get(hit.group, 0.0), hit.weight)
            worst = max(worst, sum(weights.values()))
            kept += left
        return worst, sorted(kept, key=lambda hit: hit.start)

    def _finding(self, name: str, plain: Plain, hit: _Hit, key: str, worst: float) -> Finding:
        group = self._lexicon.groups[hit.group]
        start, end = plain.span(hit.start, hit.end)
        severity = _severity(key, worst)
        return Finding(
            group.key,
            severity,
            start,
            end,
            plain.given[start:end],
            group.reason,
            group.advice,
            group.source,
            name,
        )

    def _link_finding(self, name: str, link: Link, key: str) -> Finding:
        group = self._lexicon.groups["advertising_link"]
        severity = _severity(key, PROMOTIONAL)
        return Finding(
            group.key,
            severity,
            link.start,
            link.end,
            link.url,
            group.reason,
            group.advice,
            group.source,
            name,
        )

    def _unfit(self, parts: Sequence[tuple[str, str]], key: str, reason: str) -> Finding:
        name, text = parts[0] if parts else ("text", "")
        advice = "Say what the message is about, or choose another way to send."
        return Finding(
            f"fit_{key}",
            Severity.WARNING,
            0,
            len(text),
            text,
            reason,
            advice,
            "Meta, allowed uses by tag",
            name,
        )


@cache
def default_checker() -> PromotionalChecker:
    """The checker with the shipped lexicons."""
    return PromotionalChecker()


def _severity(key: str, worst: float) -> Severity:
    if key == "standard":
        return Severity.INFO
    return Severity.VIOLATION if worst >= PROMOTIONAL else Severity.WARNING


def _without_overlaps(hits: list[_Hit]) -> list[_Hit]:
    """Of two hits of one reason on the same words the longer one stays."""
    kept: list[_Hit] = []
    for hit in sorted(hits, key=lambda one: (one.start - one.end, one.start)):
        if not any(
            hit.group == other.group and hit.start < other.end and other.start < hit.end for other in kept
        ):
            kept.append(hit)
    return sorted(kept, key=lambda one: one.start)


def _mask(plain: Plain, found: Iterable[Link], allowed: Collection[str]) -> str:
    """The plain text with links and allowed terms blanked out: their words are not the message's."""
    blank = {i for link in found for i in range(link.start, link.end)}
    text = "".join(" " if place in blank else c for c, place in zip(plain.text, plain.places, strict=True))
    for term in allowed:
        wanted = normalise(term).text.strip()
        if wanted:
            text = re.sub(rf"(?<!\w){re.escape(wanted)}(?!\w)", lambda m: " " * len(m.group()), text)
    return text
