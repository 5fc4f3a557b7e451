"""Meta's dated limits and Graph API versions, as data (``resources/limits.toml``, ``versions.toml``)."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from datetime import date
from functools import cache
from importlib.resources import files
from typing import Any


@dataclass(frozen=True, slots=True)
class Version:
    """``available_until`` None: no end has been set."""

    name: str
    released: date
    available_until: date | None

    def ended(self, day: date) -> bool:
        return self.available_until is not None and day >= self.available_until


def limit(name: str) -> int:
    """The limit of this id, in the unit its row names. KeyError for an unknown one."""
    return int(_limits()[name]["value"])


@cache
def versions() -> dict[str, Version]:
    """All known versions by name, newest first."""
    return {
        row["name"]: Version(row["name"], row["released"], row.get("available_until"))
        for row in _data("versions.toml")["version"]
    }


def newest_version() -> str:
    return str(_data("versions.toml")["newest"])


@cache
def _limits() -> dict[str, dict[str, Any]]:
    return {row["id"]: row for row in _data("limits.toml")["limit"]}


@cache
def _data(name: str) -> dict[str, Any]:
    return tomllib.loads((files("resources") / name).read_text(encoding="utf-8"))
