"""From the filter's tree to SQL over ``contact``: parameters always bound, the same on both databases.

Where a text is searched, A–Z are compared without case (both databases agree on that). A person without
a value is different from every value, and is neither more nor less than any.
"""

from __future__ import annotations

import operator
import string
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from typing import Any, TypeGuard

from sqlalchemy import Boolean, ColumnElement, Select, String, and_, false, func, not_, or_, select, true
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.functions import FunctionElement

from broadcaster.audiences.filters import Condition, Filter, conditions
from broadcaster.clock import iso
from broadcaster.contacts.attributes import AttributeDef
from broadcaster.errors import NotFound
from broadcaster.states import DeliveryState
from broadcaster.store import outcomes
from broadcaster.store.indexes import HELD
from broadcaster.store.tables import Contact, ContactAttributes, ContactLabel, Delivery, Interaction, Label

CONTACTS = Contact.__table__  # type: ignore[attr-defined]
ATTRIBUTES = ContactAttributes.__table__  # type: ignore[attr-defined]
LABELS = Label.__table__  # type: ignore[attr-defined]
LABELLED = ContactLabel.__table__  # type: ignore[attr-defined]
INTERACTIONS = Interaction.__table__  # type: ignore[attr-defined]
DELIVERIES = Delivery.__table__  # type: ignore[attr-defined]

BUCKETS = 10_000
Clause = ColumnElement[bool]
MembersOf = Callable[[str], Clause]
Sure = Callable[[ColumnElement[Any], Clause], Clause]
_ASCII_LOWER = str.maketrans(string.ascii_uppercase, string.ascii_lowercase)


class bytewise(FunctionElement[str]):  # noqa: N801 - reads as the SQL function it is
    """A text compared by its bytes, whatever the database's collation."""

    type = String()
    inherit_cache = True


@compiles(bytewise)
def _plain(element: Any, compiler: Any, **options: Any) -> str:
    return str(compiler.process(element.clauses, **options))


@compiles(bytewise, "postgresql")
def _collated(element: Any, compiler: Any, **options: Any) -> str:
    return f'({compiler.process(element.clauses, **options)} COLLATE "C")'


class scanned(FunctionElement[Any]):  # noqa: N801 - reads as the SQL function it is
    """A column for which SQLite tries no index: one scan of the narrow rows is several times faster than
    an index that has to look up a third of them."""

    inherit_cache = True

    def __init__(self, column: ColumnElement[Any]) -> None:
        super().__init__(column)
        self.type = column.type


@compiles(scanned)
def _unindexed(element: Any, compiler: Any, **options: Any) -> str:
    return f"+{compiler.process(element.clauses, **options)}"


@compiles(scanned, "postgresql")
def _as_it_is(element: Any, compiler: Any, **options: Any) -> str:
    return str(compiler.process(element.clauses, **options))


def clause(
    tree: Filter,
    page_id: int,
    definitions: Mapping[str, AttributeDef],
    now: datetime,
    campaigns: Mapping[str, int],
    members_of: MembersOf | None = None,
) -> Clause:
    """The people of a filter as a condition on ``contact``.

    ``campaigns``: name → id; ``members_of`` gives the people of a saved audience by name. NotFound for a
    campaign or audience that does not exist.
    """
    covered = all(one.field in HELD for one in conditions(tree))
    return _Compiler(page_id, definitions, now, campaigns, members_of, covered).tree(tree)


class _Compiler:
    def __init__(
        self,
        page_id: int,
        definitions: Mapping[str, AttributeDef],
        now: datetime,
        campaigns: Mapping[str, int],
        members_of: MembersOf | None,
        covered: bool,
    ) -> None:
        self._covered = covered
        self._page_id, self._definitions, self._now = page_id, definitions, now
        self._campaigns, self._members_of = campaigns, members_of

    def tree(self, tree: Filter, turned: bool = False) -> Clause:
        """``turned``: it stands inside a negation, where unknown must be false."""
        if isinstance(tree, Condition):
            return self._condition(tree, turned)
        turned = turned or tree.mode == "not"
        given = sorted(tree.parts, key=_cost) if tree.mode == "all" else tree.parts
        few = tree.mode == "all" and bool(given) and _cost(given[0]) < _LOOKED_UP
        parts = [self._label(one, few) if _is_label(one) else self.tree(one, turned) for one in given]
        if tree.mode == "not":
            return not_(parts[0])
        if not parts:
            return true() if tree.mode == "all" else false()
        return and_(*parts) if tree.mode == "all" else or_(*parts)

    def _condition(self, given: Condition, turned: bool) -> Clause:
        special: dict[str, Callable[[Condition], Clause]] = {
            "label": self._label,
            "campaign": self._campaign,
            "interaction": self._interaction,
            "random": _random,
        }
        if given.kind in special:
            return special[given.kind](given)
        if given.kind == "audience":
            return self._audience(given, turned)
        column = self._column(given)
        if self._covered:
            return _compare(column, given, self._now, _guarded)
        if turned:
            return _compare(column, given, self._now, _settled)
        return _compare(scanned(column), given, self._now, _bare)

    def _column(self, given: Condition) -> ColumnElement[Any]:
        """The column a field stands in; an attribute without a slot is read from the JSON beside."""
        if not given.field.startswith("attribute."):
            column: ColumnElement[Any] = CONTACTS.c[given.field]
            return column
        definition = self._definitions[given.field.removeprefix("attribute.")]
        if definition.slot:
            slot: ColumnElement[Any] = CONTACTS.c[definition.slot]
            return slot
        beside = ATTRIBUTES.c["values"][definition.name]
        value = beside.as_float() if given.kind == "number" else beside.as_string()
        query = select(value).where(ATTRIBUTES.c.contact_id == CONTACTS.c.id)
        return query.correlate(CONTACTS).scalar_subquery()

    def _label(self, given: Condition, few: bool = False) -> Clause:
        """``few``: other conditions leave few people, whose labels are looked up one by one."""
        wanted = select(LABELS.c.id).where(LABELS.c.page_id == self._page_id)
        if given.op not in ("is_set", "is_not_set"):
            names = given.value if isinstance(given.value, tuple) else (given.value,)
            wanted = wanted.where(LABELS.c.name.in_(names))
        inside = given.op in ("eq", "in", "has_label", "is_set")
        labelled = select(LABELLED.c.contact_id).where(LABELLED.c.label_id.in_(wanted))
        if not few:
            return _people(labelled, inside)
        theirs = labelled.where(LABELLED.c.contact_id == CONTACTS.c.id).correlate(CONTACTS).exists()
        return theirs if inside else not_(theirs)

    def _campaign(self, given: Condition) -> Clause:
        name = given.field.removeprefix("campaign.")
        if name not in self._campaigns:
            raise NotFound(
                f"The filter names the campaign {name!r}, which does not exist.", "Check its name."
            )
        of_campaign = DELIVERIES.c.campaign_id == self._campaigns[name]
        outcome: dict[str, Clause] = {
            "sent": outcomes.accepted(),
            "not_sent": outcomes.accepted(),
            "delivered": and_(outcomes.accepted(), outcomes.delivered()),
            "read": and_(outcomes.accepted(), outcomes.read()),
            "failed": DELIVERIES.c.state == DeliveryState.FAILED,
            "replied": outcomes.replied(),
        }
        marked = given.value in ("delivered", "read")
        source = outcomes.with_marks() if marked else DELIVERIES
        query = select(DELIVERIES.c.contact_id).select_from(source).where(of_campaign, outcome[given.value])
        return _people(query, given.value != "not_sent")

    def _audience(self, given: Condition, turned: bool) -> Clause:
        if self._members_of is None:
            raise NotFound("Saved audiences cannot be named here.", "Name them in a saved audience's filter.")
        names = given.value if isinstance(given.value, tuple) else (given.value,)
        together = or_(*(self._members_of(name) for name in names)) if names else false()
        inside = given.op in ("eq", "in")
        known = together if inside and not turned else func.coalesce(together, false())
        return known if inside else not_(known)

    def _interaction(self, given: Condition) -> Clause:
        kind = given.field.removeprefix("interaction.")
        query = select(INTERACTIONS.c.contact_id).where(
            INTERACTIONS.c.page_id == self._page_id, INTERACTIONS.c.kind == kind
        )
        if given.op in ("is_set", "is_not_set"):
            return _people(query, given.op == "is_set")
        recent = query.where(INTERACTIONS.c.at >= self._now - given.value, INTERACTIONS.c.at <= self._now)
        if given.op == "within_last":
            return _people(recent, True)
        return and_(_people(query, True), _people(recent, False))


_LOOKED_UP = 3


def _cost(part: Filter) -> int:
    """Where a part stands among those that must all hold: databases try them in the order given.

    What mostly leaves few people comes first, what has to be looked up elsewhere last.
    """
    if not isinstance(part, Condition):
        return _LOOKED_UP + 1
    if part.kind in ("label", "campaign", "audience", "interaction"):
        return _LOOKED_UP
    if part.kind == "text":
        return 0 if part.op in ("eq", "in") else 1
    return 2 if part.kind == "flag" else 1


def _is_label(part: Filter) -> TypeGuard[Condition]:
    return isinstance(part, Condition) and part.kind == "label"


def _people(query: Select[Any], inside: bool) -> Clause:
    found: Clause = CONTACTS.c.id.in_(query)
    return found if inside else not_(found)


def _guarded(column: ColumnElement[Any], comparison: Clause) -> Clause:
    """False where there is no value, in a form that an index can answer."""
    return and_(column.is_not(None), comparison)


def _settled(_column: ColumnElement[Any], comparison: Clause) -> Clause:
    """False where there is no value."""
    return func.coalesce(comparison, false())


def _bare(_column: ColumnElement[Any], comparison: Clause) -> Clause:
    """Unknown where there is no value, which does for people to be found."""
    return comparison


def _compare(column: ColumnElement[Any], given: Condition, now: datetime, sure: Sure) -> Clause:
    if given.op in ("is_set", "is_not_set"):
        known = _known(column, given.kind)
        return known if given.op == "is_set" else not_(known)
    if given.op in ("within_last", "older_than"):
        return _span(column, given, now, sure)
    if given.kind == "flag" and not isinstance(column.type, Boolean):
        given = Condition(given.field, given.op, "true" if given.value else "false", "text")
    if given.kind in ("text", "date"):
        return _compare_text(column, given, sure)
    return _compare_plain(column, given.op, given.value, sure)


def _known(column: ColumnElement[Any], kind: str) -> Clause:
    """Not empty: an empty text counts as no value."""
    return func.coalesce(column, "") != "" if kind in ("text", "date") else column.is_not(None)


def _compare_plain(column: ColumnElement[Any], op: str, value: Any, sure: Sure) -> Clause:
    if op == "ne":
        return column.is_distinct_from(value)
    if op == "not_in":
        return or_(column.is_(None), column.not_in(value))
    if op == "in":
        return and_(column.is_not(None), column.in_(value))
    clause: Clause = _COMPARISONS[op](column, value)
    return sure(column, clause)


_COMPARISONS: Mapping[str, Callable[[Any, Any], Clause]] = {
    "eq": operator.eq,
    "gt": operator.gt,
    "gte": operator.ge,
    "lt": operator.lt,
    "lte": operator.le,
    "before": operator.lt,
    "after": operator.gt,
}


def _compare_text(column: ColumnElement[Any], given: Condition, sure: Sure) -> Clause:
    if given.op in ("contains", "starts_with"):
        wanted = given.value.translate(_ASCII_LOWER)
        for special in "!%_":
            wanted = wanted.replace(special, f"!{special}")
        pattern = f"%{wanted}%" if given.op == "contains" else f"{wanted}%"
        return func.coalesce(func.lower(bytewise(column)).like(pattern, escape="!"), false())
    return _compare_plain(bytewise(column) if given.op in _ORDERED else column, given.op, given.value, sure)


_ORDERED = frozenset({"gt", "gte", "lt", "lte", "before", "after"})


def _span(column: ColumnElement[Any], given: Condition, now: datetime, sure: Sure) -> Clause:
    """``within_last`` reaches from then to now (the future is not the last anything)."""
    since: Any = now - given.value
    until: Any = now
    if given.kind == "date":
        column, since, until = bytewise(column), iso(_whole(since)), iso(_whole(until))
    if given.op == "within_last":
        return sure(column, and_(column >= since, column <= until))
    return sure(column, column < since)


def _whole(instant: datetime) -> datetime:
    return instant - timedelta(microseconds=instant.microsecond)


def _random(given: Condition) -> Clause:
    """A share of people that stays the same: a hash of the id and the split's seed, in whole numbers."""
    percent, seed = given.value
    mixed = (CONTACTS.c.id % 65_536) * 40_503 + (CONTACTS.c.id // 65_536) * 7_919 + seed * 104_729 + 1_000_003
    bucket = ((mixed % 1_000_003) * 48_271) % 999_983 % BUCKETS
    limit = round(percent * BUCKETS / 100)
    inside: Clause = bucket < limit
    return inside if given.op == "lt" else not_(inside)
