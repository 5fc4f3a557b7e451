"""Dated entries on one line of time: no two at once, and no hole between them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import pairwise

_EVER = datetime.min.replace(tzinfo=UTC)
_NEVER = datetime.max.replace(tzinfo=UTC)

Span = tuple[int, datetime | None, datetime | None]
"""Index of the entry, first instant (None: always was), first instant after it (None: no end)."""


@dataclass(frozen=True, slots=True)
class Fault:
    """What is wrong, and the place of the entry inside its permission."""

    place: tuple[str | int, ...]
    text: str


def holes_and_overlaps(what: str, spans: list[Span], needed_until: datetime | None) -> list[Fault]:
    """Faults of entries of one kind. They must reach ``needed_until`` (None: without end).

    A time before the first entry is no hole: some rules begin one day.
    """
    ordered = sorted(spans, key=lambda span: span[1] or _EVER)
    faults = []
    for (_, _, until), (index, start, _) in pairwise(ordered):
        if (until or _NEVER) > (start or _EVER):
            faults.append(Fault(("rule", index), f"{what}: overlap, an earlier entry holds at {_day(start)}"))
        elif until != start:
            faults.append(
                Fault(("rule", index), f"{what}: gap, nothing holds from {_day(until)} to {_day(start)}")
            )
    if ordered:
        index, _, until = max(ordered, key=lambda span: span[2] or _NEVER)
        if until is not None and until < (needed_until or _NEVER):
            faults.append(Fault(("rule", index), f"{what}: gap, nothing holds from {_day(until)} on"))
    return faults


def _day(instant: datetime | None) -> str:
    return "the beginning" if instant is None else f"{instant:%Y-%m-%d %H:%M} UTC"
