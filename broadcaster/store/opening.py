"""Bringing a database to this version's schema: created, migrated after a backup, or refused if newer."""

from __future__ import annotations

import shutil
import sqlite3
from contextlib import closing, suppress
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

from sqlalchemy import inspect, text

from broadcaster.errors import DatabaseNewer, EnvironmentFault
from broadcaster.store.engine import Store, connect
from broadcaster.store.indexes import restore_indexes

if TYPE_CHECKING:
    from alembic.config import Config

MIGRATIONS = Path(__file__).parent / "migrations"


def open_store(url: str, now: datetime) -> Store:
    """The store at ``url`` with the current schema.

    An older database is copied beside itself first (SQLite; on PostgreSQL the server's own backups
    apply). Raises DatabaseNewer, EnvironmentFault, BadInput.
    """
    store = connect(url)
    try:
        _migrate(store, now)
        with suppress(sqlite3.OperationalError):  # somebody imports just now: that import makes them itself
            restore_indexes(store, patience_ms=200)
    except BaseException:
        store.engine.dispose()
        raise
    return store


def current_revision(store: Store) -> str | None:
    """The schema's revision, None for an empty database."""
    with store.read() as connection:
        if not inspect(connection).has_table("alembic_version"):
            return None
        return connection.execute(text("SELECT version_num FROM alembic_version")).scalar_one_or_none()


def revisions() -> list[str]:
    """The schemas this version knows, oldest first: the numbers in front of the migrations' names."""
    return sorted(path.name.partition("_")[0] for path in (MIGRATIONS / "versions").glob("[0-9]*.py"))


def _migrate(store: Store, now: datetime) -> None:
    found, known = current_revision(store), revisions()
    if found == known[-1]:
        return
    if found is not None and found not in known:
        raise DatabaseNewer(
            f"This database was made by a newer version of Broadcaster (schema {found}).",
            "Install that version or a later one; nothing was changed.",
        )
    if found is not None:
        _backup(store, found, now)
    _upgrade(store)


def _upgrade(store: Store) -> None:
    # loaded here: it takes a third of a second and is needed once in a version's life
    from alembic import command

    config = alembic_config()
    with store.write() as connection:
        config.attributes["connection"] = connection
        command.upgrade(config, "head")


def alembic_config() -> Config:
    """Alembic's configuration, made here so that no ini file is needed."""
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS).replace("%", "%%"))
    return config


def _backup(store: Store, revision: str, now: datetime) -> Path | None:
    """Copy a SQLite database beside itself, consistently, before it is migrated."""
    database = store.engine.url.database
    if not store.is_sqlite or not database:
        return None
    target = Path(f"{database}.before-{revision}-{now:%Y%m%dT%H%M%SZ}.bak")
    if shutil.disk_usage(target.parent).free < 2 * Path(database).stat().st_size:
        raise EnvironmentFault(
            "There is not enough disk space to copy the database before updating it.",
            f"Free {Path(database).stat().st_size // 1_000_000 * 2} MB in {target.parent}; nothing was changed.",
        )
    with closing(sqlite3.connect(database)) as source, closing(sqlite3.connect(target)) as copy:
        source.backup(copy)
    return target
