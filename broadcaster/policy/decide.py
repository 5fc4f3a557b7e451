"""The decision for a whole audience: one set-based statement, never a list of people in Python.

``check`` asks which rules stop whom as one number per person (a bit per rule), counted by number. From these
few counts follow the waterfall (everyone once, under the first rule), the count of every rule that fails,
and the same for each other way to send, without reading the people again.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from sqlalchemy import (
    ColumnElement,
    Connection,
    String,
    and_,
    case,
    false,
    func,
    literal,
    not_,
    null,
    select,
    true,
)

from broadcaster.policy.clauses import (
    CONTACTS,
    Clause,
    Span,
    Stop,
    closes_expression,
    flag,
    in_question,
    last_action,
    only_possible,
    stops,
)
from broadcaster.policy.packs import Kind, State
from broadcaster.policy.question import Question
from broadcaster.policy.shares import shares
from broadcaster.policy.tally import Counts, Tally
from broadcaster.policy.terms import HOUR, Terms, span_ms
from broadcaster.states import Reason
from broadcaster.store.beside import rows_of

CLOSING_SOON_MS = HOUR
"""Windows that shut within this time after the instant asked about are counted as closing soon."""


_LISTS = (Reason.EXCLUDED, Reason.DUPLICATE)
"""Rules that stand on a list of people."""


@dataclass(frozen=True, slots=True)
class Waterfall:
    """Who is lost where. ``reasons`` counts each person once; ``also_failing`` every rule that fails.

    ``closing_soon``: eligible people whose window shuts within the hour. ``possible``: people past the sure
    window who may still be reachable after an ad (in ``eligible`` only where the question asked for that).
    ``future_times``: people whose last action is dated after the instant asked about, by any permission.
    """

    audience: int
    eligible: int
    blocked: int
    reasons: dict[Reason, int]
    also_failing: dict[Reason, int]
    closing_soon: int
    possible: int = 0
    future_times: int = 0


@dataclass(frozen=True, slots=True)
class PermissionReach:
    """One column of the what-if table: the same audience by another way to send."""

    key: str
    title: str
    state: State
    reach: Waterfall = field(compare=False)

    @property
    def eligible(self) -> int:
        return self.reach.eligible


def verdict(q: Question) -> ColumnElement[str | None]:
    """The first rule that stops a person, NULL where none does: a CASE over rows of ``contact``."""
    branches: list[tuple[Clause, ColumnElement[str]]] = []
    for stop in stops(q, q.terms()):
        reason = literal(str(stop.reason), String)
        if stop.clause is True:
            return case(*branches, else_=reason) if branches else case((true(), reason))
        branches.append((_clause(stop), reason))
    return case(*branches, else_=null())


def allowed(q: Question, piece: Span | None = None) -> Clause:
    """The verdict is NULL, written so that the window's index answers where it can.

    ``piece``: only people whose last action lies in it; no rule that looks at the last action alone stops them.
    """
    passes = [] if piece is None else [last_action(piece)]
    for stop in stops(q, q.terms()):
        if stop.clause is True:
            return false()
        if piece is not None and stop.span is not None:
            continue
        passes.append(not_(flag(_clause(stop))) if stop.passes is None else stop.passes)
    return and_(*passes)


def closes_at(q: Question) -> ColumnElement[int | None]:
    """When (ms) a person's window shuts under this permission, safety margin off; NULL: never."""
    return closes_expression(q.terms())


def eligible_count(conn: Connection, q: Question) -> int:
    """How many may be written to: the quick figure for a live preview."""
    query, terms = select(func.count()).select_from(CONTACTS).where(in_question(q)), q.terms()
    closed = [stop.span for stop in stops(q, terms) if stop.span is not None]
    shared = shares(conn, terms.at_ms, closed)
    return sum(row[0] for row in rows_of(conn, [query.where(allowed(q, piece)) for piece in shared]))


def check(conn: Connection, q: Question) -> Waterfall:
    """The waterfall of one question."""
    terms = q.terms()
    tally = Tally()
    reading = _Reading.of(q, terms, tally)
    return reading.waterfall(tally.counts(conn, q, reading.is_settled))


def compare(conn: Connection, q: Question, keys: Sequence[str] | None = None) -> list[PermissionReach]:
    """The same audience by each way to send (all that are built), in one statement."""
    if keys is None:
        keys = [key for key, found in q.pack.permissions.items() if found.kind == Kind.BUILT]
    tally = Tally()
    asked = [(terms, _Reading.of(q, terms, tally)) for terms in (q.terms(key) for key in keys)]
    counts = tally.counts(conn, q, lambda *bits: all(reading.is_settled(*bits) for _, reading in asked))
    return [
        PermissionReach(terms.permission.key, terms.permission.title, terms.state, reading.waterfall(counts))
        for terms, reading in asked
    ]


@dataclass(frozen=True, slots=True)
class _Reading:
    """How to read a person's number for one permission: bit of each rule in order (None: stops everybody)."""

    rules: tuple[tuple[Reason, int | None], ...]
    closing: int
    possible: int
    future: int

    @classmethod
    def of(cls, q: Question, terms: Terms, tally: Tally) -> _Reading:
        """Ask ``tally`` for the bits of a permission. A bit of 0 is never set."""
        rules = tuple(
            (stop.reason, None if stop.clause is True else _bit_of(stop, tally)) for stop in stops(q, terms)
        )
        window, possible, future = terms.window, _only_possible(q, terms), Span(low=terms.at_ms)
        sign = f"{window.counts_from} {window.hours}" if window else f"none {terms.ends_ms}"
        return cls(
            rules=rules,
            closing=tally.bit(f"closing {sign}", *_closing(terms)),
            possible=0 if possible is None else tally.bit(f"possible {sign}", possible),
            future=tally.bit("future interaction", last_action(future), future),
        )

    def is_settled(self, held: int, unknown: int) -> bool:
        """With the bits of ``held``: is the first failing rule known without those of ``unknown``?"""
        for _, bit in self.rules:
            if bit is None or bit & held:
                return True
            if bit & unknown:
                return False
        return not self.closing & unknown

    def waterfall(self, counts: Counts) -> Waterfall:
        first: dict[Reason, int] = {}
        failing: dict[Reason, int] = {}
        nobody = any(bit is None for _, bit in self.rules)
        closing, possible = 0, 0 if nobody else counts.alone.get(self.possible, 0)
        outside = {reason for reason, _ in self.rules} & {Reason.OUTSIDE_24H, Reason.OUTSIDE_7D}
        for number, people in counts.numbers.items():
            stopped = [reason for reason, bit in self.rules if bit is None or number & bit]
            for reason in stopped[:1]:
                first[reason] = first.get(reason, 0) + people
            for reason in stopped:
                failing[reason] = failing.get(reason, 0) + people
            if not stopped and number & self.closing:
                closing += people
            if number & self.possible and not set(stopped) - outside:
                possible += people
        for reason, bit in self.rules:
            failing[reason] = failing.get(reason, 0) + counts.alone.get(bit or 0, 0)
        audience = sum(counts.numbers.values())
        blocked = sum(first.values())
        return Waterfall(
            audience=audience,
            eligible=audience - blocked,
            blocked=blocked,
            reasons=_in_order(first, self.rules),
            also_failing=_in_order(failing, self.rules),
            closing_soon=closing,
            possible=possible,
            future_times=sum(people for number, people in counts.numbers.items() if number & self.future),
        )


def _bit_of(stop: Stop, tally: Tally) -> int:
    names_people = stop.reason in _LISTS
    return tally.bit(stop.sign, _clause(stop), stop.span, names_people)


def _only_possible(q: Question, terms: Terms) -> Clause | None:
    """People whom nothing but the sure window stops, and whose window may still be open after an ad.

    Lists of people and rules that stop everybody are left to whoever reads the number.
    """
    possible = only_possible(terms)
    if possible is None:
        return None
    others = [
        not_(flag(_clause(stop)))
        for stop in stops(q, terms)
        if stop.clause is not True and stop.reason not in (*_LISTS, terms.window_reason)
    ]
    return and_(possible, *others)


def _closing(terms: Terms) -> tuple[Clause, Span | None]:
    """People whose window shuts within the hour, and the same as a span of last actions where it is one."""
    closes, until = closes_expression(terms), terms.at_ms + CLOSING_SOON_MS
    clause: Clause = and_(closes > terms.at_ms, closes <= until)
    plain = terms.ends_ms is None and not terms.possible_ad_window
    if terms.window is None or terms.window.counts_from != "interaction" or not plain:
        return clause, None
    length = span_ms(terms.window) - terms.margin_ms
    return clause, Span(terms.at_ms - length, until - length)


def _clause(stop: Stop) -> Clause:
    if isinstance(stop.clause, bool):
        raise ValueError(f"{stop.reason} is the same for everybody")
    return stop.clause


def _in_order(found: Mapping[Reason, int], rules: tuple[tuple[Reason, int | None], ...]) -> dict[Reason, int]:
    return {reason: found[reason] for reason, _ in rules if found.get(reason)}
