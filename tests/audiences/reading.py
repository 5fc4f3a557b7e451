"""A filter read in plain Python, one person at a time: what the SQL must agree with."""

from __future__ import annotations

import string
from datetime import datetime, timedelta
from typing import Any

from broadcaster.clock import iso, parse_instant
from tests.audiences.crowd import Someone
from tests.conftest import NOW

LOWER = str.maketrans(string.ascii_uppercase, string.ascii_lowercase)
ACCEPTED = ("sent", "delivered", "read")


def holds(given: dict[str, Any], one: Someone) -> bool:
    if "all" in given:
        return all(holds(part, one) for part in given["all"])
    if "any" in given:
        return any(holds(part, one) for part in given["any"])
    if "none" in given:
        return not any(holds(part, one) for part in given["none"])
    if "not" in given:
        return not holds(given["not"], one)
    field, op, value = given["field"], given["op"], given.get("value")
    head, _, name = field.partition(".")
    if field == "label":
        return _label(one.labels, op, value)
    if head == "campaign":
        return _outcome(one, str(value))
    if head == "interaction":
        return _did([at for kind, at in one.did if kind == name], op, value)
    have = one.attributes.get(name) if head == "attribute" else one.row[field]
    return _compare(have, op, value)


def _label(labels: set[str], op: str, value: Any) -> bool:
    if op in ("is_set", "is_not_set"):
        return bool(labels) == (op == "is_set")
    wanted = set(value) if isinstance(value, list) else {value}
    return bool(labels & wanted) == (op in ("eq", "in", "has_label"))


def _outcome(one: Someone, outcome: str) -> bool:
    sent, mark = one.delivery or {"state": "", "replied_at": None}, one.mark
    accepted = sent["state"] in ACCEPTED
    read = accepted and (sent["state"] == "read" or _reaches(mark.get("read_until"), sent))
    delivered = read or (
        accepted and (sent["state"] == "delivered" or _reaches(mark.get("delivered_until"), sent))
    )
    return {
        "sent": accepted, "not_sent": not accepted, "delivered": delivered, "read": read,
        "failed": sent["state"] == "failed", "replied": accepted and sent["replied_at"] is not None,
    }[outcome]  # fmt: skip


def _reaches(mark: datetime | None, sent: dict[str, Any]) -> bool:
    return mark is not None and sent["intent_at"] <= mark


def _did(times: list[datetime], op: str, value: Any) -> bool:
    if op in ("is_set", "is_not_set"):
        return bool(times) == (op == "is_set")
    recent = any(NOW - _span(value) <= at <= NOW for at in times)
    return recent if op == "within_last" else bool(times) and not recent


def _span(text: str) -> timedelta:
    return timedelta(hours=int(text[:-1]) * (24 if text[-1] == "d" else 1))


def _compare(have: Any, op: str, value: Any) -> bool:
    if op in ("is_set", "is_not_set"):
        return (have is not None and have != "") == (op == "is_set")
    if op in ("ne", "not_in"):
        return have != value if op == "ne" else have is None or have not in value
    if have is None:
        return False
    if op in ("within_last", "older_than"):
        since: Any = NOW - _span(value)
        until: Any = NOW
        if isinstance(have, str):
            since, until = iso(since), iso(until)
        return since <= have <= until if op == "within_last" else have < since
    if isinstance(have, datetime):
        value = parse_instant(value)
    if op in ("contains", "starts_with"):
        text, wanted = have.translate(LOWER), value.translate(LOWER)
        return wanted in text if op == "contains" else text.startswith(wanted)
    return {
        "eq": lambda: have == value, "in": lambda: have in value, "gt": lambda: have > value,
        "gte": lambda: have >= value, "lt": lambda: have < value, "lte": lambda: have <= value,
        "before": lambda: have < value, "after": lambda: have > value,
    }[op]()  # fmt: skip
