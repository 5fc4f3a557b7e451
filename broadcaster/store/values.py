"""Values a person can change in the window: one row each in ``setting``. Never a secret.

Keys: ``margin_seconds`` (int, safety before a window shuts), ``four_eyes`` (bool), ``quiet_hours`` and
``frequency_cap`` (as in a campaign file, for new campaigns), ``throttle_per_second`` (for new campaigns),
``webhook_port`` (int, 0 for any), ``sync_minutes`` (int, 0 for never).
"""

from __future__ import annotations

from typing import Any

from sqlalchemy import Connection, delete, insert, select

from broadcaster.store.tables import Setting

SETTINGS = Setting.__table__  # type: ignore[attr-defined]


def value(conn: Connection, key: str, default: Any = None) -> Any:
    """The value kept under ``key``, else ``default``."""
    found = conn.execute(select(SETTINGS.c.value).where(SETTINGS.c.key == key)).scalar_one_or_none()
    return default if found is None else found


def keep(conn: Connection, key: str, value: Any) -> None:
    """Keep ``value`` (JSON) under ``key``; None forgets it."""
    conn.execute(delete(SETTINGS).where(SETTINGS.c.key == key))
    if value is not None:
        conn.execute(insert(SETTINGS).values(key=key, value=value))
