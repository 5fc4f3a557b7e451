"""The rules that look at a person, as SQL over ``contact``: the set-based twin of ``broadcaster.policy.rules``.

Every clause says *this rule stops them*. A clause may come out NULL where a fact is missing; it then counts
as not stopping, so it is only used as a condition (``CASE WHEN``, ``WHERE``), never inside NOT.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import (
    BigInteger,
    ColumnElement,
    Select,
    and_,
    case,
    exists,
    false,
    func,
    literal,
    or_,
    select,
    true,
    type_coerce,
)

from broadcaster.policy.dialects import entries, larger, texts
from broadcaster.policy.packs import Rule
from broadcaster.policy.question import Question
from broadcaster.policy.quiet import QuietHours
from broadcaster.policy.rules import ORDER
from broadcaster.policy.terms import Terms, span_ms
from broadcaster.states import Reason
from broadcaster.store.tables import Contact, ContactAttributes, Delivery
from broadcaster.store.tables.contact import NUMBER_SLOTS

CONTACTS = Contact.__table__  # type: ignore[attr-defined]
ATTRIBUTES = ContactAttributes.__table__  # type: ignore[attr-defined]
DELIVERIES = Delivery.__table__  # type: ignore[attr-defined]

Clause = ColumnElement[bool]


@dataclass(frozen=True, slots=True)
class Span:
    """A clause that only asks where the last action lies: after ``low`` up to and with ``high`` (ms)."""

    low: int | None = None
    high: int | None = None
    unknown: bool = False
    """It asks instead whether no action is known at all."""

    def contains(self, piece: Span) -> bool:
        """Does the clause hold for everybody in ``piece``?"""
        if self.unknown or piece.unknown:
            return self.unknown and piece.unknown
        after = self.low is None or (piece.low is not None and piece.low >= self.low)
        return after and (self.high is None or (piece.high is not None and piece.high <= self.high))


@dataclass(frozen=True, slots=True)
class Stop:
    """A rule that may stop people: ``clause`` True for everybody alike, else over the row.

    ``sign`` tells equal clauses of different permissions apart from unequal ones. ``passes`` is the same
    as *not stopped*, written so that an index can be used, and ``span`` the same as a span, where possible.
    """

    reason: Reason
    sign: str
    clause: Clause | bool
    passes: Clause | None = None
    span: Span | None = None


def stops(q: Question, terms: Terms) -> list[Stop]:
    """The rules of a question in their fixed order, without those that can stop nobody."""
    found = [
        Stop(reason, str(reason), True) for reason, all_stopped in terms.same_for_all().items() if all_stopped
    ]
    found += [*_of_person(q, terms), *_of_window(terms)]
    return sorted(found, key=lambda stop: ORDER.index(stop.reason))


def in_question(q: Question) -> Clause:
    """The audience, on its own Page."""
    return and_(CONTACTS.c.page_id == q.page_id, q.audience)


def column_of(q: Question, field: str) -> str | None:
    """The column of ``contact`` that holds a placeholder's value; None: the JSON of attributes."""
    if not field.startswith("attribute."):
        return field if field in CONTACTS.c else None
    definition = q.definitions.get(field.removeprefix("attribute."))
    return definition.slot if definition else None


def flag(clause: Clause) -> Clause:
    """``clause`` with NULL taken as false, safe inside NOT."""
    return case((clause, literal(1)), else_=literal(0)) == 1


def closes_expression(terms: Terms) -> ColumnElement[int | None]:
    """The first instant (ms) at which a person may not be written to any more; NULL: never."""
    ends = terms.ends_ms
    window = terms.window
    if window is None:
        return literal(ends, BigInteger)
    last = counted_from(window)
    closes: ColumnElement[int | None] = last + (span_ms(window) - terms.margin_ms)
    possible = _ms("ad_window_until") - terms.margin_ms
    if terms.possible_ad_window and terms.rule("ad_window") is not None:
        closes = case((possible > closes, possible), else_=closes)
    if ends is None:
        return closes
    return case((closes <= ends, closes), else_=literal(ends, BigInteger))


def last_action(span: Span) -> Clause:
    """People whose last action lies in a span."""
    last = _ms("last_interaction_at")
    if span.unknown:
        return last.is_(None)
    ends = [
        *([] if span.low is None else [last > span.low]),
        *([] if span.high is None else [last <= span.high]),
    ]
    return and_(*ends) if ends else last.is_not(None)


def only_possible(terms: Terms) -> Clause | None:
    """People past the sure window whose window may still be open after an ad; None: there is no such rule."""
    window, latest = terms.window, terms.latest_closed_ms
    if window is None or latest is None or terms.rule("ad_window") is None:
        return None
    return and_(counted_from(window) <= latest, _ms("ad_window_until") > terms.at_ms + terms.margin_ms)


def opens_expression(terms: Terms) -> ColumnElement[Any] | None:
    """The instant (ms) from which a person may be written to; None: any time.

    The later of the last action and the end of the frequency cap's hold. NULL where nothing is known.
    """
    last = None if terms.window is None else counted_from(terms.window)
    if terms.cap is None:
        return last
    free = func.coalesce(_cap_frees(terms), 0)
    return free if last is None else larger(last, free)


def _cap_frees(terms: Terms) -> ColumnElement[int | None]:
    """When (ms) the frequency cap lets a person in again; NULL: it does not hold them back."""
    cap = terms.cap
    if cap is None:
        return literal(None, BigInteger)
    sent_at = type_coerce(DELIVERIES.c.sent_at, BigInteger)
    nth = (
        select(sent_at + cap.span_ms)
        .where(*_recent(terms))
        .order_by(sent_at.desc())
        .offset(cap.most - 1)
        .limit(1)
        .correlate(CONTACTS)
        .scalar_subquery()
    )
    return case((_lately(terms), nth))


def _of_person(q: Question, terms: Terms) -> Iterator[Stop]:
    for reason, column in ((Reason.OPTED_OUT, "opted_out"), (Reason.UNREACHABLE, "unreachable")):
        yield Stop(reason, column, CONTACTS.c[column] == true(), CONTACTS.c[column] == false())
    if q.excluded is not None:
        yield Stop(Reason.EXCLUDED, "excluded", q.excluded)
    if terms.required_fields:
        lacking = or_(*(_lacks(q, field) for field in terms.required_fields))
        yield Stop(Reason.MISSING_VALUE, "missing", lacking)
    if terms.cap is not None:
        yield Stop(Reason.FREQUENCY_CAP, "cap", _capped(terms))
    if terms.quiet is not None:
        clause = _quiet(terms.quiet, terms)
        if clause is not False:
            yield Stop(Reason.QUIET_HOURS, "quiet", clause)
    if q.already is not None:
        yield Stop(Reason.DUPLICATE, "duplicate", q.already)


def _of_window(terms: Terms) -> Iterator[Stop]:
    window, latest = terms.window, terms.latest_closed_ms
    if window is None or latest is None:
        return
    last, counts, at = counted_from(window), str(window.counts_from), terms.at_ms
    spanned = window.counts_from == "interaction"

    def span(low: int | None = None, high: int | None = None, unknown: bool = False) -> Span | None:
        return Span(low, high, unknown) if spanned else None

    never, future = Reason.NEVER_INTERACTED, Reason.INTERACTION_IN_FUTURE
    # who passes the next rule has acted at some time: asking twice would cost as much as counting
    yield Stop(never, f"never {counts}", last.is_(None), true(), span(unknown=True))
    yield Stop(future, f"future {counts}", last > at, last <= at, span(low=at))
    shut = min(latest, at)
    outside: Clause = last <= shut
    inside: Clause = last > latest
    sign, where = f"outside {counts} {window.hours}", span(high=shut)
    if terms.possible_ad_window and terms.rule("ad_window") is not None:
        outside = and_(outside, or_(_ms("ad_window_until").is_(None), ~_possibly_open(terms)))
        inside = or_(inside, _possibly_open(terms))
        sign, where = f"{sign} but for ads", None
    yield Stop(terms.window_reason, sign, outside, inside, where)


def _possibly_open(terms: Terms) -> Clause:
    clause: Clause = _ms("ad_window_until") > terms.at_ms + terms.margin_ms
    return clause


def counted_from(window: Rule) -> ColumnElement[int | None]:
    last = _ms("last_interaction_at")
    return func.coalesce(_ms("last_message_at"), last) if window.counts_from == "message" else last


def _lacks(q: Question, field: str) -> Clause:
    """People without a value for a placeholder: NULL or empty, in a column or in the JSON of attributes."""
    name, column = field.removeprefix("attribute."), column_of(q, field)
    if column is not None:
        held = CONTACTS.c[column]
        return or_(held.is_(None), held == "") if column not in NUMBER_SLOTS else held.is_(None)
    entry = entries(ATTRIBUTES.c["values"]).table_valued("key", "value", joins_implicitly=True).alias("entry")
    there = (
        select(literal(1))
        .select_from(ATTRIBUTES, entry)
        .where(ATTRIBUTES.c.contact_id == CONTACTS.c.id, entry.c.key == name, entry.c.value != "")
        .correlate(CONTACTS)
    )
    return ~exists(there)


def _capped(terms: Terms) -> Clause:
    cap = terms.cap
    if cap is None:
        raise ValueError("there is no cap")
    count = select(func.count()).select_from(DELIVERIES).where(*_recent(terms)).correlate(CONTACTS)
    return and_(_lately(terms), count.scalar_subquery() >= cap.most)


def _lately(terms: Terms) -> Clause:
    """Cheap first look: whoever got nothing since the span began cannot be over the cap."""
    since = terms.at_ms - (terms.cap.span_ms if terms.cap else 0)
    clause: Clause = _ms("last_sent_at") > since
    return clause


def _recent(terms: Terms) -> tuple[Clause, ...]:
    """Messages the platform accepted in the cap's span: only those have an instant of sending."""
    since = terms.at_ms - (terms.cap.span_ms if terms.cap else 0)
    sent_at = type_coerce(DELIVERIES.c.sent_at, BigInteger)
    return (
        DELIVERIES.c.contact_id == CONTACTS.c.id,
        sent_at > since,
        sent_at <= terms.at_ms,
    )


def _quiet(quiet: QuietHours, terms: Terms) -> Clause | bool:
    if not quiet.by_recipient:
        return quiet.quiet_in(quiet.zone, terms.at)
    zone = CONTACTS.c.timezone
    if quiet.quiet_in(quiet.fallback, terms.at):
        return or_(zone.is_(None), zone.not_in(_listed(quiet.zones(terms.at, quiet=False))))
    clause: Clause = zone.in_(_listed(quiet.zones(terms.at, quiet=True)))
    return clause


def _listed(words: Sequence[str]) -> Select[str]:
    """Words as rows, bound as one value: hundreds of bound values cost more than the people they are compared with."""
    rows = texts(literal(json.dumps(words))).table_valued("value", joins_implicitly=True)
    return select(rows.c.value)


def _ms(column: str) -> ColumnElement[int | None]:
    """An instant of the person as its whole milliseconds."""
    return type_coerce(CONTACTS.c[column], BigInteger)
