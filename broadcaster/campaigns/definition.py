"""A campaign as written in ``campaign.json`` or the composer, checked before anything is stored."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import time
from typing import Any
from zoneinfo import ZoneInfo

from broadcaster.errors import BadInput
from broadcaster.states import LatePolicy

KEYS = {
    "name",
    "page",
    "audience",
    "permission",
    "message",
    "exclude",
    "throttle_per_second",
    "quiet_hours",
    "frequency_cap",
    "canary",
    "reply_brake",
    "drift_limit_percent",
    "undo_seconds",
    "recipient_local",
    "possible_ad_window",
    "late_policy",
    "repeat",
}
OPTIONS = (
    "canary",
    "reply_brake",
    "drift_limit_percent",
    "undo_seconds",
    "recipient_local",
    "possible_ad_window",
)
MAX_THROTTLE = 300.0
"""Calls a second and Page that the platform takes at most (text)."""


@dataclass(frozen=True, slots=True)
class CampaignDraft:
    """What a person wrote. ``page`` and ``audience`` are names (or a Page id); the message is unchecked
    here, because its limits depend on the Page's platform."""

    name: str
    page: str
    audience: str
    permission: str
    message: dict[str, Any]
    exclude: tuple[str, ...] = ()
    throttle_per_second: float = 10.0
    quiet_hours: dict[str, Any] | None = None
    frequency_cap: dict[str, Any] | None = None
    options: dict[str, Any] = field(default_factory=dict)
    late_policy: LatePolicy = LatePolicy.ASK
    repeat: dict[str, Any] | None = None


def parse_campaign(given: object) -> CampaignDraft:
    """Read a campaign definition (already decoded JSON). Raises BadInput naming the key."""
    if not isinstance(given, dict):
        raise BadInput("A campaign must be a JSON object.", 'Write {"name": …, "page": …}.')
    if unknown := sorted(set(given) - KEYS):
        raise BadInput(
            f"The campaign has the unknown key {unknown[0]!r}.", f"Known: {', '.join(sorted(KEYS))}."
        )
    if not isinstance(given.get("message"), dict):
        raise BadInput("The campaign's key 'message' must be an object.", 'Write {"text": "…"}.')
    return CampaignDraft(
        name=_text(given, "name"),
        page=_text(given, "page"),
        audience=_text(given, "audience"),
        permission=_text(given, "permission"),
        message=dict(given["message"]),
        exclude=_names(given.get("exclude", [])),
        throttle_per_second=_throttle(given.get("throttle_per_second", 10)),
        quiet_hours=_quiet_hours(given.get("quiet_hours")),
        frequency_cap=_frequency_cap(given.get("frequency_cap")),
        options=_options({key: given[key] for key in OPTIONS if key in given}),
        late_policy=_late_policy(given.get("late_policy", LatePolicy.ASK)),
        repeat=_repeat(given.get("repeat")),
    )


def _text(given: Mapping[str, Any], key: str) -> str:
    value = given.get(key)
    if isinstance(value, int) and key == "page":
        value = str(value)
    if not isinstance(value, str) or not value.strip():
        raise BadInput(f"The campaign's key {key!r} is missing or empty.", f'Write "{key}": "…".')
    return value.strip()


def _names(value: Any) -> tuple[str, ...]:
    if not isinstance(value, list) or not all(isinstance(name, str) for name in value):
        raise BadInput("The campaign's key 'exclude' must be a list of audience names.", 'Write ["Name"].')
    return tuple(value)


def _throttle(value: Any) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 < value <= MAX_THROTTLE:
        raise BadInput(
            f"throttle_per_second is {value!r}.",
            f"Give messages per second, above 0 and at most {MAX_THROTTLE:.0f}.",
        )
    return float(value)


def _quiet_hours(value: Any) -> dict[str, Any] | None:
    if value is None:
        return None
    if not isinstance(value, dict) or set(value) - {"from", "to", "timezone", "fallback"}:
        raise BadInput(
            "quiet_hours must have from, to and timezone.",
            'Write {"from": "21:00", "to": "08:00", "timezone": "recipient"}.',
        )
    for key in ("from", "to"):
        _clock_time(value.get(key), f"quiet_hours.{key}")
    for key in ("timezone", "fallback"):
        zone = value.get(key, "recipient" if key == "timezone" else "UTC")
        if not (key == "timezone" and zone == "recipient"):
            check_zone(zone, f"quiet_hours.{key}")
    return {"timezone": "recipient", **value}


def _clock_time(value: Any, where: str) -> time:
    try:
        return time.fromisoformat(str(value))
    except ValueError as error:
        raise BadInput(f"{where} is {value!r}, which is not a time of day.", "Write HH:MM.") from error


def check_zone(name: Any, where: str) -> ZoneInfo:
    """The zone of that name. Raises BadInput saying where it was asked for."""
    try:
        return ZoneInfo(str(name))
    except (ValueError, OSError, KeyError) as error:
        raise BadInput(
            f"{where} is {name!r}, which is not a time zone.", "Write a name like Europe/Berlin."
        ) from error


def _frequency_cap(value: Any) -> dict[str, Any] | None:
    if value is None:
        return None
    fits = isinstance(value, dict) and set(value) == {"max", "per"}
    if not fits or not isinstance(value["max"], int) or value["max"] < 1:
        raise BadInput("frequency_cap must have max and per.", 'Write {"max": 2, "per": "7d"}.')
    if not re.fullmatch(r"\d{1,4}[hd]", str(value["per"])):
        raise BadInput(f"frequency_cap.per is {value['per']!r}.", 'Write "24h" or "7d".')
    return dict(value)


def _options(options: dict[str, Any]) -> dict[str, Any]:
    canary = options.get("canary")
    if canary is not None and (
        not isinstance(canary, dict)
        or set(canary) - {"first", "percent", "wait_minutes", "max_failure_percent"}
        or ("first" in canary) == ("percent" in canary)
    ):
        raise BadInput(
            "canary must have first or percent, wait_minutes and max_failure_percent.",
            'Write {"first": 25, "wait_minutes": 10, "max_failure_percent": 5}.',
        )
    for key in ("drift_limit_percent", "undo_seconds"):
        value = options.get(key, 0)
        if isinstance(value, bool) or not isinstance(value, int | float) or value < 0:
            raise BadInput(f"{key} is {value!r}.", "Give a number from 0.")
    for key in ("reply_brake", "recipient_local", "possible_ad_window"):
        if not isinstance(options.get(key, False), bool):
            raise BadInput(f"{key} must be true or false.", "Change it.")
    return options


def _late_policy(value: Any) -> LatePolicy:
    try:
        return LatePolicy(value)
    except ValueError as error:
        raise BadInput(f"late_policy is {value!r}.", f"Known: {', '.join(LatePolicy)}.") from error


def _repeat(value: Any) -> dict[str, Any] | None:
    if value is None:
        return None
    fits = isinstance(value, dict) and value.get("every") in ("day", "week", "month")
    if not fits or ("until" in value) == ("times" in value):
        raise BadInput(
            "repeat needs every (day, week, month) and an end: until or times.",
            'Write {"every": "week", "times": 4}.',
        )
    return dict(value)
