"""A place to send from: small on SQLite, and the same on PostgreSQL where the SQL differs."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from broadcaster.store import Store, connect, open_store
from tests.queue.floor import NOW, Floor, floor_on

PEOPLE = 12


@pytest.fixture(scope="session")
def empty_database(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A database with the schema and nothing in it, to be copied: migrating takes longer than most tests."""
    path = tmp_path_factory.mktemp("schema") / "empty.db"
    open_store(f"sqlite:///{path}", NOW).close()
    return path


@pytest.fixture
def fresh_store(empty_database: Path, tmp_path: Path) -> Iterator[Store]:
    path = tmp_path / "broadcaster.db"
    shutil.copy(empty_database, path)
    store = connect(f"sqlite:///{path}")
    yield store
    store.close()


@pytest.fixture
def floor(fresh_store: Store) -> Iterator[Floor]:
    """Twelve people on SQLite."""
    with floor_on(fresh_store, PEOPLE) as made:
        yield made


@pytest.fixture
def shared_floor(postgres_store: Store) -> Iterator[Floor]:
    """Twelve people on PostgreSQL."""
    with floor_on(postgres_store, PEOPLE) as made:
        yield made


@pytest.fixture(params=["floor", "shared_floor"])
def any_floor(request: pytest.FixtureRequest) -> Floor:
    """The same test on both databases."""
    chosen: Floor = request.getfixturevalue(request.param)
    return chosen
