"""Counting people by number, where each bit of the number is a clause: the one statement behind a decision.

On SQLite the sorting that a GROUP BY needs costs more than all clauses together. Where an index covers
every fact asked for, the people are therefore taken in slices of that index in which opt-out, reachability
and the place of the last action are the same for all, so that most bits are known without looking, and
only people with some other bit set are sorted; where an earlier rule stops a whole slice, nobody is, since
how often each later rule fails is all that remains to be known. Otherwise one pass over the table counts.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field

from sqlalchemy import (
    BigInteger,
    ColumnElement,
    Connection,
    Select,
    and_,
    case,
    false,
    func,
    literal,
    or_,
    select,
    true,
    union_all,
)

from broadcaster.clock import epoch_ms
from broadcaster.policy.clauses import CONTACTS, Clause, Span, in_question, last_action
from broadcaster.policy.question import Question
from broadcaster.policy.shares import cuts, pieces
from broadcaster.store.beside import reader_beside, rows_of
from broadcaster.store.indexes import HELD, facts_asked

_BEYOND = -1
"""Place of the people whom a clause outside the index holds for."""


@dataclass(frozen=True, slots=True)
class _Bit:
    value: int
    clause: Clause
    span: Span | None
    apart: bool
    """Count the people it holds for by themselves: a fact outside the index, or a list of people."""


@dataclass(slots=True)
class Counts:
    """``numbers``: number → people, each person once. ``alone``: bit → people who have it besides their number."""

    numbers: dict[int, int] = field(default_factory=dict)
    alone: dict[int, int] = field(default_factory=dict)

    def add(self, number: int, people: int) -> None:
        self.numbers[number] = self.numbers.get(number, 0) + people


Settled = Callable[[int, int], bool]
"""Do the bits of the first number leave those of the second no say in which rule comes first?"""


@dataclass(frozen=True, slots=True)
class _Slice:
    """A part of the index: its condition, the bits set for all in it, and those still to be looked at."""

    where: Clause
    number: int
    open: tuple[_Bit, ...]


class Tally:
    """Clauses of one or more permissions, one bit each; clauses of the same sign share a bit."""

    def __init__(self) -> None:
        self._bits: dict[str, _Bit] = {}

    def bit(self, sign: str, clause: Clause, span: Span | None = None, names_people: bool = False) -> int:
        """The bit of a clause. ``span`` says the same as the clause, if it only looks at the last action.

        ``names_people``: it stands on a list of people, which would be read again for every slice.
        """
        if sign not in self._bits:
            apart = names_people or not facts_asked(clause) <= HELD
            self._bits[sign] = _Bit(1 << len(self._bits), clause, span, apart)
        return self._bits[sign].value

    def counts(self, conn: Connection, q: Question, settled: Settled) -> Counts:
        """How many people of the question have which number."""
        bits = list(self._bits.values())
        if conn.dialect.name != "sqlite" or not facts_asked(q.audience) <= HELD:
            return Counts(_counted(conn, _numbers(conn, q, bits)))
        slices = list(self._slices(cuts(conn, epoch_ms(q.at))))
        width = max(len(piece.open) for piece in slices)
        parts = [
            part for place, piece in enumerate(slices) for part in _parts(q, place, piece, width, settled)
        ]
        beyond = [bit for bit in bits if bit.apart]
        mask = sum(bit.value for bit in beyond)
        if beyond:
            some = _numbers(conn, q, bits, or_(*(bit.clause for bit in beyond))).subquery()
            by_number = _row(literal(_BEYOND, BigInteger), some.c.number, func.count(), *_none(width))
            parts.insert(0, by_number.group_by(some.c.number))
        counts = Counts()
        for row in rows_of(conn, parts if reader_beside(conn) else [union_all(*parts)]):
            place, extra, people, *alone = tuple(row)
            if place == _BEYOND:
                counts.add(extra, people)
                counts.add(extra & ~mask, -people)
                continue
            piece = slices[place]
            counts.add(piece.number | extra, people)
            if extra:
                counts.add(piece.number, -people)
            for bit, some in zip(piece.open, alone, strict=False):
                counts.alone[bit.value] = counts.alone.get(bit.value, 0) + some
        return counts

    def _slices(self, cuts: Iterable[int]) -> Iterator[_Slice]:
        """``cuts``: instants (ms) at which to cut the line of time besides those that clauses ask for."""
        opted_out, unreachable = CONTACTS.c.opted_out, CONTACTS.c.unreachable
        yield self._slice(opted_out == true(), {"opted_out"})
        yield self._slice(and_(opted_out == false(), unreachable == true()), {"unreachable"}, {"opted_out"})
        neither = and_(opted_out == false(), unreachable == false())
        flags = {"opted_out", "unreachable"}
        for span in self._spans(cuts):
            held = {sign for sign, bit in self._bits.items() if bit.span and bit.span.contains(span)}
            known = flags | {sign for sign, bit in self._bits.items() if bit.span}
            yield self._slice(and_(neither, last_action(span)), held, known)

    def _spans(self, cuts: Iterable[int]) -> list[Span]:
        """The line of time cut at every edge of a clause; in each piece every such clause is constant."""
        given = [bit.span for bit in self._bits.values() if bit.span]
        asked = [edge for span in given for edge in (span.low, span.high) if edge is not None]
        return pieces([*cuts, *asked])

    def _slice(self, where: Clause, held: set[str], known: set[str] | None = None) -> _Slice:
        known = held | (known or set())
        number = sum(bit.value for sign, bit in self._bits.items() if sign in held)
        unknown = [bit for sign, bit in self._bits.items() if sign not in known]
        return _Slice(where, number, tuple(bit for bit in unknown if not bit.apart))


def _parts(
    q: Question, place: int, piece: _Slice, width: int, settled: Settled
) -> Iterator[Select[*tuple[int, ...]]]:
    """All people of a slice, and those of them with further bits: by these, or each bit for itself."""
    here, zero = and_(in_question(q), piece.where), literal(0, BigInteger)
    number, none = literal(place, BigInteger), _none(width)
    if settled(piece.number, sum(bit.value for bit in piece.open)):
        alone = [func.count().filter(bit.clause) for bit in piece.open]
        yield _row(number, zero, func.count(), *alone, *none[len(alone) :]).select_from(CONTACTS).where(here)
        return
    yield _row(number, zero, func.count(), *none).select_from(CONTACTS).where(here)
    if piece.open:
        people = select(_number(piece.open)).where(here).limit(-1).subquery()
        extra = people.c.number
        yield _row(number, extra, func.count(), *none).where(extra != 0).group_by(extra)


def _none(width: int) -> list[ColumnElement[int]]:
    return [literal(0, BigInteger)] * width


def _row(*columns: ColumnElement[int]) -> Select[*tuple[int, ...]]:
    return select(*columns)


def _number(bits: Iterable[_Bit]) -> ColumnElement[int]:
    zero = literal(0, BigInteger)
    parts = [case((bit.clause, literal(bit.value, BigInteger)), else_=zero) for bit in bits]
    return sum(parts, start=zero).label("number")


def _numbers(conn: Connection, q: Question, bits: Iterable[_Bit], where: Clause | None = None) -> Select[int]:
    """Each person's number, in one pass over the table: row by row in any order is dearer than all rows.

    The limit has no effect but to keep SQLite from working the number out again for every use of it.
    """
    query = select(_number(bits)).where(in_question(q))
    query = query if where is None else query.where(where)
    return query.limit(-1) if conn.dialect.name == "sqlite" else query


def _counted(conn: Connection, numbers: Select[int]) -> dict[int, int]:
    people = numbers.subquery()
    query = select(people.c.number, func.count()).group_by(people.c.number)
    return {row[0]: row[1] for row in conn.execute(query)}
