"""How many can be reached hour by hour, and what a queue's pace makes of it.

The forecast is exact: windows shut at known instants, so one grouped statement tells how many windows shut
in which hour, and the rest is addition over a few hundred groups. It assumes only that nobody writes, opts
out or is sent anything in the meantime; ``reopenings`` estimates the first of these, apart.
"""

from __future__ import annotations

import math
from bisect import bisect_right
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import accumulate
from typing import Any

from sqlalchemy import ColumnElement, Connection, Select, func, literal, not_, or_, select

from broadcaster.clock import epoch_ms, from_epoch_ms
from broadcaster.policy.clauses import (
    CONTACTS,
    Clause,
    Span,
    closes_expression,
    counted_from,
    flag,
    in_question,
    last_action,
    opens_expression,
    stops,
)
from broadcaster.policy.decide import allowed
from broadcaster.policy.dialects import larger, smaller
from broadcaster.policy.question import Question
from broadcaster.policy.shares import shares
from broadcaster.policy.terms import HOUR, Terms, span_ms
from broadcaster.states import Reason
from broadcaster.store.beside import rows_of

_CHANGING = frozenset(
    {
        Reason.NEVER_INTERACTED,
        Reason.INTERACTION_IN_FUTURE,
        Reason.OUTSIDE_24H,
        Reason.OUTSIDE_7D,
        Reason.FREQUENCY_CAP,
        Reason.QUIET_HOURS,
    }
)
"""Rules whose verdict on a person changes with time alone."""


@dataclass(frozen=True, slots=True)
class Forecast:
    """Reachable people at each full hour from the start. ``open_windows`` is the same, quiet hours aside.

    ``lost_per_hour[i]`` windows shut between hour i and the next. ``best`` is the earliest hour with the
    most people, quiet hours kept (None: nobody at any hour). ``half_gone_at``: the first hour at which at
    most half of the windows open at the start still are.
    """

    hours: list[tuple[datetime, int]]
    open_windows: list[int]
    best: tuple[datetime, int] | None
    lost_per_hour: list[int]
    half_gone_at: datetime | None


@dataclass(frozen=True, slots=True)
class QueueFit:
    """What a pace makes of the windows, soonest first. ``misses``: people whose turn comes too late.

    ``latest_start`` (may lie before the start asked about) and ``needed_per_second`` each save all of them;
    None: no window ever shuts.
    """

    people: int
    misses: int
    latest_start: datetime | None
    needed_per_second: float | None
    ends_at: datetime


def forecast(conn: Connection, q: Question, start: datetime, hours: int) -> Forecast:
    """Count for ``hours`` full hours from ``start``, with the audience as it is at ``q.at``."""
    points = [start + timedelta(hours=index) for index in range(hours)]
    curve = _Curve(points)
    for first, last in _segments(q, start, points):
        terms = q.terms(at=points[first])
        curve.add(terms, first, last, _groups(conn, q, terms, points[first], last - first))
    top = max(curve.eligible, default=0)
    half = next((index for index, count in enumerate(curve.open) if count <= curve.open[0] / 2), None)
    return Forecast(
        hours=list(zip(points, curve.eligible, strict=True)),
        open_windows=curve.open,
        best=(points[curve.eligible.index(top)], top) if top else None,
        lost_per_hour=curve.lost,
        half_gone_at=points[half] if half else None,
    )


def quiet_spans(found: Forecast) -> list[tuple[datetime, datetime]]:
    """Stretches in which quiet hours hold back at least half of those whose window is open."""
    spans: list[tuple[datetime, datetime]] = []
    for (at, count), open_ in zip(found.hours, found.open_windows, strict=True):
        if not open_ or count * 2 > open_:
            continue
        end = at + timedelta(hours=1)
        if spans and spans[-1][1] == at:
            spans[-1] = (spans[-1][0], end)
        else:
            spans.append((at, end))
    return spans


def queue_aware(conn: Connection, q: Question, start: datetime, per_second: float) -> QueueFit:
    """How many of those reachable at ``start`` would miss their window at ``per_second`` messages.

    Instants are rounded down to ticks of a second (7 for a week's window), so the answer errs to the safe
    side. Quiet hours that begin during the sending are not looked at.
    """
    terms = q.terms(at=start)
    tick = max(1000, span_ms(terms.window) // 86_400 if terms.window else 0)
    closes = closes_expression(terms)
    bucket = (closes - closes % tick).label("closes")
    question, people = q.at_time(start), select(bucket).where(in_question(q))
    closed = [stop.span for stop in stops(question, terms) if stop.span is not None]
    shared = shares(conn, terms.at_ms, closed)
    counts: Counter[int] = Counter()
    endless = 0
    for row in rows_of(conn, [_grouped(people.where(allowed(question, piece))) for piece in shared]):
        if row.closes is None:
            endless += row.people
        else:
            counts[row.closes] += row.people
    return _fit(sorted(counts.items()), endless, start, per_second)


@dataclass(frozen=True, slots=True)
class _Group:
    """People whose first hour is ``opens`` and whose first lost hour is ``shuts``, from a segment's start."""

    opens: int
    shuts: int
    zone: str | None
    people: int


class _Curve:
    """The figures per hour, filled segment by segment."""

    def __init__(self, points: Sequence[datetime]) -> None:
        self.points = points
        self.eligible = [0] * len(points)
        self.open = [0] * len(points)
        self.lost = [0] * len(points)

    def add(self, terms: Terms, first: int, last: int, groups: Iterable[_Group]) -> None:
        """Groups of the hours from ``first`` up to ``last``: the change at each hour, summed up per zone."""
        length = last - first
        changes: dict[str | None, list[int]] = {}
        for group in groups:
            zone = terms.quiet.zone_of(group.zone) if terms.quiet else None
            steps = changes.setdefault(zone, [0] * (length + 1))
            if group.opens >= group.shuts:
                continue
            steps[min(group.opens, length)] += group.people
            steps[min(group.shuts, length)] -= group.people
            if group.shuts <= length:
                self.lost[first + group.shuts - 1] += group.people
        for zone, steps in changes.items():
            for index, people in enumerate(accumulate(steps[:length]), first):
                self.open[index] += people
                if zone is None or not (terms.quiet and terms.quiet.quiet_in(zone, self.points[index])):
                    self.eligible[index] += people


def _segments(q: Question, start: datetime, points: Sequence[datetime]) -> Iterator[tuple[int, int]]:
    """Ranges of hours in which the permission's rules stay the same."""
    changes = sorted(
        {
            moment
            for rule in q.pack.permission(q.permission).rules
            for moment in (rule.valid_from, rule.valid_until)
            if moment is not None and moment > start
        }
    )
    first = 0
    while first < len(points):
        after = bisect_right(changes, points[first])
        until = changes[after] if after < len(changes) else None
        last = next((i for i in range(first, len(points)) if until and points[i] >= until), len(points))
        yield first, last
        first = last


def _groups(conn: Connection, q: Question, terms: Terms, start: datetime, hours: int) -> Iterable[_Group]:
    """People of a segment by the hours at which they open and shut, and by zone where that matters."""
    steady: list[Clause] = []
    for stop in stops(q, terms):
        if stop.reason in _CHANGING:
            continue
        if isinstance(stop.clause, bool):
            return []
        steady.append(stop.passes if stop.passes is not None else not_(flag(stop.clause)))
    start_ms = epoch_ms(start)
    closes = None if terms.window is None and terms.ends_ms is None else closes_expression(terms)
    columns: list[ColumnElement[Any]] = [
        _hour(opens_expression(terms), start_ms, hours, 0).label("opens"),
        _hour(closes, start_ms, hours, hours + 1).label("shuts"),
    ]
    by_zone = terms.quiet is not None and terms.quiet.by_recipient
    columns.append((CONTACTS.c.timezone if by_zone else literal(None)).label("zone"))
    people = select(*columns).where(in_question(q), *steady)
    shared = [
        people.where(*_still_open(terms, start_ms, piece)) for piece in shares(conn, start_ms, _gone(terms))
    ]
    rows = rows_of(conn, [_grouped(each) for each in shared])
    return [_Group(row.opens, row.shuts, row.zone, row.people) for row in rows]


def _grouped(people: Select[Any]) -> Select[Any]:
    """How many rows of ``people`` are alike."""
    row = people.subquery()
    return select(row, func.count().label("people")).group_by(*row.c)


def _gone(terms: Terms) -> list[Span]:
    """Last actions after which no window is open or will be; none where another fact may open it."""
    window, latest = terms.window, terms.latest_closed_ms
    if window is None or window.counts_from != "interaction" or terms.possible_ad_window:
        return []
    return [Span(unknown=True), Span(high=latest)]


def _still_open(terms: Terms, start_ms: int, piece: Span | None) -> Iterator[Clause]:
    """Only people (of a share) who are or come into a window: lets an index on the last action answer."""
    window, latest = terms.window, terms.latest_closed_ms
    if piece is not None:
        yield last_action(piece)
    if window is None or latest is None or (piece is not None and _gone(terms)):
        return
    last, closes = counted_from(window), closes_expression(terms)
    possible = terms.possible_ad_window and terms.rule("ad_window") is not None
    yield or_(last > latest, closes > start_ms) if possible else last > latest


def _hour(instant: ColumnElement[Any] | None, start_ms: int, hours: int, unknown: int) -> ColumnElement[int]:
    """The first hour (from the start) that is not before an instant; ``hours + 1`` for all later ones."""
    if instant is None:
        return literal(unknown)
    return larger(smaller((instant - start_ms + (HOUR - 1)) // HOUR, hours + 1), 0)


def _fit(closing: list[tuple[int, int]], endless: int, start: datetime, per_second: float) -> QueueFit:
    start_ms, gap = epoch_ms(start), 1000 / per_second
    free, misses, before = float(start_ms), 0, 0
    latest, needed = math.inf, 0.0
    for closes, people in closing:
        room = max(0, math.ceil((closes - free) / gap))
        sent = min(people, room)
        misses += people - sent
        free += sent * gap
        before += people
        latest = min(latest, closes - (before - 1) * gap)
        needed = max(needed, (before - 1) * 1000 / (closes - start_ms) if closes > start_ms else math.inf)
    return QueueFit(
        people=before + endless,
        misses=misses,
        latest_start=from_epoch_ms(math.ceil(latest) - 1) if closing else None,
        needed_per_second=(math.floor(needed * 100) + 1) / 100 if closing and needed < math.inf else None,
        ends_at=from_epoch_ms(math.ceil(free + endless * gap)),
    )
