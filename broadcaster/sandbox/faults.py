"""Things that go wrong on order: for one person, by rate, or for the next n calls. Seeded, so repeatable."""

from __future__ import annotations

from dataclasses import dataclass, field, fields
from typing import Any, Literal, get_args

from broadcaster.sandbox.people import draw

Kind = Literal["http_error", "drop", "slow", "limit", "invalid_json", "error", "null"]
Target = Literal["message", "call", "batch", "conversations", "profile", "any"]


@dataclass(slots=True)
class Fault:
    """One ordered fault.

    kind: ``http_error`` (``status``, no error object) · ``drop`` (connection lost; in a batch a null part) ·
    ``slow`` (``seconds``) · ``limit`` (``code`` 613, 80006, 4 or 32, ``minutes`` in the header) ·
    ``invalid_json`` (1/1357046, always accepted) · ``error`` (``code``/``subcode``) · ``null`` (batch part).
    accepted: the message goes out all the same, before things go wrong (``slow``: before the wait, else after).
    target: ``message`` (a send, alone or in a batch) · ``call`` (an HTTP call that sends) · ``batch`` (one with
    a batch) · ``conversations`` · ``profile`` · ``any`` (every single call). psid: only this person's. rate: share of what it could meet. count: how many times at most.
    """

    kind: Kind
    target: Target = "message"
    psid: str | None = None
    rate: float = 1.0
    count: int | None = None
    accepted: bool = False
    status: int = 500
    seconds: float = 1.0
    code: int = 613
    subcode: int | None = None
    minutes: int = 1
    met: int = 0
    seen: dict[str, int] = field(default_factory=dict)

    @classmethod
    def from_json(cls, row: dict[str, Any]) -> Fault:
        """From the control API; ValueError names what is wrong."""
        known = {part.name for part in fields(cls)} - {"met", "seen"}
        if unknown := set(row) - known:
            raise ValueError(f"a fault has no {sorted(unknown)[0]}; it has {', '.join(sorted(known))}")
        if row.get("kind") not in get_args(Kind) or row.get("target", "message") not in get_args(Target):
            raise ValueError(
                f"kind is one of {', '.join(get_args(Kind))}; target of {', '.join(get_args(Target))}"
            )
        return cls(**row)

    def as_json(self) -> dict[str, Any]:
        return {part.name: getattr(self, part.name) for part in fields(self) if part.name != "seen"}


class Faults:
    """The faults in force, first ordered first met."""

    def __init__(self, seed: int) -> None:
        self._seed = seed
        self._orders: list[Fault] = []

    @property
    def orders(self) -> list[Fault]:
        return list(self._orders)

    def order(self, fault: Fault) -> Fault:
        """Put a fault in force; the object returned counts how often it was ``met``."""
        self._orders.append(fault)
        return fault

    def clear(self) -> None:
        self._orders.clear()

    def __bool__(self) -> bool:
        return bool(self._orders)

    def meet(self, target: Target, psid: str = "") -> Fault | None:
        """The fault that strikes this call now, if any; uses up one of its count."""
        for number, fault in enumerate(self._orders):
            if fault.target != target or fault.psid not in (None, psid):
                continue
            visit = fault.seen[psid] = fault.seen.get(psid, 0) + 1
            salt = number * 1_000_003 + visit
            if fault.rate < 1 and draw(self._seed, int(psid) if psid.isdecimal() else 0, salt) >= fault.rate:
                continue
            fault.met += 1
            if fault.count is not None and fault.met >= fault.count:
                self._orders.remove(fault)
            return fault
        return None
