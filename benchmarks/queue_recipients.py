"""What every other queue is given: a table of people in SQLite, one call each, and where the message id goes.

The table is the kindest that a careful user would write: WAL, one short transaction per message, only those
without a message id are (put in the queue and) sent.
"""

from __future__ import annotations

import json
import os
import sqlite3
import threading
import time
from collections.abc import Iterable
from pathlib import Path

import requests

from benchmarks.queue_campaign import PAGE, cpu_seconds, psid

_own = threading.local()
IMPORTED = cpu_seconds()
"""CPU seconds until here: taken off what a peer reports."""


def folder() -> Path:
    return Path(os.environ["BENCH_FOLDER"])


def platform() -> str:
    return os.environ["BENCH_PLATFORM"]


def connection() -> sqlite3.Connection:
    """This thread's connection."""
    if not hasattr(_own, "connection"):
        _own.connection = sqlite3.connect(folder() / "people.db", timeout=30, isolation_level=None)
        _own.connection.execute("PRAGMA journal_mode=WAL")
        _own.connection.execute("PRAGMA synchronous=NORMAL")
    found: sqlite3.Connection = _own.connection
    return found


def fill(people: int) -> None:
    db = connection()
    db.execute("CREATE TABLE person (id INTEGER PRIMARY KEY, psid TEXT, name TEXT, message_id TEXT)")
    rows = [(n, psid(n), f"Ann{n % 997}") for n in range(1, people + 1)]
    db.execute("BEGIN")
    db.executemany("INSERT INTO person VALUES (?, ?, ?, NULL)", rows)
    db.execute("COMMIT")


def open_people() -> list[tuple[int, str, str]]:
    """(id, psid, name) of those without a message id."""
    return connection().execute("SELECT id, psid, name FROM person WHERE message_id IS NULL").fetchall()


def recorded() -> int:
    found: int = connection().execute("SELECT count(message_id) FROM person").fetchone()[0]
    return found


def text(name: str) -> str:
    return f"Hello {name}, our spring sale starts tomorrow at nine. Reply to ask anything!"


def note(rows: Iterable[tuple[str, int]]) -> None:
    """Write (message id, person) down."""
    db = connection()
    db.execute("BEGIN IMMEDIATE")
    db.executemany("UPDATE person SET message_id = ? WHERE id = ?", rows)
    db.execute("COMMIT")


def send(number: int, who: str, name: str) -> None:
    """The task of every queue: one call over a kept connection, then the message id is written down."""
    if not hasattr(_own, "session"):
        _own.session = requests.Session()
        _own.session.trust_env = False
    body = {"recipient": {"id": who}, "message": {"text": text(name)}, "messaging_type": "UPDATE"}
    answer = _own.session.post(f"{platform()}/v26.0/{PAGE}/messages", json=body, timeout=30)
    note([(answer.json()["message_id"], number)])


def wait_until_recorded(people: int, patience: float) -> None:
    """Until everybody has a message id, or nothing has moved for so many seconds."""
    known, moved = -1, time.monotonic()
    while known < people and time.monotonic() - moved < patience:
        time.sleep(0.1)
        if (now := recorded()) != known:
            known, moved = now, time.monotonic()


def tell() -> None:
    """How the driver hears of it."""
    print(json.dumps({"cpu": cpu_seconds() - IMPORTED}), flush=True)
