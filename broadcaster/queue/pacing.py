"""The pace of one Page: one budget for everything it sends, exact in every one-second window.

Each message costs a share of a second: a text 1/limit, media (audio, video, images) at least 1/10.
The shares granted in any one-second window never exceed one. A grant counts from the instant its last
call really began, and later still where the answer came later than answers can, or does not come: on a
busy computer or line, late calls would else meet those after them. The load is evened out: after a grant
the next one waits until the granted shares have passed. Knows no clock and no database: the caller gives the instant, in seconds of
any clock that does not go back.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

TEXT_CEILING = 300.0
MEDIA_CEILING = 10.0
"""Calls a second and Page that the platform takes at most (Meta, Messenger rate limits)."""

INBOX_FREEZES_ABOVE = 40.0
"""Above this the Page's inbox stops showing messages; single calls are used up to here."""

DEFAULT_PER_SECOND = 10.0

STRETCH = 1.02
"""Windows are kept this much longer than a second: calls granted apart may arrive closer together."""

SLOWER = 1.02
"""By this factor the quickest answer is forgotten with every answer: lines change."""

CREDIT = 0.1
"""Seconds by which a late grant may be made up for, so that waking late does not cost pace."""

BEGINS_WITHIN = 30.0
"""Seconds after which a call that was granted but has not begun is not begun any more."""

ANSWERED_WITHIN = 5.0
"""Seconds after which a call that began has arrived or never will, answered or not."""

ASK_AGAIN = 0.02
"""Seconds between questions whether calls have come back whose time is over."""

SLOW_FROM, STOP_AT = 80, 100
"""Percent of the platform's quota: from the first on slower, at the second a tenth of the pace."""


def page_limit(own: float, campaigns: list[float]) -> float:
    """Messages a second for a Page in total, however many campaigns run on it.

    The pace of a campaign is part of what was approved, and forecasts reckon with it: the fastest one's holds
    for the Page, and the others share it (two of 10/s send 10/s together). A campaign that names none has
    ``DEFAULT_PER_SECOND``. A Page set to something else is never above that, and no Page above the ceiling.
    """
    fastest = max(campaigns, default=own)
    limit = fastest if own == DEFAULT_PER_SECOND else min(own, fastest)
    return min(max(limit, 0.01), TEXT_CEILING)


def slowed(limit: float, usage_percent: int) -> float:
    """The limit under the platform's quota in use: falls evenly from 80 % on to a tenth at 100 %."""
    if usage_percent < SLOW_FROM:
        return limit
    share = min(1.0, (usage_percent - SLOW_FROM) / (STOP_AT - SLOW_FROM))
    return limit * (1.0 - 0.9 * share)


def cost_of(limit: float, media: bool) -> float:
    """Seconds of the Page's budget that one message takes."""
    return 1.0 / min(limit, MEDIA_CEILING) if media else 1.0 / limit


@dataclass(slots=True)
class Grant:
    """A share of the Page's second that was given away."""

    at: float
    share: float
    waiting: int = 0
    """Calls of it that have not begun."""
    id: str = ""
    """Names it where workers share a pace, so that each can tell of its own."""
    awaited: int = 0
    """Calls that began and may not have arrived, as no answer has come."""

    def counts(self, now: float) -> bool:
        return now < self.ends

    @property
    def ends(self) -> float:
        """From when on it counts no more, if nothing more is told of it."""
        if self.waiting > 0:
            return self.at + BEGINS_WITHIN
        if self.awaited > 0:
            return self.at + ANSWERED_WITHIN
        return self.at + max(STRETCH, self.share)

    def ask_at(self, now: float) -> float:
        """When to ask again whether it counts."""
        return max(self.at + STRETCH, now + ASK_AGAIN) if self.waiting or self.awaited else self.ends


@dataclass(slots=True)
class Line:
    """How quick answers can be, as the last ones showed: what took longer than that may have arrived late."""

    quickest: float = float("inf")
    """Seconds that the quickest of the last answers took."""

    def begins(self, grant: Grant, now: float) -> None:
        """A call of that grant begins. Where answers never come within a second, they are not waited for."""
        grant.at = max(grant.at, now)
        grant.waiting -= 1
        grant.awaited += not STRETCH <= self.quickest < float("inf")

    def answered(self, grant: Grant, now: float, seconds: float) -> None:
        """A call of that grant is answered, after ``seconds``: it arrived no later than the quickest answers
        take. The first answer, late as it often is, shows nothing yet: its call may have arrived just now."""
        known = self.quickest < float("inf")
        self.quickest = min(seconds, self.quickest * SLOWER)
        grant.at = max(grant.at, now - self.quickest if known else now)
        grant.awaited = max(0, grant.awaited - 1)


@dataclass(slots=True)
class Pacer:
    """What was granted lately and from when the next grant may come."""

    grants: list[Grant] = field(default_factory=list)
    free_at: float = float("-inf")

    def room(self, now: float, cost: float, most: int) -> int:
        """How many messages of ``cost`` may go at ``now``, at most ``most``."""
        if now < self.free_at - 1e-9:
            return 0
        self._forget(now)
        if not self.grants:
            return min(most, max(1, int(1.0 / cost + 1e-9)))
        return max(0, min(most, int((1.0 - self._used()) / cost + 1e-9)))

    def take(self, now: float, cost: float, count: int, calls: int = 0) -> Grant:
        """Note that ``count`` messages go at ``now``, or in ``calls`` of which each will say that it begins."""
        grant = Grant(now, cost * count, calls)
        if not count:
            return grant
        self.grants.append(grant)
        self.free_at = max(self.free_at, now - CREDIT) + cost * count * STRETCH
        return grant

    def wait(self, now: float) -> float:
        """Seconds until there may be room again (0: now)."""
        self._forget(now)
        waits = [self.free_at - now]
        if self._used() > 1.0 - 1e-9:
            waits.append(min(grant.ask_at(now) for grant in self.grants) - now)
        return max(0.0, *waits)

    def dump(self, now: float) -> dict[str, Any]:
        """As JSON, for workers that share a pace through the database."""
        self._forget(now)
        return {
            "grants": [
                [grant.at, grant.share, grant.waiting, grant.id, grant.awaited] for grant in self.grants
            ],
            "free_at": self.free_at if self.grants else None,
        }

    @classmethod
    def load(cls, state: dict[str, Any] | None) -> Pacer:
        if not state:
            return cls()
        free_at = state.get("free_at")
        grants = [Grant(*given) for given in state.get("grants", ())]
        return cls(grants, float("-inf") if free_at is None else float(free_at))

    def _used(self) -> float:
        return sum(grant.share for grant in self.grants)

    def _forget(self, now: float) -> None:
        self.grants = [grant for grant in self.grants if grant.counts(now)]
