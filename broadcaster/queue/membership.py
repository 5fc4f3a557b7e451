"""Who sends: this process's incarnation, and which others are proven dead.

A lease ends by proof, never by age alone: on SQLite the lock file proves that every other incarnation
is gone; on PostgreSQL a worker whose heartbeat ran out is dead, and is fenced off: its results name an
owner that no row has any more.
"""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Protocol

from sqlalchemy import Connection, delete, func, select, update
from sqlalchemy.dialects.postgresql import insert

from broadcaster.queue import ledger
from broadcaster.queue.ledger import ROWS
from broadcaster.queue.sender_lock import SenderLock
from broadcaster.store import Store
from broadcaster.store.tables import Lease

LEASES = Lease.__table__  # type: ignore[attr-defined]

HEARTBEAT = timedelta(seconds=15)
"""A worker not heard of for so long is dead."""

BEAT_EVERY = 4.0
"""Seconds between heartbeats."""

CRASH = "The program ended while the message was on its way."


def new_incarnation() -> str:
    """A random name per process: host and pid come back, this does not."""
    return secrets.token_hex(8)


@dataclass(frozen=True, slots=True)
class Recovered:
    """What dead senders held: rows that wait again, rows in doubt, and when they were last at work."""

    released: int = 0
    doubted: int = 0
    last_work: datetime | None = None


class Membership(Protocol):
    def join(self) -> None: ...
    def leave(self) -> None: ...
    def beat(self, conn: Connection) -> bool:
        """Show that we live; False when others have taken us for dead, so that we must start anew."""
        ...

    def recover(self, conn: Connection, settle: timedelta) -> Recovered:
        """Free what the dead held."""
        ...


class SoleSender:
    """SQLite: whoever has the lock file is alone."""

    def __init__(self, store: Store, owner: str) -> None:
        self._lock = SenderLock(store)
        self._owner = owner

    def join(self) -> None:
        self._lock.acquire()

    def leave(self) -> None:
        self._lock.release()

    def beat(self, conn: Connection) -> bool:  # noqa: ARG002
        return True

    def recover(self, conn: Connection, settle: timedelta) -> Recovered:
        held = select(ROWS.c.owner).where(ROWS.c.owner.is_not(None), ROWS.c.owner != self._owner)
        dead = conn.execute(held.distinct()).scalars().all()
        return _orphan(conn, list(dead), settle)


class Worker:
    """PostgreSQL: one of several, with a heartbeat by the server's clock."""

    def __init__(self, store: Store, owner: str) -> None:
        self._store = store
        self._owner = owner

    def join(self) -> None:
        with self._store.write() as conn:
            conn.execute(
                insert(LEASES)
                .values(name=self._name, owner=self._owner, expires_at=_end(conn))
                .on_conflict_do_nothing()
            )

    def leave(self) -> None:
        with self._store.write() as conn:
            conn.execute(delete(LEASES).where(LEASES.c.name == self._name))

    def beat(self, conn: Connection) -> bool:
        moved = conn.execute(
            update(LEASES).where(LEASES.c.name == self._name).values(expires_at=_end(conn))
        ).rowcount
        return moved == 1

    def recover(self, conn: Connection, settle: timedelta) -> Recovered:
        # a row that is locked belongs to a worker who beats just now: it lives, and waiting for it could lock both
        silent = (
            select(LEASES.c.name)
            .where(LEASES.c.name.like("worker:%"), LEASES.c.expires_at < _server_now(conn))
            .with_for_update(skip_locked=True)
        )
        conn.execute(delete(LEASES).where(LEASES.c.name.in_(silent)))
        alive = select(LEASES.c.owner).where(LEASES.c.name.like("worker:%"))
        held = select(ROWS.c.owner).where(ROWS.c.owner.is_not(None), ROWS.c.owner.not_in(alive))
        return _orphan(conn, list(conn.execute(held.distinct()).scalars().all()), settle)

    @property
    def _name(self) -> str:
        return f"worker:{self._owner}"


def _orphan(conn: Connection, dead: list[str], settle: timedelta) -> Recovered:
    if not dead:
        return Recovered()
    last_work = ledger.last_work(conn, dead)
    return Recovered(*ledger.orphan(conn, dead, round(settle.total_seconds() * 1000), CRASH), last_work)


def _server_now(conn: Connection) -> datetime:
    found: datetime = conn.execute(select(func.clock_timestamp())).scalar_one()
    return found


def _end(conn: Connection) -> datetime:
    return _server_now(conn) + HEARTBEAT
