"""Where things are and who acts: flags over environment over defaults (one place for all of them)."""

from __future__ import annotations

import getpass
import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from platformdirs import user_data_path

from broadcaster.errors import BadInput

META_GRAPH_URL = "https://graph.facebook.com"
HTTP_TIMEOUT_SECONDS = 30.0
"""How long one call may take before its outcome counts as unknown."""


@dataclass(frozen=True, slots=True)
class Settings:
    """What one run of the program is told. ``settle_seconds``: see the queue's doubts."""

    home: Path
    database_url: str
    graph_url: str = META_GRAPH_URL
    graph_version: str = "v26.0"
    settle_seconds: float = 120.0
    http_timeout: float = HTTP_TIMEOUT_SECONDS
    actor: str = "unknown"

    @property
    def is_meta(self) -> bool:
        """False for any other Graph address, which the window and ``page list`` show as such."""
        return self.graph_url.rstrip("/") == META_GRAPH_URL

    @property
    def is_sqlite(self) -> bool:
        return self.database_url.startswith("sqlite")


def load(
    home: str | None = None,
    database: str | None = None,
    actor: str | None = None,
    environ: Mapping[str, str] = os.environ,
) -> Settings:
    """Settings from flags (arguments), then the environment, then defaults. Raises BadInput."""
    folder = Path(home or environ.get("BROADCASTER_HOME") or user_data_path("Broadcaster", appauthor=False))
    folder = folder.expanduser().absolute()
    url = database or environ.get("BROADCASTER_DATABASE_URL") or f"sqlite:///{folder / 'broadcaster.db'}"
    return Settings(
        home=folder,
        database_url=url,
        graph_url=(environ.get("BROADCASTER_GRAPH_URL") or META_GRAPH_URL).rstrip("/"),
        graph_version=environ.get("BROADCASTER_GRAPH_VERSION") or "v26.0",
        settle_seconds=_settle_seconds(environ.get("BROADCASTER_SETTLE_SECONDS")),
        actor=actor or environ.get("BROADCASTER_USER") or _login_name(),
    )


def _settle_seconds(given: str | None) -> float:
    if not given:
        return max(120.0, HTTP_TIMEOUT_SECONDS + 60)
    try:
        seconds = float(given)
    except ValueError:
        seconds = -1
    if not 0 <= seconds < 86_400:
        raise BadInput(
            f"BROADCASTER_SETTLE_SECONDS is {given!r}, which is not a number of seconds.",
            "Give a number from 0 to 86400, or leave it unset for 120.",
        )
    return seconds


def _login_name() -> str:
    try:
        return getpass.getuser()
    except (OSError, KeyError):
        return "unknown"
