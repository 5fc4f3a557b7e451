"""Opening the database, and the two doors to it: ``read()`` and ``write()``.

SQLite: WAL, ``synchronous=FULL`` (an intent to send must survive a power cut), and write transactions
that begin IMMEDIATE: a deferred one that turns into a write gets "database is locked" at once,
without waiting for the busy time-out.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext, suppress
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Engine, create_engine, event, make_url
from sqlalchemy.exc import ArgumentError, DBAPIError, OperationalError
from sqlmodel import Session

from broadcaster.errors import BadInput, EnvironmentFault
from broadcaster.store.beside import accompanied

MAPPED_BYTES = 1 << 30
"""So much of a SQLite file is read through the address space."""
SQLITE_PRAGMAS = (
    "busy_timeout=10000",
    "journal_mode=WAL",
    "synchronous=FULL",
    "foreign_keys=ON",
    "temp_store=MEMORY",
    "cache_size=-65536",
    f"mmap_size={MAPPED_BYTES}",
    "journal_size_limit=67108864",
)

_OWN_KEYS = "own_keys"
"""Under this name a connection remembers that it does not look foreign keys up just now."""


class Store:
    """The workspace's database. Safe to use from any thread; one connection per block."""

    def __init__(self, engine: Engine) -> None:
        self.engine = engine

    @property
    def is_sqlite(self) -> bool:
        return self.engine.dialect.name == "sqlite"

    @contextmanager
    def read(self, wide: bool = False) -> Iterator[Connection]:
        """A consistent view; nothing written through it is kept.

        ``wide``: on SQLite with a second reader of the same view, so that counts of everybody use two cores.
        """
        with translated(), self.engine.connect() as connection:
            with accompanied(connection) if wide and self.is_sqlite else nullcontext():
                yield connection

    @contextmanager
    def write(self, own_keys: bool = False) -> Iterator[Connection]:
        """One transaction: committed durably at the end of the block, or undone on an exception.

        ``own_keys``: all it refers to was made or looked up in the transaction itself, or is never deleted, so that
        SQLite need not look up each foreign key again.
        """
        options = {"write": True, "own_keys": own_keys}
        with translated(), self.engine.connect().execution_options(**options) as connection:
            with connection.begin():
                yield connection

    @contextmanager
    def session(self) -> Iterator[Session]:
        """A write transaction with SQLModel objects, for single rows and forms; commits at the end."""
        with self.write() as connection, Session(connection, expire_on_commit=False) as session:
            yield session
            session.flush()

    def close(self) -> None:
        if self.is_sqlite:
            # good statistics are worth nothing to wait for: another process may be writing
            with suppress(OperationalError), self.engine.connect() as connection:
                connection.exec_driver_sql("PRAGMA optimize")
        self.engine.dispose()


def connect(url: str) -> Store:
    """An engine with this project's pragmas; does not touch the schema. Raises BadInput for a bad URL."""
    try:
        parsed = make_url(url)
    except ArgumentError as error:
        raise BadInput(
            "The database URL cannot be read.",
            "Give sqlite:///FILE or postgresql+psycopg://USER@HOST/NAME.",
        ) from error
    if parsed.get_backend_name() == "sqlite":
        if parsed.database:
            Path(parsed.database).parent.mkdir(parents=True, exist_ok=True)
        engine = create_engine(
            parsed,
            connect_args={"timeout": 10, "check_same_thread": False},
            pool_size=8,
            max_overflow=16,
            pool_use_lifo=True,  # the one used last has its pages and statements at hand
        )
        event.listen(engine, "connect", _prepare_sqlite)
        event.listen(engine, "begin", _begin_sqlite)
        return Store(engine)
    if parsed.get_backend_name() != "postgresql":
        raise BadInput(
            f"The database URL names {parsed.get_backend_name()!r}, which is not supported.",
            "Use sqlite:/// or postgresql+psycopg://.",
        )
    return Store(create_engine(parsed, pool_size=8, max_overflow=16, pool_pre_ping=True))


def _prepare_sqlite(connection: sqlite3.Connection, _record: Any) -> None:
    connection.isolation_level = None
    for pragma in SQLITE_PRAGMAS:
        connection.execute(f"PRAGMA {pragma}")


def _begin_sqlite(connection: Connection) -> None:
    options = connection.get_execution_options()
    if not options.get("write"):
        connection.exec_driver_sql("BEGIN")
        return
    own_keys = bool(options.get("own_keys"))
    if connection.info.get(_OWN_KEYS, False) != own_keys:
        # inside a transaction it would do nothing; and each time it makes SQLite prepare every statement again
        driver: Any = connection.connection.driver_connection
        driver.execute(f"PRAGMA foreign_keys={'OFF' if own_keys else 'ON'}")
        connection.info[_OWN_KEYS] = own_keys
    connection.exec_driver_sql("BEGIN IMMEDIATE")


@contextmanager
def translated() -> Iterator[None]:
    """Turn the database's environment faults into sentences; bugs stay what they are."""
    try:
        yield
    except sqlite3.OperationalError as error:  # from the driver itself, where many rows are given to it
        fault = _fault(str(error))
        if fault is None:
            raise
        raise fault from error
    except DBAPIError as error:
        fault = _fault(str(error.orig)) if isinstance(error, OperationalError) else None
        if fault is None and error.connection_invalidated:
            fault = EnvironmentFault(
                "The connection to the database was lost.", "Check that it runs, then try again."
            )
        if fault is None:
            raise
        raise fault from error


def _fault(text: str) -> EnvironmentFault | None:
    """What the machine did, in words; None when it was not the machine."""
    for fragment, sentence, hint in _FAULTS:
        if fragment in text.lower():
            return EnvironmentFault(sentence, hint)
    return None


_FAULTS = (
    ("disk is full", "The disk is full; nothing was lost.", "Free some space, then go on."),
    ("database is locked", "Another program keeps the database locked.", "Close it, then try again."),
    ("readonly database", "The database cannot be written.", "Check the rights of the workspace folder."),
    (
        "unable to open",
        "The database file cannot be opened.",
        "Check the path and rights of the workspace folder.",
    ),
    ("connection refused", "The database server does not answer.", "Check that it runs and its address."),
    ("connection failed", "The database server does not answer.", "Check that it runs and its address."),
)
