"""This installation's id: made once, part of every wire key, so that foreign echoes are told apart."""

from __future__ import annotations

import secrets

from sqlalchemy import Connection, select
from sqlalchemy.dialects import postgresql, sqlite

from broadcaster.store.tables import Setting

SETTINGS = Setting.__table__  # type: ignore[attr-defined]
KEY = "install_id"


def install_id(conn: Connection) -> str:
    """The workspace's id; needs a write transaction the first time."""
    query = select(SETTINGS.c.value).where(SETTINGS.c.key == KEY)
    found = conn.execute(query).scalar_one_or_none()
    if found is None:
        insert = postgresql.insert if conn.dialect.name == "postgresql" else sqlite.insert
        made = insert(SETTINGS).values(key=KEY, value=secrets.token_hex(6)).on_conflict_do_nothing()
        conn.execute(made)
        found = conn.execute(query).scalar_one()
    return str(found)
