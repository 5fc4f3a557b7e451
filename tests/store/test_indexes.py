"""Indexes left out by an import that was killed come back; a database in use opens all the same."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

from sqlalchemy import inspect

from broadcaster.store import Store, open_store
from broadcaster.store.indexes import LATER, leave_indexes_for_later, restore_indexes
from tests.conftest import NOW


def missing(store: Store) -> set[str]:
    with store.read() as conn:
        there = {
            one["name"] for table in ("contact", "interaction") for one in inspect(conn).get_indexes(table)
        }
    return {str(index.name) for index in LATER} - there


def test_opening_makes_them_again(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'b.db'}"
    store = open_store(url, NOW)
    with store.write() as conn:
        assert leave_indexes_for_later(conn)
    assert len(missing(store)) == len(LATER) == 2
    store.close()
    again = open_store(url, NOW)
    assert missing(again) == set()
    again.close()


def test_a_database_that_somebody_writes_opens_without_them(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'b.db'}"
    store = open_store(url, NOW)
    with store.write() as conn:
        leave_indexes_for_later(conn)
    with closing(sqlite3.connect(tmp_path / "b.db", isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        again = open_store(url, NOW)
        assert len(missing(again)) == 2
        other.execute("ROLLBACK")
    restore_indexes(again)
    assert missing(again) == set()
    again.close()
    store.close()


def test_a_workspace_with_people_keeps_them(sqlite_store: Store) -> None:
    with sqlite_store.write() as conn:
        conn.exec_driver_sql(
            "INSERT INTO page (graph_id, name, platform, graph_url, graph_version, connected_at, state, features, "
            "scopes, webhook_subscribed, throttle_per_second, usage_percent, practice) "
            "VALUES ('1', 'P', 'messenger', 'x', 'v', 0, 'ready', '{}', '[]', 0, 10, 0, 0)"
        )
        conn.exec_driver_sql(
            "INSERT INTO contact (page_id, psid, opted_out, unreachable, source, created_at, updated_at) "
            "VALUES (1, '7', 0, 0, 'import', 0, 0)"
        )
        assert not leave_indexes_for_later(conn)
    assert missing(sqlite_store) == set()
