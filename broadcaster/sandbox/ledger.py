"""What the platform side accepted: the truth that every count of the sending side is compared with."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from broadcaster.sandbox.clock import from_ms


@dataclass(slots=True)
class Accepted:
    """One message the platform took. Instants are milliseconds of the sandbox clock, 0 for not (yet)."""

    number: int
    psid: str
    text: str
    metadata: str
    mid: str
    accepted_ms: int
    tag: str
    messaging_type: str
    kind: str
    call: str
    template: str = ""
    delivered_ms: int = 0
    read_ms: int = 0

    @property
    def accepted_at(self) -> datetime:
        return from_ms(self.accepted_ms)

    @property
    def key(self) -> str:
        """What makes it "the same message again": metadata without its last (attempt) part, else the text."""
        if not self.metadata:
            return f"text:{self.text}"
        row, dot, attempt = self.metadata.rpartition(".")
        return row if dot and attempt.isdecimal() else self.metadata

    @property
    def attempt(self) -> int | None:
        """The last part of a metadata like ``install.row.attempt``; None where there is no such part."""
        _, dot, attempt = self.metadata.rpartition(".")
        return int(attempt) if dot and attempt.isdecimal() else None

    def as_json(self) -> dict[str, Any]:
        return {
            "number": self.number,
            "psid": self.psid,
            "text": self.text,
            "metadata": self.metadata,
            "attempt": self.attempt,
            "mid": self.mid,
            "accepted_at": _iso(self.accepted_ms),
            "tag": self.tag or None,
            "messaging_type": self.messaging_type,
            "kind": self.kind,
            "call": self.call,
            "template": self.template or None,
            "delivered_at": _iso(self.delivered_ms),
            "read_at": _iso(self.read_ms),
        }


def _iso(milliseconds: int) -> str | None:
    return from_ms(milliseconds).isoformat().replace("+00:00", "Z") if milliseconds else None


class Ledger:
    """Accepted messages in order, with running counts; refusals counted by ``code/subcode``."""

    def __init__(self) -> None:
        self.entries: list[Accepted] = []
        self.refused: Counter[str] = Counter()
        self.calls: Counter[str] = Counter()
        self.delivered = 0
        self.read = 0
        self._people: set[str] = set()
        self._keys: set[tuple[str, str]] = set()

    def __len__(self) -> int:
        return len(self.entries)

    def add(self, entry: Accepted) -> None:
        self.entries.append(entry)
        self._people.add(entry.psid)
        self._keys.add((entry.psid, entry.key))

    def refuse(self, code: int, subcode: int | None) -> None:
        self.refused[f"{code}/{subcode or ''}".rstrip("/")] += 1

    def mark_delivered(self, entry: Accepted, at_ms: int) -> None:
        if not entry.delivered_ms:
            entry.delivered_ms = at_ms
            self.delivered += 1

    def mark_read(self, entry: Accepted, at_ms: int) -> None:
        if not entry.read_ms:
            entry.read_ms = at_ms
            self.read += 1

    @property
    def duplicates(self) -> int:
        """How many accepted messages repeat one the same person already got (see ``Accepted.key``)."""
        return len(self.entries) - len(self._keys)

    def repeated(self) -> list[Accepted]:
        """The repeats themselves, first ones left out."""
        seen: set[tuple[str, str]] = set()
        again = []
        for entry in self.entries:
            mark = (entry.psid, entry.key)
            if mark in seen:
                again.append(entry)
            seen.add(mark)
        return again

    def summary(self) -> dict[str, Any]:
        """Counts only, in constant time."""
        return {
            "accepted": len(self.entries),
            "people": len(self._people),
            "duplicates": self.duplicates,
            "delivered": self.delivered,
            "read": self.read,
            "refused": sum(self.refused.values()),
            "refused_by_code": dict(self.refused),
            "calls": dict(self.calls),
        }
