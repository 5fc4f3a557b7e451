"""The filter: a tree of *all / any / not* over conditions, read from JSON with the place of every mistake."""

from __future__ import annotations

import difflib
import re
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Any

from broadcaster.clock import parse_instant
from broadcaster.contacts.attributes import AttributeDef
from broadcaster.errors import BadInput
from broadcaster.states import AttributeType, InteractionKind

MAX_DEPTH = 100
TEXT_FIELDS = ("psid", "first_name", "last_name", "locale", "timezone", "source", "entry_ref")
TIME_FIELDS = (
    "last_interaction_at",
    "last_message_at",
    "created_at",
    "updated_at",
    "opted_out_at",
    "last_sent_at",
)
FLAG_FIELDS = ("opted_out", "unreachable")
OUTCOMES = ("sent", "delivered", "read", "failed", "not_sent", "replied")

_ANY = {"is_set", "is_not_set"}
_SAME = {"eq", "ne", "in", "not_in"}
_ORDER = {"gt", "gte", "lt", "lte"}
_SPAN = {"within_last", "older_than"}
OPS: Mapping[str, frozenset[str]] = {
    "text": frozenset(_ANY | _SAME | _ORDER | {"contains", "starts_with"}),
    "number": frozenset(_ANY | _SAME | _ORDER),
    "date": frozenset(_ANY | _SAME | _ORDER | _SPAN | {"before", "after"}),
    "time": frozenset(_ANY | _ORDER | _SPAN | {"before", "after"}),
    "flag": frozenset(_ANY | {"eq", "ne"}),
    "label": frozenset(_ANY | _SAME | {"has_label"}),
    "campaign": frozenset({"was"}),
    "audience": frozenset(_SAME),
    "interaction": frozenset(_ANY | _SPAN),
    "random": frozenset({"lt", "gte"}),
}
"""What each kind of field can be asked."""


@dataclass(frozen=True, slots=True)
class Condition:
    """``kind`` is a key of OPS. ``value`` is typed: text, number, flag, instant, span, or a tuple of them."""

    field: str
    op: str
    value: Any
    kind: str


@dataclass(frozen=True, slots=True)
class Group:
    """``all`` (everybody when empty), ``any`` (nobody when empty) or ``not`` (one part)."""

    mode: str
    parts: tuple[Filter, ...]


Filter = Condition | Group


def parse(given: object, definitions: Mapping[str, AttributeDef]) -> Filter:
    """Read a filter over the fields of one Page. Raises BadInput naming the place and the mend."""
    return _tree(given, definitions, "filter", 0)


def parse_shape(given: object) -> None:
    """Check the shape alone, where the Page's attributes are not at hand. Raises BadInput."""
    _tree(given, None, "filter", 0)


def conditions(tree: Filter) -> Iterator[Condition]:
    """Every condition of a tree."""
    if isinstance(tree, Condition):
        yield tree
    else:
        for part in tree.parts:
            yield from conditions(part)


def in_words(tree: Filter) -> str:
    """The filter as a sentence."""
    if isinstance(tree, Condition):
        return _condition_words(tree)
    if not tree.parts:
        return "everybody" if tree.mode == "all" else "nobody"
    parts = [in_words(part) if isinstance(part, Condition) else f"({in_words(part)})" for part in tree.parts]
    if tree.mode == "not":
        return f"not {parts[0]}"
    return (" and " if tree.mode == "all" else " or ").join(parts)


def _tree(given: object, definitions: Mapping[str, AttributeDef] | None, path: str, depth: int) -> Filter:
    if depth > MAX_DEPTH:
        raise BadInput(f"The filter is nested more than {MAX_DEPTH} deep.", "Split it into saved audiences.")
    if not isinstance(given, dict):
        raise BadInput(f"At {path}: a filter must be an object.", 'Write {"all": [...]} or a condition.')
    modes = [mode for mode in ("all", "any", "none", "not") if mode in given]
    if len(modes) == 1 and len(given) == 1:
        return _group(modes[0], given[modes[0]], definitions, path, depth)
    if set(given) - {"field", "op", "value"} or "field" not in given or "op" not in given:
        raise BadInput(
            f"At {path}: neither a group nor a condition.",
            'Write {"all": [...]}, {"any": [...]}, {"not": {...}} or {"field": F, "op": O, "value": V}.',
        )
    return _condition(given, definitions, path)


def _group(
    mode: str, given: object, definitions: Mapping[str, AttributeDef] | None, path: str, depth: int
) -> Filter:
    if mode == "not":
        return Group("not", (_tree(given, definitions, f"{path}.not", depth + 1),))
    if not isinstance(given, list):
        raise BadInput(f"At {path}.{mode}: this must be a list.", f'Write {{"{mode}": [...]}}.')
    parts = tuple(
        _tree(part, definitions, f"{path}.{mode}[{number}]", depth + 1) for number, part in enumerate(given)
    )
    if mode == "none":
        return Group("not", (Group("any", parts),))
    return Group(mode, parts)


def _condition(given: dict[str, Any], definitions: Mapping[str, AttributeDef] | None, path: str) -> Condition:
    field, op = str(given["field"]), str(given["op"])
    kind = _kind(field, definitions, path)
    if op not in OPS[kind]:
        raise BadInput(
            f"At {path}: {field!r} cannot be asked {op!r}.", f"Known here: {', '.join(sorted(OPS[kind]))}."
        )
    return Condition(field, op, _value(kind, op, given.get("value"), path), kind)


def _kind(field: str, definitions: Mapping[str, AttributeDef] | None, path: str) -> str:
    for kind, names in (("text", TEXT_FIELDS), ("time", TIME_FIELDS), ("flag", FLAG_FIELDS)):
        if field in names:
            return kind
    if field in ("label", "audience", "random"):
        return field
    head, _, name = field.partition(".")
    if head == "campaign" and name:
        return "campaign"
    if head == "interaction" and name in set(InteractionKind):
        return "interaction"
    if head == "attribute" and name and (definitions is None or name in definitions):
        return "text" if definitions is None else _attribute_kind(definitions[name].type)
    raise _unknown(field, definitions or {}, path)


def _attribute_kind(type_: AttributeType) -> str:
    return {AttributeType.NUMBER: "number", AttributeType.DATE: "date", AttributeType.YES_NO: "flag"}.get(
        type_, "text"
    )


def _unknown(field: str, definitions: Collection[str], path: str) -> BadInput:
    known = [*TEXT_FIELDS, *TIME_FIELDS, *FLAG_FIELDS, "label", "audience", "random"]
    known += [f"attribute.{name}" for name in definitions]
    near = difflib.get_close_matches(field, known, 3) or difflib.get_close_matches(
        f"attribute.{field}", known, 3
    )
    hint = f"Did you mean {' or '.join(near)}?" if near else f"Known: {', '.join(known)}."
    return BadInput(f"At {path}: there is no field {field!r}.", hint)


def _value(kind: str, op: str, value: Any, path: str) -> Any:
    if op in ("is_set", "is_not_set"):
        return None
    if op in ("in", "not_in"):
        if not isinstance(value, list):
            raise BadInput(f"At {path}: {op!r} needs a list of values.", 'Write "value": [...].')
        return tuple(_single(kind, one, path) for one in value)
    if op in ("within_last", "older_than"):
        return span(value, path)
    return _single(kind, value, path)


def _single(kind: str, value: Any, path: str) -> Any:
    reader = {
        "number": _number,
        "flag": _flag,
        "time": _time,
        "date": _date,
        "campaign": _outcome,
        "random": _share,
    }
    return reader.get(kind, _text)(value, path)


def _text(value: Any, path: str) -> str:
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        raise BadInput(f"At {path}: the value {value!r} is not a text.", 'Write "value": "…".')
    return str(value)


def _number(value: Any, path: str) -> float:
    try:
        if isinstance(value, bool):
            raise TypeError
        return float(value)
    except (TypeError, ValueError) as error:
        raise BadInput(f"At {path}: the value {value!r} is not a number.", "Write a number.") from error


def _flag(value: Any, path: str) -> bool:
    if isinstance(value, bool):
        return value
    if str(value).lower() in ("true", "false"):
        return str(value).lower() == "true"
    raise BadInput(f"At {path}: the value {value!r} is neither true nor false.", "Write true or false.")


def _time(value: Any, path: str) -> datetime:
    try:
        text = str(value)
        if re.fullmatch(r"\d{4}-\d\d-\d\d", text):
            return datetime.combine(date.fromisoformat(text), time(), UTC)
        return parse_instant(text)
    except ValueError as error:
        raise BadInput(
            f"At {path}: the value {value!r} is not a time with an offset.",
            "Write 2026-11-20T09:00:00+01:00.",
        ) from error


def _date(value: Any, path: str) -> str:
    """Dates of attributes are kept and compared as ISO text."""
    return _time(value, path).strftime("%Y-%m-%d" if len(str(value)) == 10 else "%Y-%m-%dT%H:%M:%SZ")


def _outcome(value: Any, path: str) -> str:
    if value not in OUTCOMES:
        raise BadInput(f"At {path}: {value!r} is no outcome of a campaign.", f"Known: {', '.join(OUTCOMES)}.")
    return str(value)


def _share(value: Any, path: str) -> tuple[float, int]:
    """A share in percent, with a seed so that two splits are independent: 10 or {"percent": 10, "seed": 3}."""
    given = value if isinstance(value, dict) else {"percent": value}
    percent, seed = given.get("percent"), given.get("seed", 0)
    fits = isinstance(percent, int | float) and not isinstance(percent, bool) and 0 <= percent <= 100
    if not fits or not isinstance(seed, int) or abs(seed) > 1_000_000:
        raise BadInput(f"At {path}: {value!r} is no share.", 'Write 10 or {"percent": 10, "seed": 1}.')
    return float(percent or 0), seed


def span(value: Any, path: str) -> timedelta:
    """``"24h"`` or ``"7d"``. Raises BadInput."""
    found = re.fullmatch(r"(\d{1,6})([hd])", str(value))
    if not found:
        raise BadInput(f"At {path}: {value!r} is no span of time.", 'Write "24h" or "7d".')
    return timedelta(hours=int(found[1]) * (24 if found[2] == "d" else 1))


_OP_WORDS = {
    "eq": "is", "ne": "is not", "in": "is one of", "not_in": "is none of", "contains": "contains",
    "starts_with": "starts with", "gt": "is more than", "gte": "is at least", "lt": "is less than",
    "lte": "is at most", "before": "is before", "after": "is after", "within_last": "is within the last",
    "older_than": "is longer ago than", "is_set": "is known", "is_not_set": "is not known", "has_label": "is",
    "was": "was",
}  # fmt: skip


def _condition_words(condition: Condition) -> str:
    if condition.kind == "random":
        percent, seed = condition.value
        share = f"a random {percent:g} %" if condition.op == "lt" else f"all but a random {percent:g} %"
        return f"{share} (split {seed})" if seed else share
    name = condition.field.removeprefix("attribute.").removeprefix("campaign.").replace("_", " ")
    if condition.kind == "campaign":
        return f"“{name}” was {str(condition.value).replace('_', ' ')}"
    words = f"{name} {_OP_WORDS[condition.op]}"
    return words if condition.value is None else f"{words} {_value_words(condition.value)}"


def _value_words(value: Any) -> str:
    if isinstance(value, tuple):
        return ", ".join(_value_words(one) for one in value)
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, timedelta):
        hours = int(value.total_seconds() // 3600)
        return f"{hours // 24} days" if hours % 24 == 0 and hours > 24 else f"{hours} hours"
    if isinstance(value, datetime):
        return f"{value:%d %b %Y %H:%M} UTC"
    return f"{value:g}" if isinstance(value, float) else f"“{value}”"
