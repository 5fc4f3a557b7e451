"""Quiet hours: wall time in a campaign's zone or in each person's own."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta
from typing import Any

from broadcaster.errors import BadInput
from broadcaster.zones import known_zones, zone_info

RECIPIENT = "recipient"
_LONGEST = 2 * 24 * 60


@dataclass(frozen=True, slots=True)
class QuietHours:
    """From ``begins`` (counts) to ``ends`` (does not) by the clock on the wall; over midnight if later.

    ``zone`` is an IANA name or ``recipient``; ``fallback`` stands in for people whose zone is not known.
    """

    begins: time
    ends: time
    zone: str = RECIPIENT
    fallback: str = "UTC"

    @classmethod
    def parse(cls, given: Mapping[str, Any]) -> QuietHours:
        """From ``{"from": "21:00", "to": "08:00", "timezone": …, "fallback": …}``. Raises BadInput."""
        try:
            begins, ends = (time.fromisoformat(str(given[key])) for key in ("from", "to"))
        except (KeyError, ValueError) as error:
            raise BadInput("The quiet hours need a 'from' and a 'to'.", "Write times like 21:00.") from error
        zone, fallback = str(given.get("timezone", RECIPIENT)), str(given.get("fallback", "UTC"))
        for name in (zone, fallback):
            if name != RECIPIENT and name not in known_zones():
                raise BadInput(f"There is no time zone {name!r}.", "Write a name like Europe/Berlin.")
        return cls(
            begins.replace(second=0, microsecond=0), ends.replace(second=0, microsecond=0), zone, fallback
        )

    @property
    def by_recipient(self) -> bool:
        return self.zone == RECIPIENT

    def zone_of(self, contact_zone: str | None) -> str:
        """The zone that counts for a person."""
        if not self.by_recipient:
            return self.zone
        return contact_zone if contact_zone in known_zones() else self.fallback

    def quiet_in(self, zone: str, at: datetime) -> bool:
        """Is it quiet there at that instant? ``zone`` is one of the known zones."""
        wall = at.astimezone(zone_info(zone)).time()
        if self.begins <= self.ends:
            return self.begins <= wall < self.ends
        return wall >= self.begins or wall < self.ends

    def zones(self, at: datetime, quiet: bool) -> list[str]:
        """All known zones where it is quiet (or not) at that instant."""
        return [zone for zone in sorted(known_zones()) if self.quiet_in(zone, at) == quiet]

    def ends_at(self, contact_zone: str | None, at: datetime) -> datetime:
        """When it is not quiet for a person any more, if it is at ``at``."""
        quiet = self.quiet_in(self.zone_of(contact_zone), at)
        return (self.flips_at(contact_zone, at) or at) if quiet else at

    def flips_at(self, contact_zone: str | None, at: datetime) -> datetime | None:
        """The first full minute after ``at`` when quiet becomes not quiet or the other way; None: never."""
        zone = self.zone_of(contact_zone)
        now = self.quiet_in(zone, at)
        # every zone is a whole number of quarters away from UTC: quarters are exact where the hours are
        step = 15 if self.begins.minute % 15 == self.ends.minute % 15 == 0 else 1
        moment = at.astimezone(UTC).replace(second=0, microsecond=0)
        moment -= timedelta(minutes=moment.minute % step)
        for _ in range(0, _LONGEST, step):
            moment += timedelta(minutes=step)
            if self.quiet_in(zone, moment) != now:
                return moment
        return None
