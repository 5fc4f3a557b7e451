"""Opening, refusing, migrating and reading the database, on SQLite and PostgreSQL."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from sqlalchemy import event, select, text
from sqlalchemy.exc import IntegrityError

from broadcaster.errors import BadInput, DatabaseNewer
from broadcaster.store import Store, connect, open_store, opening
from broadcaster.store.tables import Page, metadata

NOW = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)


def a_page(**changes: object) -> Page:
    fields = {
        "graph_id": "1",
        "name": "P",
        "platform": "messenger",
        "graph_url": "http://x",
        "graph_version": "v26.0",
        "connected_at": NOW,
    }
    return Page(**{**fields, **changes})


def test_migrated_schema_equals_the_tables(store: Store) -> None:
    with store.read() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        assert compare_metadata(context, metadata) == []


def test_instants_come_back_aware_in_utc(store: Store) -> None:
    local = datetime(2026, 11, 20, 14, 0, 0, 123000, tzinfo=timezone(timedelta(hours=5, minutes=45)))
    with store.session() as session:
        session.add(a_page(connected_at=local))
    with store.read() as connection:
        found = connection.execute(select(Page.connected_at)).scalar_one()
    assert found == local
    assert found.tzinfo is UTC


def test_a_failed_write_leaves_nothing(store: Store) -> None:
    with pytest.raises(ValueError, match="stop"), store.session() as session:
        session.add(a_page())
        session.flush()
        raise ValueError("stop")
    with store.read() as connection:
        assert connection.execute(select(Page.id)).all() == []


def test_newer_database_is_refused_and_untouched(store: Store) -> None:
    with store.write() as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = '9999'"))
    with pytest.raises(DatabaseNewer, match="newer version"):
        open_store(store.engine.url.render_as_string(hide_password=False), NOW)
    with store.read() as connection:
        assert connection.execute(text("SELECT version_num FROM alembic_version")).scalar_one() == "9999"


def test_writes_are_synced_to_disk(sqlite_store: Store) -> None:
    with sqlite_store.write() as connection:
        assert connection.exec_driver_sql("PRAGMA synchronous").scalar_one() == 2
        assert connection.exec_driver_sql("PRAGMA journal_mode").scalar_one() == "wal"


def test_keys_are_looked_up_but_where_they_are_ones_own(sqlite_store: Store) -> None:
    stray = text("INSERT INTO label (page_id, name) VALUES (99, 'x')")
    with sqlite_store.write(own_keys=True) as connection:
        connection.execute(stray)
    for _ in range(2):  # whichever connection the pool gives
        with pytest.raises(IntegrityError), sqlite_store.write() as connection:
            connection.execute(stray)


@pytest.mark.parametrize("url", ["nonsense", "mysql://somewhere/x"])
def test_unusable_urls_are_refused_with_the_mend(url: str) -> None:
    with pytest.raises(BadInput, match="postgresql"):
        connect(url)


def test_opening_twice_changes_nothing(sqlite_store: Store, tmp_path: Path) -> None:
    open_store(str(sqlite_store.engine.url), NOW).close()
    assert list(tmp_path.glob("*.bak")) == []


def test_an_older_database_is_copied_before_it_is_brought_up_to_date(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    url = f"sqlite:///{tmp_path / 'old.db'}"
    store = open_store(url, NOW)
    with store.session() as session:
        session.add(a_page(name="kept"))
    with store.write() as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = '0000'"))
    store.close()
    # there was no release yet: "0000" stands for an older schema whose step to the next one is known
    monkeypatch.setattr(opening, "revisions", lambda: ["0000", "0001"])
    monkeypatch.setattr(opening, "_upgrade", _step_from_0000)
    open_store(url, NOW).close()
    backup = next(tmp_path.glob("old.db.before-0000-20261120T120000Z.bak"))
    copy = connect(f"sqlite:///{backup}")
    with copy.read() as connection:
        assert connection.execute(text("SELECT version_num FROM alembic_version")).scalar_one() == "0000"
        assert connection.execute(select(Page.name)).scalar_one() == "kept"
    copy.close()


def _step_from_0000(store: Store) -> None:
    with store.write() as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = '0001'"))


def test_foreign_keys_are_set_only_when_they_change(sqlite_store: Store) -> None:
    """Each time they are set, SQLite prepares every statement of the connection again."""
    said: list[str] = []

    def listen(connection: object, *_: object) -> None:
        connection.set_trace_callback(said.append)  # type: ignore[attr-defined]

    event.listen(sqlite_store.engine.pool, "checkout", listen)
    for own_keys in (False, False, True, True, False):
        with sqlite_store.write(own_keys=own_keys):
            pass
    set_ = [text for text in said if "foreign_keys" in text]
    assert set_ == ["PRAGMA foreign_keys=OFF", "PRAGMA foreign_keys=ON"]
    assert said.count("BEGIN IMMEDIATE") >= 5
