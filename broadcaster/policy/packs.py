"""Policy packs: every way to send and every rule as dated data, read from TOML and checked before use.

A pack holds ``[[rule]]`` entries (what holds for every way to send) and ``[[permission]]`` entries, each
with its own dated ``[[permission.rule]]`` entries. Code knows the mechanisms (a state, a window, a feature,
a template); which of them is alive on a date stands only here. Nothing is loaded that has a hole, an
overlap or an unknown word: see ``broadcaster.policy.timeline``.
"""

from __future__ import annotations

import hashlib
import re
import tomllib
from collections.abc import Mapping
from datetime import UTC, date, datetime, time
from enum import StrEnum
from functools import cache
from importlib import resources
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    ValidationError,
    model_validator,
)

from broadcaster.errors import BadInput, NotFound
from broadcaster.policy.lines import Path as Place
from broadcaster.policy.lines import key_lines, line_of
from broadcaster.policy.timeline import Fault, holes_and_overlaps
from broadcaster.states import Platform, Reason

SHIPPED = "meta.toml"


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


class _Entry(BaseModel):
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


class GeneralRule(_Entry):
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


class Rule(_Entry):
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


class Permission(_Entry):
    """A way to send. ``rules`` are its dated rules; the properties speak of the newest ones."""

    key: Annotated[str, Field(pattern=r"^[a-z0-9_]+$")]
    title: Line
    kind: Kind = Kind.BUILT
    messaging_type: Literal["RESPONSE", "UPDATE", "MESSAGE_TAG", "UTILITY"] | None = None
    tag: Line | None = None
    platforms: tuple[Platform, ...] = Field(min_length=1)
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
    def needs_template(self) -> bool:
        return self._newest("template") is not None

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


class Pack(_Entry):
    """A checked pack. ``checksum`` is of its text; two packs with the same one are the same."""

    name: Annotated[str, Field(pattern=r"^[A-Za-z0-9 _.+-]+$")]
    version: Annotated[str, Field(pattern=r"^[A-Za-z0-9_.+-]+$")]
    as_of: date
    """The day on which its facts were read."""
    rules: dict[Reason, GeneralRule]
    permissions: dict[str, Permission]
    checksum: str

    def __str__(self) -> str:
        return f"{self.name} {self.version} ({self.checksum[:12]})"

    def __repr__(self) -> str:
        return f"<Pack {self}>"

    def permission(self, key: str) -> Permission:
        """Raises NotFound for a way to send that the pack does not know."""
        found = self.permissions.get(key)
        if found is None:
            known = ", ".join(name for name, entry in self.permissions.items() if entry.kind == Kind.BUILT)
            raise NotFound(f"There is no way to send called {key!r}.", f"Known: {known}.")
        return found

    def state_on(self, key: str, platform: str, at: datetime) -> State:
        """How a way to send stands there and then."""
        permission = self.permission(key)
        if platform not in permission.platforms:
            return State.NOT_ON_PLATFORM
        rule = permission.rule_on("state", platform, at)
        return State.UNKNOWN if rule is None or rule.state is None else State(rule.state)


@cache
def shipped() -> Pack:
    """The pack that comes with the program."""
    return parse_pack((resources.files("resources") / "policy" / SHIPPED).read_text("utf-8"), SHIPPED)


def load_pack(path: Path, base: Pack | None = None) -> Pack:
    """A pack from a file; with ``base`` one that is laid over it. BadInput names file and line."""
    try:
        text = path.read_text("utf-8")
    except OSError as error:
        raise BadInput(f"{path} cannot be read.", "Check the path and the rights of the file.") from error
    except UnicodeDecodeError as error:
        raise BadInput(f"{path} is not a UTF-8 text.", "Save it as UTF-8.") from error
    return parse_pack(text, str(path), base)


def parse_pack(text: str, name: str, base: Pack | None = None) -> Pack:
    """Read and check a pack. With ``base`` the entries of ``text`` replace those of the same key in it.

    Refused with file and line: broken TOML, an unknown key or rule, a missing condition, two rules of one
    kind at one instant (overlap), a time between or after them that no rule covers (gap), a permission
    that only the future knows, and in a base pack a general rule without text.
    """
    given, places = _read(text, name)
    checksum = hashlib.sha256(text.encode()).hexdigest()
    if base is not None:
        checksum = hashlib.sha256(f"{base.checksum}{checksum}".encode()).hexdigest()
    entries = _validated(given, name, places)
    for index, permission in enumerate(entries.permissions):
        for fault in _faults(permission, entries.as_of):
            raise _refusal(name, line_of(places, ("permission", index, *fault.place)), fault.text)
    rules = {rule.rule: rule for rule in entries.rules}
    permissions = {permission.key: _with_platforms(permission) for permission in entries.permissions}
    if base is None:
        _require_all_rules(rules, name)
    return Pack(
        name=f"{base.name} + {entries.name}" if base else entries.name,
        version=f"{base.version}+{entries.version}" if base else entries.version,
        as_of=entries.as_of,
        rules={**(base.rules if base else {}), **rules},
        permissions={**(base.permissions if base else {}), **permissions},
        checksum=checksum,
    )


class _File(_Entry):
    name: Annotated[str, Field(pattern=r"^[A-Za-z0-9 _.-]+$")]
    version: Annotated[str, Field(pattern=r"^[A-Za-z0-9_.-]+$")]
    as_of: date
    rules: tuple[GeneralRule, ...] = Field(default=(), alias="rule")
    permissions: tuple[Permission, ...] = Field(default=(), alias="permission")


def _read(text: str, name: str) -> tuple[dict[str, Any], dict[Place, int]]:
    try:
        return tomllib.loads(text), key_lines(text)
    except tomllib.TOMLDecodeError as error:
        line = re.search(r"line (\d+)", str(error))
        number = int(line.group(1)) if line else len(text.splitlines())
        raise _refusal(name, number, f"this is not TOML ({error})") from error


def _validated(given: dict[str, Any], name: str, places: dict[Place, int]) -> _File:
    try:
        entries = _File.model_validate(given)
    except ValidationError as error:
        # a mistyped key is reported twice, as unknown and as missing: the first says more
        first = min(error.errors(), key=lambda found: found["type"] != "extra_forbidden")
        raise _refusal(name, line_of(places, first["loc"]), _in_words(first)) from error
    for path, keys in (
        ("rule", [rule.rule for rule in entries.rules]),
        ("permission", [permission.key for permission in entries.permissions]),
    ):
        for index, key in enumerate(keys):
            if key in keys[:index]:
                raise _refusal(name, line_of(places, (path, index)), f"there are two entries for {key!r}")
    return entries


def _in_words(error: Any) -> str:
    key = ".".join(str(part) for part in error["loc"] if isinstance(part, str)) or "the entry"
    kinds = {
        "extra_forbidden": f"the key {key!r} is unknown",
        "missing": f"the key {key!r} is missing",
        "literal_error": f"{key} = {error['input']!r} is unknown; known are {error.get('ctx', {}).get('expected')}",
        "enum": f"{key} = {error['input']!r} is unknown; known are {error.get('ctx', {}).get('expected')}",
    }
    return kinds.get(error["type"], f"{key}: {error['msg'].removeprefix('Value error, ')}")


def _faults(permission: Permission, as_of: date) -> list[Fault]:
    """What is wrong with the dates of one permission, each with the place of the entry to mend."""
    faults: list[Fault] = []
    for index, rule in enumerate(permission.rules):
        strange = [platform for platform in rule.platforms if platform not in permission.platforms]
        if strange:
            faults.append(Fault(("rule", index), f"{permission.key} does not exist on {strange[0]}"))
    for platform in permission.platforms:
        spans = {kind: _spans(permission, kind, platform) for kind in NEEDS}
        if not spans["state"]:
            faults.append(Fault((), f"{permission.key} has no state on {platform}: this is a gap"))
            continue
        ends = _end_of_use(permission, platform)
        for kind, entries in spans.items():
            until = None if kind == "state" else ends
            faults += holes_and_overlaps(f"{permission.key} on {platform}: {kind}", entries, until)
    today = datetime.combine(as_of, time.max, UTC)
    starts = [rule.valid_from for rule in permission.rules if rule.rule == "state"]
    if starts and all(start is not None and start > today for start in starts):
        faults.append(Fault((), f"{permission.key} begins only after {as_of}: it cannot be known yet"))
    return faults


def _spans(
    permission: Permission, kind: str, platform: str
) -> list[tuple[int, datetime | None, datetime | None]]:
    return [
        (index, rule.valid_from, rule.valid_until)
        for index, rule in enumerate(permission.rules)
        if rule.rule == kind and platform in (rule.platforms or permission.platforms)
    ]


def _end_of_use(permission: Permission, platform: str) -> datetime | None:
    """When the permission can be used no more on a platform; None: it stays open."""
    open_until = [
        rule.valid_until
        for rule in permission.rules
        if rule.rule == "state"
        and rule.state in SENDABLE
        and platform in (rule.platforms or permission.platforms)
    ]
    known = [until for until in open_until if until is not None]
    return max(known, default=datetime.min.replace(tzinfo=UTC)) if len(known) == len(open_until) else None


def _with_platforms(permission: Permission) -> Permission:
    rules = tuple(
        rule if rule.platforms else rule.model_copy(update={"platforms": permission.platforms})
        for rule in permission.rules
    )
    return permission.model_copy(update={"rules": rules})


def _require_all_rules(rules: Mapping[Reason, GeneralRule], name: str) -> None:
    for rule in GENERAL_RULES:
        if rule not in rules:
            raise _refusal(name, 1, f"the rule {str(rule)!r} is missing: this is a gap")


def _refusal(name: str, line: int, problem: str) -> BadInput:
    return BadInput(f"{name}, line {line}: {problem}.", "Nothing was installed; mend the file and try again.")
