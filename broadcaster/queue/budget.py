"""Where the pace is kept: in this process (SQLite, one sender), or in the database (several workers).

Shared pace stands in a ``lease`` row; whoever sends locks it, takes what there is room for in the
transaction that notes the intent, and so waits for nobody longer than that.
"""

from __future__ import annotations

import secrets
import threading
import time
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Protocol

from sqlalchemy import Connection, func, select, update
from sqlalchemy.dialects.postgresql import insert

from broadcaster.clock import Clock
from broadcaster.queue.pacing import STRETCH, Grant, Line, Pacer
from broadcaster.store.tables import Lease

LEASES = Lease.__table__  # type: ignore[attr-defined]
_CLOCK = select(func.extract("epoch", func.clock_timestamp()))
NO_END = datetime(9999, 1, 1, tzinfo=UTC)


class Calls(Protocol):
    """The calls that were granted together: each says when it begins and when it is answered."""

    def begins(self) -> None: ...
    def answered(self, seconds: float) -> None: ...


class Budget(Protocol):
    def grant(self, conn: Connection, key: str, cost: float, most: int) -> int:
        """Room for at most ``most`` messages of ``cost``; on a shared budget the row stays locked."""
        ...

    def take(self, conn: Connection, key: str, cost: float, count: int, calls: int = 0) -> Calls:
        """Use up what was granted in this transaction, for so many ``calls`` (0: nobody will tell of them)."""
        ...

    def tell(self, conn: Connection) -> None:
        """Tell the others when calls really began, or arrived."""
        ...

    def wait(self, key: str) -> float:
        """Seconds until asking again makes sense."""
        ...

    def follow(self, ago: float) -> None:
        """Another was killed, who was at work until so many seconds ago: what it sent counts too."""
        ...


class LocalBudget:
    """For the only sender of a workspace."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._pacers: dict[str, Pacer] = {}
        self._lines: dict[str, Line] = {}
        self._lock = threading.Lock()
        self._from = float("-inf")
        """Nothing is granted before: a sender that was killed may have used that second up."""

    def grant(self, conn: Connection, key: str, cost: float, most: int) -> int:  # noqa: ARG002
        with self._lock:
            now = self._clock.monotonic()
            return self._pacer(key).room(now, cost, most) if now >= self._from else 0

    def take(
        self,
        conn: Connection,  # noqa: ARG002
        key: str,
        cost: float,
        count: int,
        calls: int = 0,
    ) -> Calls:
        with self._lock:
            grant = self._pacer(key).take(self._clock.monotonic(), cost, count, calls)
            line = self._lines.setdefault(key, Line())
        return _LocalCalls(self._clock, self._lock, line, grant)

    def tell(self, conn: Connection) -> None:
        pass

    def wait(self, key: str) -> float:
        with self._lock:
            now = self._clock.monotonic()
            return max(self._pacer(key).wait(now), self._from - now)

    def follow(self, ago: float) -> None:
        self._from = self._clock.monotonic() + STRETCH - min(max(ago, 0.0), STRETCH)

    def _pacer(self, key: str) -> Pacer:
        return self._pacers.setdefault(key, Pacer())


class SharedBudget:
    """For several workers on PostgreSQL; the server's clock counts.

    A call that was granted holds its share for all until its worker tells when it really began and, with its
    answer, when it arrived at the latest. That is told with the worker's next grant or answer, both sooner than a
    second later, and so costs nobody pace.
    """

    def __init__(self) -> None:
        self._free_at: dict[str, float] = {}
        """When asking again makes sense, by this machine's monotonic clock."""
        self._open: dict[str, tuple[Pacer, _Instant]] = {}
        self._own: dict[str, dict[str, _SharedCalls]] = {}
        self._lines: dict[str, Line] = {}
        self._lock = threading.Lock()

    def grant(self, conn: Connection, key: str, cost: float, most: int) -> int:
        pacer, at = self._locked(conn, key)
        room = pacer.room(at.now, cost, most)
        self._open[key] = (pacer, at)
        self._free_at[key] = time.monotonic() + pacer.wait(at.now)
        return room

    def take(self, conn: Connection, key: str, cost: float, count: int, calls: int = 0) -> Calls:
        pacer, at = self._open.pop(key)
        grant = pacer.take(at.now, cost, count, calls)
        grant.id = secrets.token_hex(4)
        self._free_at[key] = time.monotonic() + pacer.wait(at.now)
        self._keep(conn, key, pacer, at)
        made = _SharedCalls(self._lock, self._lines.setdefault(key, Line()), replace(grant), at.ahead)
        if count:
            self._own.setdefault(key, {})[grant.id] = made
        return made

    def tell(self, conn: Connection) -> None:
        for key, own in self._own.items():
            if any(calls.untold for calls in own.values()):
                self._keep(conn, key, *self._locked(conn, key))

    def wait(self, key: str) -> float:
        return max(0.0, self._free_at.get(key, 0.0) - time.monotonic())

    def follow(self, ago: float) -> None:
        pass  # it stands in the shared pace

    def _keep(self, conn: Connection, key: str, pacer: Pacer, at: _Instant) -> None:
        conn.execute(update(LEASES).where(LEASES.c.name == _name(key)).values(pace=pacer.dump(at.now)))
        for calls in self._own.get(key, {}).values():
            calls.kept = calls.merged

    def _locked(self, conn: Connection, key: str) -> tuple[Pacer, _Instant]:
        """The pace as all know it, with what this worker knows of its own calls, and the instant of the lock."""
        query = select(LEASES.c.pace).where(LEASES.c.name == _name(key)).with_for_update()
        row = conn.execute(query).one_or_none()
        if row is None:
            conn.execute(
                insert(LEASES)
                .values(name=_name(key), owner="", expires_at=NO_END, pace=None)
                .on_conflict_do_nothing()
            )
            row = conn.execute(query).one()
        pacer = Pacer.load(row[0])
        own = self._own.get(key, {})
        with self._lock:
            for grant in pacer.grants:
                if grant.id in own:
                    own[grant.id].told(grant)
        known = {grant.id for grant in pacer.grants}
        self._own[key] = {name: calls for name, calls in own.items() if name in known}
        return pacer, _Instant.of(conn)


@dataclass(frozen=True, slots=True)
class _Instant:
    """An instant by the server's clock, and how far that is ahead of this machine's monotonic one."""

    now: float
    ahead: float

    @classmethod
    def of(cls, conn: Connection) -> _Instant:
        """Asked by itself, after a lock was waited for. Never too little ahead, however busy this machine
        is: calls may be told a little late, but never sooner than they began."""
        before = time.monotonic()
        now = float(conn.execute(_CLOCK).scalar_one())
        return cls(now, now - before)


@dataclass(frozen=True, slots=True)
class _LocalCalls:
    """Told from the threads that carry the calls."""

    clock: Clock
    lock: threading.Lock
    line: Line
    grant: Grant

    def begins(self) -> None:
        with self.lock:
            self.line.begins(self.grant, self.clock.monotonic())

    def answered(self, seconds: float) -> None:
        with self.lock:
            self.line.answered(self.grant, self.clock.monotonic(), seconds)


@dataclass(slots=True)
class _SharedCalls:
    """What this worker knows of a grant; ``ahead`` as of its instant."""

    lock: threading.Lock
    line: Line
    grant: Grant
    ahead: float
    merged: Grant = field(init=False)
    """The grant as it was when last put into the shared pace."""
    kept: Grant = field(init=False)
    """The same as it was last written there."""

    def __post_init__(self) -> None:
        self.merged = self.kept = replace(self.grant)

    @property
    def untold(self) -> bool:
        return self.grant != self.kept

    def begins(self) -> None:
        with self.lock:
            self.line.begins(self.grant, time.monotonic() + self.ahead)

    def answered(self, seconds: float) -> None:
        with self.lock:
            self.line.answered(self.grant, time.monotonic() + self.ahead, seconds)

    def told(self, shared: Grant) -> None:
        shared.at = max(shared.at, self.grant.at)
        shared.waiting, shared.awaited = self.grant.waiting, self.grant.awaited
        self.merged = replace(self.grant)


def _name(key: str) -> str:
    return f"budget:{key}"
