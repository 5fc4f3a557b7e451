"""Meta's errors by class: what a refusal concerns decides what is done about it.

The catalogue is data (``resources/errors.toml``). Order of judgement: ``is_transient`` of the answer,
then code with subcode, then code with words of the text, then the code alone.
"""

from __future__ import annotations

import tomllib
from collections.abc import Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from functools import cache
from importlib.resources import files

from broadcaster.graph.outcomes import Refusal


class ErrorKind(StrEnum):
    """Whom a refusal concerns, and so what stops."""

    PERSON = "person"
    """This one fails, the others go on."""
    CONTENT = "content"
    """The message is wrong: the same again and again means every one will fail."""
    PAGE = "page"
    TOKEN = "token"
    APP = "app"
    PLATFORM = "platform"
    """Meta's fault, waiting cures it: back off, bounded."""
    RATE = "rate"
    """Too fast: wait, nobody fails."""
    DOUBT = "doubt"
    """May have been accepted in spite of the error: settle it."""


STOPS_PAGE = frozenset({ErrorKind.PAGE, ErrorKind.TOKEN, ErrorKind.APP})
"""The first such refusal pauses every campaign of the Page."""


@dataclass(frozen=True, slots=True)
class ErrorClass:
    """A row of the catalogue. ``retry`` is a policy of the platform reference (never, once, backoff,
    wait_header, wait_fixed, after_user_action, after_admin_fix, reconnect, never_blind, slow_down).

    ``wait_seconds``: how long to wait where the platform's headers do not say; 0 where waiting is no cure.
    ``unreachable``: mark the person unreachable until they write.
    """

    kind: ErrorKind
    retry: str
    title: str
    text: str
    advice: str
    unreachable: bool = False
    wait_seconds: int = 0
    code: int | None = None
    subcode: int | None = None
    match: tuple[str, ...] = ()
    source: str = ""

    @property
    def retryable(self) -> bool:
        """Can the same message to the same person succeed later without anything being repaired?"""
        return self.retry in {"once", "backoff", "wait_header", "wait_fixed", "slow_down"}

    def fits(self, text: str) -> bool:
        return not self.match or any(fragment in text for fragment in self.match)


def classify(refusal: Refusal) -> ErrorClass:
    """The class of a refusal; unknown ones are the message's fault, or the platform's from HTTP 500 on."""
    found = _row(refusal)
    if found.kind is ErrorKind.DOUBT or refusal.is_transient is None:
        return found
    if refusal.is_transient and found.kind is not ErrorKind.RATE:
        return replace(found, kind=ErrorKind.PLATFORM, retry="backoff", unreachable=False)
    if not refusal.is_transient and found.kind is ErrorKind.PLATFORM:
        return replace(found, retry="once")  # Meta says waiting does not help: one try, not five
    return found


def describe(code: int | None, subcode: int | None, text: str = "") -> ErrorClass:
    """The class of a stored error, for reports and screens. No code: the program ended it, as ``text`` says."""
    if code is None:
        return ErrorClass(
            kind=ErrorKind.PERSON,
            retry="never",
            title="Ended here, not refused by the platform",
            text=text,
            advice="See the reason beside each person.",
        )
    return _row(Refusal(code, subcode, text))


@cache
def catalogue() -> tuple[ErrorClass, ...]:
    """Every row, in the file's order."""
    raw = tomllib.loads((files("resources") / "errors.toml").read_text(encoding="utf-8"))
    return tuple(
        ErrorClass(
            kind=ErrorKind(row["class"]),
            retry=row["retry"],
            title=row["title"],
            text=row["text"],
            advice=row["advice"],
            unreachable=row.get("unreachable", False),
            wait_seconds=row.get("wait_seconds", raw["wait_seconds"].get(row["retry"], 0)),
            code=row.get("code"),
            subcode=row.get("subcode"),
            match=tuple(fragment.lower() for fragment in row.get("match", ())),
            source=row["source"],
        )
        for row in raw["error"]
    )


@cache
def _index() -> dict[tuple[int | None, int | None], tuple[ErrorClass, ...]]:
    """Rows by code and subcode; those with words to match before the one without."""
    rows: dict[tuple[int | None, int | None], list[ErrorClass]] = {}
    for row in catalogue():
        rows.setdefault((row.code, row.subcode), []).append(row)
    return {key: tuple(sorted(found, key=lambda row: not row.match)) for key, found in rows.items()}


def _row(refusal: Refusal) -> ErrorClass:
    text = f"{refusal.text} {refusal.user_text}".lower().replace("’", "'")
    keys: Sequence[tuple[int | None, int | None]] = [(refusal.code, None)]
    if refusal.subcode is not None:
        keys = [(refusal.code, refusal.subcode), (None, refusal.subcode), *keys]
    for key in keys:
        for row in _index().get(key, ()):
            if row.fits(text):
                return row
    return _unlisted(refusal)


def _unlisted(refusal: Refusal) -> ErrorClass:
    name = f"{refusal.code}" if refusal.subcode is None else f"{refusal.code}/{refusal.subcode}"
    from_meta = refusal.http_status >= 500
    return ErrorClass(
        kind=ErrorKind.PLATFORM if from_meta else ErrorKind.CONTENT,
        retry="backoff" if from_meta else "never",
        title=f"Error {name}, which is not in the catalogue",
        text=refusal.user_text or refusal.text or "The platform gave no reason.",
        advice="Look the code up in Meta's list of Messenger error codes.",
        code=refusal.code,
        subcode=refusal.subcode,
    )
