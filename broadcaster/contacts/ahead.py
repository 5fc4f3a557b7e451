"""Batches of a contacts file, read and typed ahead of the database that takes them.

A large file is read by a process of its own, so that both cores work and a window beside it stays
quick. It knows no database, gets its orders through its standard input and ends by itself when nobody
reads its batches any more: a killed import leaves nothing running.
"""

from __future__ import annotations

import pickle
import queue
import subprocess
import sys
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from typing import IO, Protocol, cast

from broadcaster.contacts import reading
from broadcaster.contacts.columns import AttributeDef, Column
from broadcaster.contacts.reading import FileShape
from broadcaster.contacts.taking import Batch, Taker
from broadcaster.errors import EnvironmentFault

BATCH = 10_000
"""Rows that are taken together, in one transaction."""
AT_HAND = 2
"""Batches that may wait for the database."""
WORTH_A_PROCESS = 4_000_000
"""Bytes of a file from which a second process pays for its start."""
PIPE_BUFFER = 1 << 20

Read = tuple[int, Batch]
"""How many rows of the file, and what of them can be taken."""


@dataclass(frozen=True, slots=True)
class Orders:
    """What to read, and as what."""

    shape: FileShape
    columns: Sequence[Column]
    known: Mapping[str, AttributeDef]
    now: datetime
    rows: int
    """How many make a batch."""


class Reader(Protocol):
    def batches(self, orders: Orders) -> Iterator[Read]: ...
    def close(self) -> None: ...


def reader(size: int) -> Reader:
    """Who reads a file of ``size`` bytes: it starts at once, and waits for its orders."""
    if size < WORTH_A_PROCESS or getattr(sys, "frozen", False):
        return _Here()
    try:
        return _Beside()
    except OSError:
        return _Here()


class _Here:
    """Reads in this process, when asked for the next batch."""

    def batches(self, orders: Orders) -> Iterator[Read]:
        taker = Taker(orders.columns, orders.known, orders.now)
        rows = reading.rows(orders.shape)
        while True:
            count, batch = taker.take(rows, orders.rows)
            if not count:
                return
            yield count, batch

    def close(self) -> None:
        pass


class _Beside:
    """Lets a process of its own read."""

    def __init__(self) -> None:
        command = [sys.executable, "-m", __name__]
        self._process = subprocess.Popen(  # noqa: S603 - this module itself
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, bufsize=PIPE_BUFFER
        )
        self._told = cast("IO[bytes]", self._process.stdin)
        self._batches = cast("IO[bytes]", self._process.stdout)

    def batches(self, orders: Orders) -> Iterator[Read]:
        try:
            with self._told:
                pickle.dump(orders, self._told)
            while (came := pickle.load(self._batches)) is not None:  # noqa: S301 - our own process wrote it
                if isinstance(came, BaseException):
                    raise came
                yield came
        except (EOFError, BrokenPipeError, pickle.UnpicklingError) as error:
            raise EnvironmentFault(
                f"Reading {orders.shape.path.name} ended before its time.",
                "Import the file again: what was taken stays, the rest follows.",
            ) from error

    def close(self) -> None:
        self._process.kill()
        for pipe in (self._told, self._batches):
            with suppress(OSError):
                pipe.close()
        self._process.wait()


def read_for_another(told: IO[bytes], batches: IO[bytes]) -> None:
    """Read as ordered through ``told``; batches go out through ``batches``, None after the last."""
    orders: Orders = pickle.load(told)  # noqa: S301 - our own process wrote it
    ready: queue.Queue[bytes] = queue.Queue(AT_HAND)
    reads = threading.Thread(target=_fill, args=(orders, ready), daemon=True)
    reads.start()
    while sent := ready.get():
        batches.write(sent)
        batches.flush()


def _fill(orders: Orders, ready: queue.Queue[bytes]) -> None:
    """Batches laid out as they are sent: writing them needs no turn of the interpreter. Empty after the last."""
    try:
        for batch in _Here().batches(orders):
            ready.put(_sent(batch))
        ready.put(_sent(None))
    except Exception as error:  # told to whom it concerns
        ready.put(_sent(error))
    finally:
        ready.put(b"")


def _sent(what: Read | Exception | None) -> bytes:
    return pickle.dumps(what, pickle.HIGHEST_PROTOCOL)


if __name__ == "__main__":
    with suppress(BrokenPipeError, EOFError, KeyboardInterrupt):
        read_for_another(sys.stdin.buffer, sys.stdout.buffer)
