"""The words for every reason why a person is not reached (``resources/reasons.toml``)."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from importlib import resources

from broadcaster.states import Reason


@dataclass(frozen=True, slots=True)
class ReasonText:
    """``explanation`` may hold {last} and {closed}; ``reopens`` continues "reachable again …"."""

    title: str
    rule: str
    explanation: str
    reopens: str

    def explain(self, last: datetime | None, closed: datetime | None) -> str:
        """The explanation with the facts in it (UTC)."""
        return self.explanation.format(last=_when(last), closed=_when(closed))


def reason_text(reason: str) -> ReasonText:
    return _texts()[Reason(reason)]


@cache
def _texts() -> dict[Reason, ReasonText]:
    text = (resources.files("resources") / "reasons.toml").read_text("utf-8")
    return {Reason(key): ReasonText(**entry) for key, entry in tomllib.loads(text).items()}


def _when(instant: datetime | None) -> str:
    return "at an unknown time" if instant is None else f"{instant:%d %b %Y %H:%M} UTC"
