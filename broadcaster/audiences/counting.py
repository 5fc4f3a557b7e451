"""How many, and who for example. A count can be interrupted from another thread: the newest question wins."""

from __future__ import annotations

import contextlib
import threading
from typing import Any

from sqlalchemy import ColumnElement, Connection, func, select
from sqlalchemy.exc import DBAPIError

from broadcaster.contacts.people import ContactRow, rows
from broadcaster.store import Store
from broadcaster.store.tables import Contact

CONTACTS = Contact.__table__  # type: ignore[attr-defined]


def count(conn: Connection, page_id: int, clause: ColumnElement[bool]) -> int:
    """People of a Page who meet a condition."""
    page: ColumnElement[Any] = CONTACTS.c.page_id
    if _alone(conn, page_id):
        page = page + 0  # one scan of the narrow rows, not a look-up of each through an index
    query = select(func.count()).select_from(CONTACTS).where(clause, page == page_id)
    return conn.execute(query).scalar_one()


def _alone(conn: Connection, page_id: int) -> bool:
    """Are all people of the workspace this Page's?"""
    others = (
        select(CONTACTS.c.id).where(beside).limit(1).exists()
        for beside in (CONTACTS.c.page_id < page_id, CONTACTS.c.page_id > page_id)
    )
    return not any(conn.execute(select(*others)).one())


def sample(
    conn: Connection, page_id: int, clause: ColumnElement[bool], n: int, seed: int = 0
) -> list[ContactRow]:
    """Up to ``n`` people who meet a condition, others for another ``seed``."""
    inside = select(CONTACTS.c.id).where(CONTACTS.c.page_id == page_id, clause)
    lowest, highest = conn.execute(
        select(func.min(CONTACTS.c.id), func.max(CONTACTS.c.id)).where(CONTACTS.c.page_id == page_id)
    ).one()
    if lowest is None:
        return []
    start = lowest + (seed * 7_919_777) % (highest - lowest + 1)
    ids = list(conn.execute(inside.where(CONTACTS.c.id >= start).order_by(CONTACTS.c.id).limit(n)).scalars())
    if len(ids) < n:
        before = inside.where(CONTACTS.c.id < start).order_by(CONTACTS.c.id).limit(n - len(ids))
        ids += conn.execute(before).scalars()
    return rows(conn, ids)


class CountTask:
    """One count in its own connection; ``cancel`` (from any thread) makes ``run`` return None."""

    def __init__(self, store: Store, page_id: int, clause: ColumnElement[bool]) -> None:
        self._store, self._page_id, self._clause = store, page_id, clause
        self._lock = threading.Lock()
        self._driver: Any = None
        self._cancelled = False

    def run(self) -> int | None:
        """The count, or None when it was cancelled."""
        with self._store.read() as conn:
            with self._lock:
                if self._cancelled:
                    return None
                self._driver = conn.connection.driver_connection
            try:
                return count(conn, self._page_id, self._clause)
            except DBAPIError:
                if self._was_cancelled():
                    return None
                raise
            finally:
                with self._lock:
                    self._driver = None

    def _was_cancelled(self) -> bool:
        with self._lock:
            return self._cancelled

    def cancel(self) -> None:
        """Interrupt the running query, or keep it from starting."""
        with self._lock:
            self._cancelled = True
            if self._driver is None:
                return
            with contextlib.suppress(Exception):
                stop = getattr(self._driver, "interrupt", None) or self._driver.cancel
                stop()
