"""How fast is too fast: sliding seconds in real time, the daily budget, the usage headers (section 4)."""

from __future__ import annotations

import json
import math
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass

from broadcaster.sandbox.clock import SandboxClock
from broadcaster.sandbox.refusals import Refusal, refusal

SLACK = 1.1
INBOX_FREEZE_PER_SECOND = 40
BUDGET_PER_PERSON = 200


class Meter:
    """Counts in the last second of ``seconds()``. ``peak`` is the largest count ever seen in one second."""

    def __init__(self, seconds: Callable[[], float]) -> None:
        self._seconds = seconds
        self._times: deque[float] = deque()
        self.peak = 0

    def count(self) -> int:
        now = self._seconds()
        while self._times and self._times[0] <= now - 1.0:
            self._times.popleft()
        return len(self._times)

    def add(self) -> None:
        self._times.append(self._seconds())
        self.peak = max(self.peak, self.count())


@dataclass
class Usage:
    """Percentages that the headers show on top of what is counted; set by hand in tests."""

    call_count: int = 0
    total_cputime: int = 0
    total_time: int = 0


class Limits:
    """One Page's limits. ``per_second`` may be changed; ``enforced`` False lets everything through.

    Seconds are real ones, whatever the sandbox clock shows; a test may put its own count into ``seconds``.

    A second may hold a tenth more than its limit (and at least one call), since calls that left the
    sender evenly arrive a little unevenly.
    """

    def __init__(
        self, people: Callable[[], int], clock: SandboxClock, page_id: str, *, instagram: bool
    ) -> None:
        self._people = people
        self._clock = clock
        self._page_id = page_id
        self._instagram = instagram
        self._hours: dict[int, int] = {}
        self.enforced = True
        self.per_second = {"text": 300, "media": 10, "conversations": 2}
        self.seconds: Callable[[], float] = time.monotonic
        self.meters = {name: Meter(lambda: self.seconds()) for name in (*self.per_second, "accepted")}
        self.app_usage = Usage()
        self.page_usage = Usage()
        self.regain_minutes = 1
        self.limited_until = 0.0

    def take(self, kind: str) -> None:
        """Count one call of a kind; raises the platform's refusal when the second or the day is full."""
        self._count_hour()
        meter = self.meters[kind]
        meter.add()
        if not self.enforced:
            return
        if meter.count() > math.ceil(self.per_second[kind] * SLACK):
            raise self.limited("instagram_limit" if self._instagram else "call_limit")
        if self.day_percent() > 100:
            raise self.limited("messenger_limit")

    def limited(self, name: str, minutes: int | None = None) -> Refusal:
        """The refusal, with the header's waiting time switched on for the coming answers."""
        self.limited_until = self.seconds() + 1.0
        if minutes is not None:
            self.regain_minutes = minutes
        return refusal(name)

    def inbox_frozen(self) -> bool:
        """Above 40 accepted messages a second the inbox, and the listing, stop (section 4)."""
        return self.enforced and self.meters["accepted"].count() > INBOX_FREEZE_PER_SECOND

    def day_percent(self) -> int:
        now = self._clock.ms() // 3_600_000
        used = sum(count for hour, count in self._hours.items() if now - 24 < hour <= now)
        return used * 100 // max(1, BUDGET_PER_PERSON * self._people())

    def headers(self) -> dict[str, str]:
        """Usage headers; absent while there is nothing worth telling, as on the platform."""
        headers = {}
        app, page = self.app_usage, self.page_usage
        if app.call_count or app.total_cputime or app.total_time:
            headers["X-App-Usage"] = json.dumps(vars(app), separators=(",", ":"))
        limited = self.seconds() < self.limited_until
        calls = max(page.call_count, self.day_percent(), 100 if limited else 0)
        if calls or page.total_cputime or page.total_time:
            row = {
                "type": "instagram" if self._instagram else "messenger",
                "call_count": calls,
                "total_cputime": page.total_cputime,
                "total_time": page.total_time,
                "estimated_time_to_regain_access": self.regain_minutes if limited else 0,
            }
            headers["X-Business-Use-Case-Usage"] = json.dumps({self._page_id: [row]}, separators=(",", ":"))
        return headers

    def _count_hour(self) -> None:
        hour = self._clock.ms() // 3_600_000
        if hour not in self._hours:
            self._hours = {old: count for old, count in self._hours.items() if old > hour - 24}
            self._hours[hour] = 0
        self._hours[hour] += 1
