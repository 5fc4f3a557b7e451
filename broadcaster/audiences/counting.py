"""How many, and who for example. A count can be interrupted from another thread: the newest question wins."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

from sqlalchemy import ColumnElement, Connection, and_, func, select, true
from sqlalchemy.exc import DBAPIError

from broadcaster.contacts.people import ContactRow, rows
from broadcaster.store import Store
from broadcaster.store.beside import reader_beside, rows_of
from broadcaster.store.indexes import HELD, facts_asked
from broadcaster.store.interrupt import interruptible
from broadcaster.store.tables import Contact

CONTACTS = Contact.__table__  # type: ignore[attr-defined]
SHARES = 8
"""Into so many ranges of ids a scan is cut, so that neither of two readers waits long for the other."""


def count(conn: Connection, page_id: int, clause: ColumnElement[bool]) -> int:
    """People of a Page who meet a condition."""
    page: ColumnElement[Any] = CONTACTS.c.page_id
    query = select(func.count()).select_from(CONTACTS)
    if facts_asked(clause) <= HELD - {"id"}:
        # every value of the flags is named, so that a span of last actions is found and the rest not read
        flags = (CONTACTS.c[name].in_((False, True)) for name in ("opted_out", "unreachable"))
        return conn.execute(query.where(clause, page == page_id, *flags)).scalar_one()
    if not _alone(conn, page_id):
        return conn.execute(query.where(clause, page == page_id)).scalar_one()
    # scans of the narrow rows, not a look-up of each through an index
    parts = [query.where(clause, page + 0 == page_id, share) for share in _shares(conn)]
    return sum(row[0] for row in rows_of(conn, parts))


def _shares(conn: Connection) -> list[ColumnElement[bool]]:
    """Ranges of ids for two readers; everybody where one counts alone."""
    if reader_beside(conn) is None:
        return [true()]
    # each by itself: asked for both at once SQLite reads all people
    ends = (select(end(CONTACTS.c.id)).scalar_subquery() for end in (func.min, func.max))
    lowest, highest = conn.execute(select(*ends)).one()
    if lowest is None:
        return [true()]
    width = (highest - lowest) // SHARES + 1
    return [
        and_(CONTACTS.c.id >= start, CONTACTS.c.id < start + width)
        for start in range(lowest, highest + 1, width)
    ]


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
    """One count in its own view; ``cancel`` (from any thread) makes ``run`` return None."""

    def __init__(self, store: Store, page_id: int, clause: ColumnElement[bool]) -> None:
        self._store, self._page_id, self._clause = store, page_id, clause
        self._lock = threading.Lock()
        self._stop: Callable[[], None] | None = None
        self._cancelled = False

    def run(self) -> int | None:
        """The count, or None when it was cancelled."""
        with self._store.read(wide=True) as conn, interruptible(conn) as stop:
            with self._lock:
                if self._cancelled:
                    return None
                self._stop = stop
            try:
                return count(conn, self._page_id, self._clause)
            except DBAPIError:
                if self._was_cancelled():
                    return None
                raise

    def _was_cancelled(self) -> bool:
        with self._lock:
            return self._cancelled

    def cancel(self) -> None:
        """Interrupt the running query, or keep it from starting."""
        with self._lock:
            self._cancelled = True
            stop = self._stop
        if stop is not None:
            stop()
