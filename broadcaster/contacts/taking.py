"""Rows of a file made into a batch of typed columns; what cannot be taken is set aside with its reason."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from itertools import compress, islice

from broadcaster.contacts.columns import AttributeDef, Cell, Cells, Column, readers
from broadcaster.contacts.reading import RawRow
from broadcaster.contacts.seen import Seen, key_of
from broadcaster.states import AttributeType

PIECE = 1_000
"""Rows that are turned into columns at once: few enough to stay in a processor's cache meanwhile."""


@dataclass(slots=True)
class Batch:
    """Columns of equal length: ``values`` by column of ``contact``, JSON of attributes without a slot."""

    psids: list[str] = field(default_factory=list)
    values: dict[str, list[Cell]] = field(default_factory=dict)
    loose: list[str | None] = field(default_factory=list)
    """Empty where the file has none."""
    labels: list[str | None] = field(default_factory=list)
    """Label cells as given; empty where the file has no such column."""
    refused: list[tuple[RawRow, str]] = field(default_factory=list)
    duplicates: int = 0
    """How many of the refused stood in the file before."""


class Taker:
    """Takes a file's rows in order; knows the people it has seen."""

    def __init__(self, columns: Sequence[Column], known: Mapping[str, AttributeDef], now: datetime) -> None:
        read = readers(columns, known, now)
        self._columns = columns
        self._cells = {column.field: Cells(read[column.field]) for column in columns}
        self._loose: dict[str, AttributeDef] = {}
        self._slots: dict[str, str] = {}
        for column in columns:
            definition = known.get(column.field.removeprefix("attribute."))
            if not column.field.startswith("attribute.") or definition is None:
                self._slots[column.field] = column.field
            elif definition.slot is None:
                self._loose[column.field] = definition
            else:
                self._slots[column.field] = definition.slot
        self._seen = Seen()

    def take(self, rows: Iterator[RawRow], most: int) -> tuple[int, Batch]:
        """Up to ``most`` of the next rows, and what can be taken of them; the first row of a person counts."""
        coming, read = islice(rows, most), 0
        batch = Batch()
        while piece := list(islice(coming, PIECE)):
            read += len(piece)
            self._add(piece, batch)
        return read, batch

    def _add(self, rows: list[RawRow], batch: Batch) -> None:
        if unreadable := [(row, row.problem) for row in rows if row.problem]:
            batch.refused += unreadable
            rows = [row for row in rows if not row.problem]
            if not rows:
                return
        texts = list(zip(*(row.cells for row in rows), strict=True))
        typed = {c.field: self._cells[c.field].all(texts[c.index]) for c in self._columns}
        keep = self._choose(rows, texts, typed["psid"], batch)
        if not all(keep):
            typed = {name: list(compress(column, keep)) for name, column in typed.items()}
        psids = [str(psid) for psid in typed.pop("psid")]
        batch.psids += psids
        batch.labels += [None if cell is None else str(cell) for cell in typed.pop("labels", ())]
        for name, slot in self._slots.items():
            if name in typed:
                batch.values.setdefault(slot, []).extend(typed[name])
        if self._loose:
            batch.loose += self._json(typed, len(psids))

    def _choose(
        self, rows: Sequence[RawRow], texts: Sequence[Sequence[str]], psids: Sequence[Cell], batch: Batch
    ) -> list[bool]:
        """Which rows are taken; the others go to ``batch.refused``."""
        reasons: dict[int, str] = {}
        for column in self._columns:
            if refused := self._cells[column.field].refused:
                for number, text in enumerate(texts[column.index]):
                    if text in refused:
                        reasons.setdefault(number, refused[text])
                refused.clear()
        keep = [True] * len(rows)
        if not reasons and all(psids) and self._seen.add_rising([key_of(str(psid)) for psid in psids]):
            return keep
        for number, psid in enumerate(psids):
            reason = reasons.get(number)
            if reason is None and psid is None:
                reason = "the psid is empty"
            if reason is None and not self._seen.add(key_of(str(psid))):
                reason = f"psid {psid} stands in the file before; the first row counts"
                batch.duplicates += 1
            if reason is not None:
                keep[number] = False
                batch.refused.append((rows[number], reason))
        return keep

    def _json(self, typed: Mapping[str, Sequence[Cell]], count: int) -> list[str | None]:
        """One JSON object a row for the attributes without a slot; None where it has no value of them."""
        names = [definition.name for definition in self._loose.values()]
        columns = [
            _truths(typed[key]) if definition.type == AttributeType.YES_NO else typed[key]
            for key, definition in self._loose.items()
        ]
        objects: list[str | None] = []
        for row in zip(*columns, strict=True):
            given = {name: value for name, value in zip(names, row, strict=True) if value is not None}
            objects.append(json.dumps(given, sort_keys=True) if given else None)
        return objects or [None] * count


def _truths(column: Iterable[Cell]) -> list[Cell]:
    return [None if value is None else value == "true" for value in column]
