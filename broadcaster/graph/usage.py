"""How much of Meta's quota is used, read from the headers of every answer."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from email.utils import parsedate_to_datetime
from typing import Any

PLAIN_HEADERS = ("X-App-Usage", "X-Page-Usage")
BUSINESS_HEADER = "X-Business-Use-Case-Usage"
_SHARES = ("call_count", "total_cputime", "total_time")


@dataclass(frozen=True, slots=True)
class Usage:
    """``percent``: the highest share of any limit in use (0 when nothing was said).

    ``regain_minutes``: how long the platform asks to wait; 0 when it does not.
    """

    percent: int = 0
    regain_minutes: int = 0


def usage_of(headers: Mapping[str, str]) -> Usage | None:
    """Usage from the rate-limit headers; None when the answer carried none (Meta leaves them out when low)."""
    rows = list(_rows(headers))
    if not rows:
        return None
    percent = max((_number(row.get(name)) for row in rows for name in _SHARES), default=0)
    return Usage(percent, max(_number(row.get("estimated_time_to_regain_access")) for row in rows))


def server_time(headers: Mapping[str, str]) -> datetime | None:
    """The server's ``Date``, to the second; None when it is missing or unreadable."""
    text = headers.get("Date")
    if not text:
        return None
    try:
        found = parsedate_to_datetime(text)
    except ValueError:
        return None
    return found if found.tzinfo else None


def _rows(headers: Mapping[str, str]) -> Iterator[dict[str, Any]]:
    for name in PLAIN_HEADERS:
        value = _json(headers.get(name))
        if isinstance(value, dict):
            yield value
    business = _json(headers.get(BUSINESS_HEADER))
    if isinstance(business, dict):
        for rows in business.values():
            yield from (row for row in rows if isinstance(row, dict)) if isinstance(rows, list) else ()


def _json(text: str | None) -> Any:
    try:
        return json.loads(text) if text else None
    except ValueError:
        return None


def _number(value: Any) -> int:
    return int(value) if isinstance(value, int | float) else 0
