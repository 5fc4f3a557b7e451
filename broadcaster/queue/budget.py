"""Where the pace is kept: in this process (SQLite, one sender), or in the database (several workers).

Shared pace stands in a ``lease`` row; whoever sends locks it, takes what there is room for in the
transaction that notes the intent, and so waits for nobody longer than that.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Protocol

from sqlalchemy import Connection, func, select, update
from sqlalchemy.dialects.postgresql import insert

from broadcaster.clock import Clock
from broadcaster.queue.pacing import Pacer
from broadcaster.store.tables import Lease

LEASES = Lease.__table__  # type: ignore[attr-defined]
NO_END = datetime(9999, 1, 1, tzinfo=UTC)


Begins = Callable[[], None]


class Budget(Protocol):
    def grant(self, conn: Connection, key: str, cost: float, most: int) -> int:
        """Room for at most ``most`` messages of ``cost``; on a shared budget the row stays locked."""
        ...

    def take(self, conn: Connection, key: str, cost: float, count: int, calls: int = 0) -> Begins:
        """Use up what was granted in this transaction; each of its ``calls`` says when it begins."""
        ...

    def wait(self, key: str) -> float:
        """Seconds until asking again makes sense."""
        ...


class LocalBudget:
    """For the only sender of a workspace."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._pacers: dict[str, Pacer] = {}
        self._lock = threading.Lock()

    def grant(self, conn: Connection, key: str, cost: float, most: int) -> int:  # noqa: ARG002
        with self._lock:
            return self._pacer(key).room(self._clock.monotonic(), cost, most)

    def take(
        self,
        conn: Connection,  # noqa: ARG002
        key: str,
        cost: float,
        count: int,
        calls: int = 0,
    ) -> Begins:
        with self._lock:
            grant = self._pacer(key).take(self._clock.monotonic(), cost, count, calls)

        def begins() -> None:
            with self._lock:
                grant.begins(self._clock.monotonic())

        return begins

    def wait(self, key: str) -> float:
        with self._lock:
            return self._pacer(key).wait(self._clock.monotonic())

    def _pacer(self, key: str) -> Pacer:
        return self._pacers.setdefault(key, Pacer())


class SharedBudget:
    """For several workers on PostgreSQL; the server's clock counts, and a message from when it was granted:
    telling the others how late each call began would cost a transaction a call."""

    def __init__(self) -> None:
        self._free_at: dict[str, float] = {}
        """When asking again makes sense, by this machine's monotonic clock."""
        self._open: dict[str, tuple[Pacer, float]] = {}

    def grant(self, conn: Connection, key: str, cost: float, most: int) -> int:
        pacer, now = self._locked(conn, key)
        room = pacer.room(now, cost, most)
        self._open[key] = (pacer, now)
        self._free_at[key] = time.monotonic() + pacer.wait(now)
        return room

    def take(self, conn: Connection, key: str, cost: float, count: int, calls: int = 0) -> Begins:  # noqa: ARG002
        pacer, now = self._open.pop(key)
        pacer.take(now, cost, count)
        self._free_at[key] = time.monotonic() + pacer.wait(now)
        conn.execute(update(LEASES).where(LEASES.c.name == _name(key)).values(pace=pacer.dump(now)))
        return _nobody_asks

    def wait(self, key: str) -> float:
        return max(0.0, self._free_at.get(key, 0.0) - time.monotonic())

    def _locked(self, conn: Connection, key: str) -> tuple[Pacer, float]:
        query = (
            select(LEASES.c.pace, func.extract("epoch", func.clock_timestamp()))
            .where(LEASES.c.name == _name(key))
            .with_for_update()
        )
        row = conn.execute(query).one_or_none()
        if row is None:
            conn.execute(
                insert(LEASES)
                .values(name=_name(key), owner="", expires_at=NO_END, pace=None)
                .on_conflict_do_nothing()
            )
            row = conn.execute(query).one()
        return Pacer.load(row[0]), float(row[1])


def _nobody_asks() -> None:
    pass


def _name(key: str) -> str:
    return f"budget:{key}"
