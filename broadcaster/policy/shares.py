"""Cutting the people of a question by their last action, so that two readers can count at the same time."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import pairwise

from sqlalchemy import Connection

from broadcaster.policy.clauses import Span
from broadcaster.policy.terms import HOUR
from broadcaster.store.beside import reader_beside

_AGES = (2160, 720, 168, 72, 12, 6)
"""How many hours ago the line of time is cut: fine where most people are, so that neither reader waits long."""


def cuts(conn: Connection, at_ms: int) -> list[int]:
    """Instants (ms) at which to cut; none where one reader counts alone."""
    return [] if reader_beside(conn) is None else [at_ms - hours * HOUR for hours in _AGES]


def pieces(edges: Iterable[int]) -> list[Span]:
    """The whole line of time, cut: those without any action, then piece by piece."""
    line = [None, *sorted(set(edges)), None]
    return [Span(unknown=True), *(Span(low, high) for low, high in pairwise(line))]


def shares(conn: Connection, at_ms: int, without: Iterable[Span] = ()) -> list[Span | None]:
    """The line of time but for some spans, in shares for two readers; only None where one counts alone."""
    between = cuts(conn, at_ms)
    if not between:
        return [None]
    left_out = list(without)
    edges = [edge for span in left_out for edge in (span.low, span.high) if edge is not None]
    return [
        piece for piece in pieces([*between, *edges]) if not any(span.contains(piece) for span in left_out)
    ]
