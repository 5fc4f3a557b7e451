"""The chained log: whole it holds; changed, cut out or inserted it says where it broke."""

from __future__ import annotations

import csv
from datetime import UTC, datetime
from pathlib import Path

from sqlalchemy import text

from broadcaster.audit import log
from broadcaster.store import Store

AT = datetime(2026, 11, 20, 12, 0, 0, 123000, tzinfo=UTC)


def fill(store: Store, count: int) -> None:
    with store.write() as conn:
        for number in range(count):
            log.record(
                conn,
                at=AT,
                actor="ada",
                action="did",
                subject_kind="campaign",
                subject="S",
                detail={"n": number},
            )


def test_a_whole_chain_holds(store: Store) -> None:
    fill(store, 5)
    with store.read() as conn:
        found = log.verify(conn)
        assert (found.entries, found.broken_at, found.head) == (5, None, log.head(conn))


def test_a_changed_entry_is_found(store: Store) -> None:
    fill(store, 5)
    with store.write() as conn:
        conn.execute(text("UPDATE audit_entry SET actor = 'eve' WHERE id = 3"))
    with store.read() as conn:
        assert log.verify(conn).broken_at == 3


def test_a_removed_entry_is_found(store: Store) -> None:
    fill(store, 5)
    with store.write() as conn:
        conn.execute(text("DELETE FROM audit_entry WHERE id = 2"))
    with store.read() as conn:
        assert log.verify(conn).broken_at == 3


def test_export_carries_the_hashes_and_no_formula(sqlite_store: Store, tmp_path: Path) -> None:
    with sqlite_store.write() as conn:
        log.record(conn, at=AT, actor="=cmd()", action="did", subject_kind="page", subject="1")
    with sqlite_store.read() as conn:
        assert log.export(conn, tmp_path / "audit.csv") == 1
        head = log.head(conn)
    row = next(csv.DictReader((tmp_path / "audit.csv").open(encoding="utf-8")))
    assert row["hash"] == head
    assert row["actor"] == "'=cmd()"
