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
from functools import cache
from importlib import resources
from pathlib import Path
from typing import Annotated, Any

from pydantic import (
    Field,
    ValidationError,
)

from broadcaster.errors import BadInput, NotFound
from broadcaster.policy.lines import Path as Place
from broadcaster.policy.lines import key_lines, line_of
from broadcaster.policy.permissions import (
    GENERAL_RULES,
    NEEDS,
    SENDABLE,
    Entry,
    GeneralRule,
    Kind,
    Permission,
    Rule,
    State,
)
from broadcaster.policy.timeline import Fault, holes_and_overlaps
from broadcaster.states import Reason

__all__ = ["SENDABLE", "SHIPPED", "GeneralRule", "Kind", "Pack", "Permission", "Rule", "State"]
__all__ += ["load_pack", "parse_pack", "shipped"]

SHIPPED = "meta.toml"


class Pack(Entry):
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


class _File(Entry):
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
