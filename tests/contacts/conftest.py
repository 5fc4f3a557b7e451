"""A Page on each database, and files of people."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import insert

from broadcaster.clock import ManualClock
from broadcaster.contacts.importing import ImportResult, import_contacts
from broadcaster.store import Store
from broadcaster.store.tables import Page
from tests.conftest import NOW

Take = Callable[..., ImportResult]


@pytest.fixture
def page_id(store: Store) -> int:
    return new_page(store, "1000")


def new_page(store: Store, graph_id: str) -> int:
    values = {"graph_id": graph_id, "name": f"Page {graph_id}", "platform": "messenger"}
    with store.write() as conn:
        done = conn.execute(
            insert(Page).values(**values, graph_url="x", graph_version="v26.0", connected_at=NOW)
        )
        return int((done.inserted_primary_key or (0,))[0])


@pytest.fixture
def take(store: Store, clock: ManualClock, page_id: int, tmp_path: Path) -> Take:
    """Import a text (or bytes, or a path) into the Page."""

    def run(given: str | bytes | Path, **options: Any) -> ImportResult:
        path = given if isinstance(given, Path) else tmp_path / "people.csv"
        if not isinstance(given, Path):
            path.write_bytes(given if isinstance(given, bytes) else given.encode())
        options = {"rejects": tmp_path / "rejects.csv"} | options
        return import_contacts(store, clock, page_id, path, **options)

    return run


def table(path: Path) -> list[Mapping[str, str]]:
    return list(csv.DictReader(io.StringIO(path.read_text("utf-8"), newline="")))
