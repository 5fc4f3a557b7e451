"""Does this computer's clock go right? Windows are judged by it to the second."""

from __future__ import annotations

TOLERATED_MS = 10_000
"""The platform's ``Date`` header has whole seconds and comes late by the way back: less says nothing."""


def warning(skew_ms: int | None, margin_seconds: int = 60) -> str | None:
    """A sentence when the clock is off by more than can be tolerated; None when all is well or unknown.

    ``skew_ms`` is the platform's time minus ours: above zero our clock is behind, and windows seem open
    for longer than they are.
    """
    if skew_ms is None or abs(skew_ms) <= TOLERATED_MS:
        return None
    seconds = round(abs(skew_ms) / 1000)
    if skew_ms < 0:
        return (
            f"This computer's clock is {seconds} s ahead of the platform's, so windows are taken for shut "
            f"{seconds} s too early; switch on automatic time."
        )
    more = "more than" if skew_ms > margin_seconds * 1000 else "part of"
    return (
        f"This computer's clock is {seconds} s behind the platform's, {more} the safety margin of "
        f"{margin_seconds} s: messages may be refused at the end of a window; switch on automatic time."
    )
