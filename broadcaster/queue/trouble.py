"""What keeps a thread from its work, and for how long: told to people, and asked by a run that should end."""

from __future__ import annotations


class Trouble:
    """One sentence and since when it holds. Written by one thread, read by any."""

    def __init__(self) -> None:
        self._now: tuple[str, float] | None = None

    def note(self, text: str | None, at: float) -> bool:
        """Say what is in the way (None: nothing), at a monotonic instant; True when the words changed."""
        before = self._now
        since = at if before is None else before[1]
        self._now = None if text is None else (text, since)
        return text != (before[0] if before else None)

    @property
    def text(self) -> str | None:
        now = self._now
        return now[0] if now else None

    def lasts(self, at: float) -> float:
        """Seconds for which something has been in the way without a break; 0 when nothing is."""
        now = self._now
        return at - now[1] if now else 0.0
