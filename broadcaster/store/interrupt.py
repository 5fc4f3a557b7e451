"""Stopping a query that nobody waits for any more, from another thread."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Callable, Iterator
from typing import Any

from sqlalchemy import Connection

from broadcaster.store.beside import reader_beside


@contextlib.contextmanager
def interruptible(conn: Connection) -> Iterator[Callable[[], None]]:
    """Gives ``stop``: it makes the query now running on ``conn``, or on the reader beside it, fail. Harmless
    before and after the block, so a connection that went back to the pool is never hit."""
    lock = threading.Lock()
    readers = (conn, reader_beside(conn))
    live: list[Any] = [each.connection.driver_connection for each in readers if each is not None]

    def stop() -> None:
        with lock, contextlib.suppress(Exception):
            for driver in live:
                (getattr(driver, "interrupt", None) or driver.cancel)()

    try:
        yield stop
    finally:
        with lock:
            live.clear()
