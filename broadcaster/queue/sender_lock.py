"""One sender per workspace on SQLite: an exclusive transaction on a file beside the database.

The operating system drops it the moment the process ends, however it ends, so that nobody ever waits
for a lease of the dead. On PostgreSQL several workers may send; each keeps a heartbeat instead.
"""

from __future__ import annotations

import sqlite3
from pathlib import Path

from broadcaster.errors import EnvironmentFault
from broadcaster.store import Store


class SenderLock:
    """Held from ``acquire`` to ``release`` or the end of the process."""

    def __init__(self, store: Store) -> None:
        database = store.engine.url.database
        self._path = Path(database).with_name("dispatcher.lock.db") if database else None
        self._connection: sqlite3.Connection | None = None

    def acquire(self) -> None:
        """Raises EnvironmentFault when another process sends from this workspace."""
        if self._path is None or self._connection is not None:
            return
        connection = sqlite3.connect(self._path, timeout=0, isolation_level=None, check_same_thread=False)
        try:
            connection.execute("PRAGMA journal_mode=DELETE")
            connection.execute("BEGIN EXCLUSIVE")
        except sqlite3.OperationalError as error:
            connection.close()
            raise EnvironmentFault(
                "Another Broadcaster already sends from this workspace.",
                "Close the other window or stop the other run; it can go on being read meanwhile.",
            ) from error
        self._connection = connection

    def release(self) -> None:
        if self._connection is not None:
            self._connection.close()
            self._connection = None
