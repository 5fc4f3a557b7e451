"""Time zones of people: by name or by offset, and wall times as instants."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta, timezone, tzinfo
from functools import cache
from zoneinfo import ZoneInfo, available_timezones

_OFFSET = re.compile(r"([+-])(\d\d):(00|15|30|45)$")


@cache
def known_zones() -> frozenset[str]:
    """Every zone a person can have: IANA names, and offsets of whole quarters like ``+05:30``."""
    quarters = range(-12 * 4, 14 * 4 + 1)
    offsets = (f"{'-' if q < 0 else '+'}{abs(q) // 4:02d}:{abs(q) % 4 * 15:02d}" for q in quarters)
    return frozenset(available_timezones()) | frozenset(offsets) | {"-00:00"}


@cache
def zone_info(zone: str) -> tzinfo:
    """A known zone's rules."""
    offset = _OFFSET.match(zone)
    if offset is None:
        return ZoneInfo(zone)
    sign = -1 if offset.group(1) == "-" else 1
    return timezone(sign * timedelta(hours=int(offset.group(2)), minutes=int(offset.group(3))))


def zone_of(name: str | None, fallback: str = "UTC") -> tzinfo:
    """The rules of a person's zone; those of ``fallback`` where it is not known."""
    return zone_info(name if name in known_zones() else fallback)


def instant_of(wall: datetime, zone: tzinfo) -> datetime:
    """A wall time as an instant. In a spring gap the clock has moved on; of a double hour, the first."""
    return wall.replace(tzinfo=zone, fold=0).astimezone(UTC)
