"""Stopping a query that nobody waits for any more, from another thread."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Callable, Iterator
from typing import Any

from sqlalchemy import Connection


@contextlib.contextmanager
def interruptible(conn: Connection) -> Iterator[Callable[[], None]]:
    """Gives ``stop``: it makes the query now running on ``conn`` fail. Harmless before and after the block,
    so a connection that went back to the pool is never hit."""
    lock = threading.Lock()
    live: list[Any] = [conn.connection.driver_connection]

    def stop() -> None:
        with lock, contextlib.suppress(Exception):
            for driver in live:
                (getattr(driver, "interrupt", None) or driver.cancel)()

    try:
        yield stop
    finally:
        with lock:
            live.clear()
