"""What a check gives: findings with their place, and two verdicts."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Severity(StrEnum):
    INFO = "info"
    WARNING = "warning"
    VIOLATION = "violation"


@dataclass(frozen=True, slots=True)
class Finding:
    """``start``/``end`` are offsets in characters of the text of ``part`` as given."""

    rule: str
    severity: Severity
    start: int
    end: int
    text: str
    reason: str
    advice: str
    source: str
    part: str = "text"


@dataclass(frozen=True, slots=True)
class TextCheck:
    """``score`` runs from 0 (nothing) to 1; ``lang`` is None where no language was recognised."""

    promotional: bool
    score: float
    fits_permission: bool
    findings: tuple[Finding, ...]
    lang: str | None
    languages: tuple[str, ...]
