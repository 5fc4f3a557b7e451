"""The columns of the people's table."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from broadcaster.states import AttributeType
from ui import text
from ui.i18n import tr
from ui.models import Column
from ui.models.window_clock import window_clock

WINDOW = "window"


def columns(
    now: Callable[[], datetime], zone: Callable[[], ZoneInfo], attributes: Mapping[str, str] | None = None
) -> list[Column]:
    """Times are written in ``zone()`` as seen at ``now()``; ``attributes``: own ones, name → type."""

    def moment(name: str) -> Callable[[Any], str]:
        return lambda row: text.when(getattr(row, name), zone(), now())

    def full(name: str) -> Callable[[Any], str]:
        return lambda row: text.full_time(getattr(row, name), zone())

    return [
        Column(
            "name",
            tr("Name"),
            lambda row: text.person_name(row.first_name, row.last_name, row.psid),
            sort="last_name",
            width=200,
        ),
        Column(
            WINDOW,
            tr("24-hour window"),
            lambda row: window_clock(row.last_interaction_at, now()).words,
            sort="last_interaction_at",
            tip=full("last_interaction_at"),
            tone=lambda row: window_clock(row.last_interaction_at, now()).tone,
            clock=lambda row: window_clock(row.last_interaction_at, now()),
            width=190,
        ),
        Column(
            "state",
            tr("State"),
            lambda row: _state(row)[0],
            sort="state",
            tone=lambda row: _state(row)[1],
            width=100,
        ),
        Column(
            "last_interaction_at",
            tr("Last action"),
            moment("last_interaction_at"),
            sort="last_interaction_at",
            tip=full("last_interaction_at"),
            width=140,
        ),
        Column("locale", tr("Language"), lambda row: row.locale or text.NONE, sort="locale", width=80),
        Column(
            "timezone",
            tr("Time zone"),
            lambda row: row.timezone or text.NONE,
            sort="timezone",
            shown=False,
        ),
        Column("psid", tr("Id (PSID)"), lambda row: row.psid, sort="psid", width=180),
        Column(
            "labels", tr("Labels"), lambda row: ", ".join(row.labels) or text.NONE, sort="labels", width=160
        ),
        Column(
            "entry_ref",
            tr("Came from (ref)"),
            lambda row: row.entry_ref or text.NONE,
            sort="entry_ref",
            shown=False,
        ),
        Column("source", tr("Known from"), lambda row: source_word(row.source), sort="source", shown=False),
        Column(
            "created_at",
            tr("Known since"),
            moment("created_at"),
            sort="created_at",
            tip=full("created_at"),
            shown=False,
        ),
        *(_attribute(name, kind) for name, kind in (attributes or {}).items()),
    ]


def _attribute(name: str, kind: str) -> Column:
    """A column for one of the Page's own attributes."""
    number = kind == AttributeType.NUMBER

    def words(row: Any) -> str:
        value = row.attributes.get(name)
        if value is None:
            return text.NONE
        if isinstance(value, bool):
            return tr("yes") if value else tr("no")
        return text.number(value, 0 if float(value).is_integer() else 2) if number else str(value)

    key = f"attribute.{name}"
    return Column(key, name, words, sort=key, numeric=number, shown=False)


def _state(row: Any) -> tuple[str, str | None]:
    if row.opted_out:
        return tr("Opted out"), "bad"
    if row.unreachable:
        return tr("Unreachable"), "warn"
    return text.NONE, "muted"


def source_word(source: str | None) -> str:
    return {
        "webhook": tr("webhook"),
        "sync": tr("sync"),
        "import": tr("import"),
        "hand": tr("by hand"),
        "sender": tr("sending"),
    }.get(source or "", text.NONE)


def quick_filters() -> dict[str, tuple[str, dict[str, Any]]]:
    """Key → words and the filter behind them."""

    def opened(op: str, span: str) -> dict[str, Any]:
        return {"field": "last_interaction_at", "op": op, "value": span}

    return {
        "everyone": (tr("Everyone"), {"all": []}),
        "open": (tr("Window open"), {"all": [opened("within_last", "24h")]}),
        "closing": (
            tr("Closing within 3 hours"),
            {"all": [opened("within_last", "24h"), opened("older_than", "21h")]},
        ),
        "closed": (tr("Window closed"), {"all": [opened("older_than", "24h")]}),
        "never": (
            tr("Never opened a window"),
            {"all": [{"field": "last_interaction_at", "op": "is_not_set"}]},
        ),
        "opted_out": (tr("Opted out"), {"all": [{"field": "opted_out", "op": "eq", "value": True}]}),
    }
