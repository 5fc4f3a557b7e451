"""A way to send and its dated rules: the shapes of a policy pack's entries, each checked by itself."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, date, datetime, time
from enum import StrEnum
from typing import Annotated, Literal

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, model_validator

from broadcaster.states import Platform, Reason


class State(StrEnum):
    """How a way to send stands on a date. Only OPEN and CONDITIONAL let anybody through."""

    OPEN = "open"
    CONDITIONAL = "conditional"
    """Open under conditions that the permission's other rules spell out, or to be verified live."""
    RETIRED = "retired"
    UNKNOWN = "unknown"
    """Before anything is known of it."""
    NOT_ON_PLATFORM = "not_on_platform"


SENDABLE = frozenset({State.OPEN, State.CONDITIONAL})


class Kind(StrEnum):
    BUILT = "built"
    INFORMATION = "information"
    """Told about, never sent by this program."""


def _moment(value: object) -> object:
    """A TOML date (its first second, UTC) or a time with offset; others are refused."""
    if isinstance(value, datetime):
        if value.tzinfo is None:
            raise ValueError("the time has no offset; write 2026-04-27T00:00:00Z")
        return value.astimezone(UTC)
    if isinstance(value, date):
        return datetime.combine(value, time(), UTC)
    raise ValueError("this is not a date; write 2026-04-27 or 2026-04-27T00:00:00Z")


Moment = Annotated[datetime, BeforeValidator(_moment)]
Line = Annotated[str, Field(min_length=1)]


class Entry(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


GENERAL_RULES = (
    Reason.OPTED_OUT,
    Reason.UNREACHABLE,
    Reason.EXCLUDED,
    Reason.MISSING_VALUE,
    Reason.FREQUENCY_CAP,
    Reason.QUIET_HOURS,
    Reason.DUPLICATE,
)
"""What holds for every way to send: the product's own promises and the campaign's own wishes."""


def _general(rule: Reason) -> Reason:
    if rule not in GENERAL_RULES:
        raise ValueError(f"{str(rule)!r} is no general rule; known are {', '.join(GENERAL_RULES)}")
    return rule


class GeneralRule(Entry):
    """The text of a rule that holds for every way to send. It can be reworded, never switched off."""

    rule: Annotated[Reason, AfterValidator(_general)]
    text: Line
    source: Line
    read: date


NEEDS: Mapping[str, frozenset[str]] = {
    "state": frozenset({"state"}),
    "window": frozenset({"hours", "counts_from"}),
    "ad_window": frozenset({"hours"}),
    "feature": frozenset({"feature"}),
    "template": frozenset(),
}
"""Kinds of rule a permission may have, with the conditions each must state."""


class Rule(Entry):
    """One dated rule of a permission. ``valid_from`` counts, ``valid_until`` does not any more."""

    rule: Literal["state", "window", "ad_window", "feature", "template"]
    platforms: tuple[Platform, ...] = ()
    """Empty: every platform of the permission."""
    valid_from: Moment | None = None
    valid_until: Moment | None = None
    state: Literal[State.OPEN, State.CONDITIONAL, State.RETIRED] | None = None
    hours: Annotated[int, Field(gt=0, le=24 * 366)] | None = None
    counts_from: Literal["interaction", "message"] | None = None
    feature: Line | None = None
    text: Line
    source: Line
    read: date

    @model_validator(mode="after")
    def _has_its_conditions(self) -> Rule:
        given = {
            key for key in ("state", "hours", "counts_from", "feature") if getattr(self, key) is not None
        }
        needed = NEEDS[self.rule]
        if needed - given:
            raise ValueError(f"the rule {self.rule!r} needs {' and '.join(sorted(needed - given))}")
        if given - needed:
            raise ValueError(f"the rule {self.rule!r} knows no {' or '.join(sorted(given - needed))}")
        if self.valid_from and self.valid_until and self.valid_from >= self.valid_until:
            raise ValueError("valid_until is not after valid_from")
        return self

    def holds(self, platform: str, at: datetime) -> bool:
        """Is this rule in force there and then? (Platforms are filled in when the pack is loaded.)"""
        return (
            platform in self.platforms
            and (self.valid_from is None or self.valid_from <= at)
            and (self.valid_until is None or at < self.valid_until)
        )


class Permission(Entry):
    """A way to send. ``rules`` are its dated rules; the properties speak of the newest ones."""

    key: Annotated[str, Field(pattern=r"^[a-z0-9_]+$")]
    title: Line
    kind: Kind = Kind.BUILT
    messaging_type: Literal["RESPONSE", "UPDATE", "MESSAGE_TAG", "UTILITY"] | None = None
    tag: Line | None = None
    platforms: tuple[Platform, ...] = Field(min_length=1)
    carries: Literal["feedback"] | None = None
    """Set where it takes no message but Meta's feedback form; every other is stopped as lacking its template."""
    promotion_allowed: bool = False
    allowed: tuple[Line, ...] = ()
    disallowed: tuple[Line, ...] = ()
    replaced_by: Line | None = None
    bulk_warning: Line | None = None
    """Why it is not for a campaign to many; then only a reviewer's reasoned approval lets it through."""
    verify_live: bool = False
    error: Line | None = None
    """``code/subcode`` a call gets once it is retired."""
    source: Line
    read: date
    rules: tuple[Rule, ...] = Field(alias="rule", min_length=1)

    @model_validator(mode="after")
    def _tag_goes_with_its_type(self) -> Permission:
        if self.kind == Kind.BUILT and self.messaging_type is None:
            raise ValueError("a way that is sent needs a messaging_type")
        if (self.messaging_type == "MESSAGE_TAG") != (self.tag is not None):
            raise ValueError("a tag goes with messaging_type MESSAGE_TAG and with no other")
        return self

    def rule_on(self, kind: str, platform: str, at: datetime) -> Rule | None:
        """The rule of that kind in force, or None. There is never more than one."""
        return next((rule for rule in self.rules if rule.rule == kind and rule.holds(platform, at)), None)

    def _newest(self, kind: str) -> Rule | None:
        return next((r for r in reversed(self.rules) if r.rule == kind and r.valid_until is None), None)

    @property
    def window(self) -> int | None:
        """Hours of its window, None where it has none."""
        rule = self._newest("window")
        return rule.hours if rule else None

    @property
    def needs_feature(self) -> str | None:
        rule = self._newest("feature")
        return rule.feature if rule else None

    @property
    def only_kind(self) -> str | None:
        """The one kind of message it takes (``template`` or ``feedback``), None: any but a template."""
        return self.carries if self._newest("template") is None else "template"

    @property
    def valid_from(self) -> datetime | None:
        """When it first could be used; None: before the records."""
        starts = [rule.valid_from for rule in self.rules if rule.rule == "state" and rule.state in SENDABLE]
        known = [start for start in starts if start is not None]
        return min(known) if len(known) == len(starts) and known else None

    @property
    def valid_until(self) -> datetime | None:
        """The first instant at which it can be used no more anywhere; None: no end is known."""
        ends = [rule.valid_until for rule in self.rules if rule.rule == "state" and rule.state in SENDABLE]
        known = [end for end in ends if end is not None]
        return max(known) if len(known) == len(ends) and known else None
