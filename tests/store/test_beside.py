"""A second reader sees what the first sees, or there is none."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import Connection, text
from sqlalchemy.exc import OperationalError

from broadcaster.store import Store, beside, connect
from broadcaster.store.beside import reader_beside, rows_of
from broadcaster.store.interrupt import interruptible

FOREVER = text("WITH RECURSIVE n(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM n) SELECT count(*) FROM n")


@pytest.fixture
def numbers(tmp_path: Path) -> Iterator[Store]:
    store = connect(f"sqlite:///{tmp_path / 'numbers.db'}")
    with store.write() as conn:
        conn.exec_driver_sql("CREATE TABLE number (x INTEGER)")
        conn.exec_driver_sql("INSERT INTO number VALUES (1), (2), (3)")
    yield store
    store.close()


def total(conn: Connection | None) -> int:
    assert conn is not None
    return int(conn.exec_driver_sql("SELECT sum(x) FROM number").scalar_one())


def add(store: Store) -> None:
    with store.write() as conn:
        conn.exec_driver_sql("INSERT INTO number VALUES (10)")


def test_both_keep_their_view_while_others_write(numbers: Store) -> None:
    with numbers.read(wide=True) as conn:
        add(numbers)
        assert (total(conn), total(reader_beside(conn))) == (6, 6)
    with numbers.read(wide=True) as conn:
        assert (total(conn), total(reader_beside(conn))) == (16, 16)


def test_a_commit_between_the_two_beginnings_is_noticed(
    numbers: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    version, looks = beside._version, []

    def with_writers(conn: Connection) -> int:
        looks.append(conn)
        if len(looks) == 2:  # the first reader's view stands, the second's does not yet
            add(numbers)
        return version(conn)

    monkeypatch.setattr(beside, "_version", with_writers)
    with numbers.read(wide=True) as conn:
        assert len(looks) == 4
        assert total(conn) == total(reader_beside(conn)) == 16


def test_among_busy_writers_it_counts_alone(numbers: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    version = beside._version

    def with_writers(conn: Connection) -> int:
        add(numbers)
        return version(conn)

    monkeypatch.setattr(beside, "_version", with_writers)
    with numbers.read(wide=True) as conn:
        assert reader_beside(conn) is None
        assert total(conn) == 6 + 10 * 2 * beside.TRIES
        assert len(rows_of(conn, [text("SELECT x FROM number WHERE x < 10")] * 2)) == 6


def test_queries_are_shared_out(numbers: Store) -> None:
    with numbers.read(wide=True) as conn:
        rows = rows_of(conn, [text(f"SELECT x * {n} FROM number") for n in range(1, 41)])
    assert sorted(row[0] for row in rows) == sorted(x * n for x in (1, 2, 3) for n in range(1, 41))


def test_who_does_not_ask_has_one_reader(store: Store) -> None:
    with store.read() as conn:
        assert reader_beside(conn) is None
    with store.read(wide=True) as conn:
        assert (reader_beside(conn) is not None) == store.is_sqlite


@pytest.mark.parametrize("place", [0, 20, 39])
def test_a_fault_of_either_is_told(numbers: Store, place: int) -> None:
    queries = [text("SELECT x FROM number")] * 40
    queries[place] = text("SELECT y FROM number")
    with pytest.raises(OperationalError, match="no such column"), numbers.engine.connect() as plain:
        with beside.accompanied(plain) as conn:
            rows_of(conn, queries)


def test_both_are_interrupted(numbers: Store) -> None:
    with pytest.raises(OperationalError, match="interrupted"), numbers.read(wide=True) as conn:
        with interruptible(conn) as stop:
            threading.Timer(0.3, stop).start()
            rows_of(conn, [FOREVER, FOREVER, FOREVER])
