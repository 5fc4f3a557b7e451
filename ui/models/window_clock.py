"""A person's 24-hour window as a small clock with its word: hours left, closing soon, closed."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import NamedTuple

from ui import text
from ui.i18n import tr

SHOWN = timedelta(hours=24)
"""What the clock's full circle stands for; who may be reached by which way is the policy's matter."""
SOON = timedelta(hours=3)


class WindowClock(NamedTuple):
    """``left`` is the share of 24 hours still open, 0 … 1."""

    words: str
    tone: str
    left: float


def window_clock(last: datetime | None, now: datetime) -> WindowClock:
    """How long ago the person opened their window, as a clock."""
    if last is None:
        return WindowClock(tr("Never opened"), "muted", 0.0)
    if last > now:
        return WindowClock(tr("Time in the future"), "bad", 0.0)
    left = last + SHOWN - now
    if left <= timedelta(0):
        return WindowClock(tr("Closed {time} ago", time=text.duration(-left)), "muted", 0.0)
    tone = "warn" if left <= SOON else "ok"
    words = (
        tr("Closing: {time}", time=text.duration(left))
        if tone == "warn"
        else tr("Open: {time}", time=text.duration(left))
    )
    return WindowClock(words, tone, left / SHOWN)
