"""What a sender keeps in mind about one Page: calls under way, messages leased, how fast it answers."""

from __future__ import annotations

import math
from collections import Counter, deque
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime

from broadcaster.queue.pacing import INBOX_FREEZES_ABOVE, cost_of
from broadcaster.queue.wire import Outgoing

MOST_SINGLE_CALLS = 48
FEWEST_LANES, MOST_LANES = 2, 6
BATCH, SMALLEST_BATCH = 50, 10
STALE_SECONDS = 5.0
"""Leased rows that could not go for so long are decided again."""

SINGLE_WAVE, BATCH_WAVE = 0.15, 1 / 3
"""Seconds' worth of messages that go together: each time the sender wakes, its code is cold again."""

LEASED_AHEAD = 1.0
"""Seconds' worth of messages leased together: deciding who is next costs more than sending to them.
A leased row is surely not sent, so this puts nobody in doubt."""

SILENT_AFTER = 5
"""Calls in a row without an answer that are no accident any more."""

FIRST_PAUSE, LONGEST_PAUSE = 0.5, 30.0


def minute_of(at: datetime) -> int:
    """Minutes since 1970."""
    return int(at.timestamp()) // 60


@dataclass(slots=True)
class PageLane:
    page_id: int
    leased: deque[Outgoing] = field(default_factory=deque)
    leased_at: float = 0.0
    decided_in: int = 0
    """The minute in which the first of them was decided."""
    calls: int = 0
    wire: Counter[int] = field(default_factory=Counter)
    """Messages on the wire now, by campaign."""
    batch: int = BATCH
    """Messages in one batch: halved when some come back unanswered, slowly grown again."""
    latency: float = 0.4
    paused_until: float = float("-inf")
    lost_in_a_row: int = 0
    pauses: int = 0
    silence: str = ""
    """Why the last call brought no answer."""
    turn: int = 0
    usage_percent: int = 0

    def batches(self, limit: float) -> bool:
        return limit > INBOX_FREEZES_ABOVE

    def wave(self, limit: float, media: bool) -> int:
        """How many messages go together at this pace."""
        if media or not self.batches(limit):
            return max(1, int(SINGLE_WAVE / cost_of(limit, media)))
        together = math.ceil(limit * BATCH_WAVE)
        if together > self.batch:
            together = self.batch * round(together / self.batch)  # full batches only
        return max(SMALLEST_BATCH, together)

    def ready_for(self, limit: float, media: bool) -> int:
        """How many messages may go now in the calls that are free."""
        each = 1 if media or not self.batches(limit) else self.batch
        return min(self.wave(limit, media), each * self.free_calls(limit, media))

    def calls_of(self, rows: Sequence[Outgoing], limit: float) -> list[Sequence[Outgoing]]:
        """A wave as the calls that carry it."""
        each = self.batch if self.batches(limit) and not any(row.media for row in rows) else 1
        return [rows[start : start + each] for start in range(0, len(rows), each)]

    def wanting(self, limit: float, media: bool) -> int:
        """How many messages to lease now: none while a whole wave is at hand."""
        wave = self.wave(limit, media)
        if len(self.leased) >= wave:
            return 0
        return max(wave, math.ceil(LEASED_AHEAD / cost_of(limit, media))) - len(self.leased)

    def at_hand(self, campaign_id: int) -> bool:
        """Are messages of this campaign leased or on the wire here?"""
        return self.wire[campaign_id] > 0 or any(row.campaign_id == campaign_id for row in self.leased)

    def free_calls(self, limit: float, media: bool) -> int:
        """Calls that may still be begun now."""
        if media or not self.batches(limit):
            return MOST_SINGLE_CALLS - self.calls
        needed = math.ceil(limit / self.batch * self.latency) + 1
        return max(FEWEST_LANES, min(MOST_LANES, needed)) - self.calls

    def take_up(self, found: Sequence[Outgoing]) -> None:
        """Keep what was leased. A pause gives leased rows back: the copy kept from before it must not go too."""
        again = {row.id for row in found}
        kept = [row for row in self.leased if row.id not in again]
        self.leased = deque((*kept, *found))

    def begun(self, rows: Sequence[Outgoing]) -> None:
        self.calls += 1
        self.wire.update(row.campaign_id for row in rows)

    def answered(self, rows: Sequence[Outgoing], seconds: float, unanswered: int) -> None:
        """A call came back after ``seconds``; ``unanswered`` of its messages have no outcome."""
        self.calls -= 1
        self.wire.subtract(row.campaign_id for row in rows)
        self.latency = 0.8 * self.latency + 0.2 * seconds
        if len(rows) > 1:
            self.batch = max(SMALLEST_BATCH, self.batch // 2) if unanswered else min(BATCH, self.batch + 5)

    def nothing_through(self, now: float, chance: float, cause: str, surely: bool) -> None:
        """A call brought no answer: pause the Page's calls, longer each time, with ``chance`` in 0…1.

        Not ``surely`` unsent: some such calls in a row only, since each puts people in doubt and one says little.
        """
        self.lost_in_a_row += 1
        self.silence = cause
        if now < self.paused_until or not (surely or self.silent):
            return  # a call begun before the pause says nothing new
        self.pauses += 1
        longest = min(LONGEST_PAUSE, FIRST_PAUSE * 2 ** min(self.pauses, 10))
        self.paused_until = now + longest * (0.5 + 0.5 * chance)

    def got_through(self) -> None:
        self.lost_in_a_row = self.pauses = 0
        self.paused_until = float("-inf")

    @property
    def silent(self) -> bool:
        return self.lost_in_a_row >= SILENT_AFTER
