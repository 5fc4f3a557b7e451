"""When a person's quiet hours end."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, time, timedelta, timezone, tzinfo
from typing import Any
from zoneinfo import ZoneInfo


def zone_of(name: str | None, fallback: str = "UTC") -> tzinfo:
    """A zone by IANA name or offset (``+02:00``); ``fallback`` where it cannot be read."""
    if not name:
        return ZoneInfo(fallback)
    try:
        return ZoneInfo(name)
    except (ValueError, OSError):
        pass
    try:
        hours, minutes = name.lstrip("+-").split(":")
        offset = timedelta(hours=int(hours), minutes=int(minutes))
        return timezone(-offset if name.startswith("-") else offset)
    except ValueError:
        return ZoneInfo(fallback)


def quiet_until(quiet_hours: Mapping[str, Any], contact_zone: str | None, at: datetime) -> datetime:
    """The instant at or after ``at`` when the quiet hours holding at ``at`` are over (UTC)."""
    fallback = str(quiet_hours.get("fallback", "UTC"))
    chosen = str(quiet_hours.get("timezone", "recipient"))
    zone = zone_of(contact_zone, fallback) if chosen == "recipient" else zone_of(chosen, fallback)
    ends = time.fromisoformat(str(quiet_hours["to"]))
    local = at.astimezone(zone)
    end = instant_of(datetime.combine(local.date(), ends), zone)
    if end <= at:
        end = instant_of(datetime.combine(local.date() + timedelta(days=1), ends), zone)
    return end


def instant_of(wall: datetime, zone: tzinfo) -> datetime:
    """A wall time as an instant. In a spring gap the clock has moved on; of a double hour, the first."""
    return wall.replace(tzinfo=zone, fold=0).astimezone(UTC)
