"""A second reader of the very same view of a SQLite database, so that a long count may use two cores.

SQLite cannot open a view twice by name. A reader's ``data_version`` changes when somebody else has committed,
so two views that began between two equal answers are the same; if writers are too busy for that, the first
reader counts alone. PostgreSQL spreads a query over cores by itself.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any

from sqlalchemy import Connection, Executable, Row

TRIES = 5
_OPTION = "reader_beside"


@contextmanager
def accompanied(conn: Connection) -> Iterator[Connection]:
    """``conn``, on which nothing was read yet, with a second reader of its view where that can be had."""
    with conn.engine.connect() as other:
        if _same_view(conn, other):
            conn = conn.execution_options(**{_OPTION: other})
        yield conn


def reader_beside(conn: Connection) -> Connection | None:
    """The second reader of the view of ``conn``, if it has one."""
    other: Connection | None = conn.get_execution_options().get(_OPTION)
    return other


def rows_of(conn: Connection, queries: Sequence[Executable]) -> list[Row[Any]]:
    """The rows of all queries, in no order; a second reader takes its share of the queries."""
    waiting, found = deque(queries), list[Row[Any]]()

    def read(reader: Connection) -> None:
        while waiting:
            try:
                query = waiting.popleft()
            except IndexError:  # the other was quicker
                return
            found.extend(reader.execute(query).all())

    other = reader_beside(conn)
    if other is None or len(queries) < 2:
        read(conn)
        return found
    with ThreadPoolExecutor(1, thread_name_prefix="reader-beside") as pool:
        share = pool.submit(read, other)
        try:
            read(conn)
        finally:
            waiting.clear()
        share.result()
    return found


def _same_view(conn: Connection, other: Connection) -> bool:
    for _ in range(TRIES):
        before = _version(other)
        other.rollback()
        conn.exec_driver_sql("SELECT 1 FROM sqlite_schema").first()  # a view begins with the first reading
        if _version(other) == before:
            return True
        other.rollback()
        conn.rollback()
    return False


def _version(conn: Connection) -> int:
    version: int = conn.exec_driver_sql("PRAGMA data_version").scalar_one()
    return version
