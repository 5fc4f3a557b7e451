"""A table on its way to a file."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any


class Alarm(str):
    """A value that must not be overlooked: red and bold in every format that has colours."""

    __slots__ = ()


ALARM_RED = "B3261E"


@dataclass(frozen=True, slots=True)
class Table:
    """One table: ``facts`` stand above it as (name, value); ``rows`` may be a stream."""

    title: str
    columns: Sequence[str]
    rows: Iterable[Sequence[Any]]
    facts: Sequence[tuple[str, Any]] = ()
