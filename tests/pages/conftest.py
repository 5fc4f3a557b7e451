"""A sandbox Page, secrets in a file, and a way to connect the Page through the product's own code."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from broadcaster.clock import SystemClock
from broadcaster.graph.client import GraphClient
from broadcaster.pages.connect import ConnectedPage, connect_page
from broadcaster.sandbox import Behaviour, Sandbox
from broadcaster.secrets import FileSecrets
from broadcaster.settings import Settings
from broadcaster.store import Store


@pytest.fixture
def sandbox() -> Iterator[Sandbox]:
    with Sandbox(contacts=10, seed=3, behaviour=Behaviour.quiet()) as running:
        yield running


@pytest.fixture
def secrets(tmp_path: Path) -> FileSecrets:
    return FileSecrets(tmp_path / "secrets.json")


@pytest.fixture
def connect(
    sandbox: Sandbox, sqlite_store: Store, secrets: FileSecrets, tmp_path: Path
) -> Callable[..., ConnectedPage]:
    def make(url: str | None = None, **changes: Any) -> ConnectedPage:
        settings = Settings(tmp_path, "sqlite://", graph_url=url or sandbox.url, http_timeout=5.0)
        given = {
            "page_id": sandbox.page_id,
            "token": sandbox.page_token,
            "app_secret": sandbox.app_secret,
            "actor": "Ada",
        }
        return connect_page(sqlite_store, secrets, SystemClock(), settings, **{**given, **changes})

    return make


@pytest.fixture
def client(sandbox: Sandbox) -> GraphClient:
    return GraphClient(
        sandbox.url,
        "v26.0",
        token=sandbox.page_token,
        page_graph_id=sandbox.page_id,
        timeout=5.0,
        clock=SystemClock(),
    )
