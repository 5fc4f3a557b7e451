"""A connected Page, its secrets, and people at the other end: the sandbox, or signed POSTs by hand."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from broadcaster.clock import Clock, SystemClock
from broadcaster.events import EventHub
from broadcaster.pages.connect import connect_page
from broadcaster.sandbox import Behaviour, Sandbox
from broadcaster.secrets import FileSecrets
from broadcaster.settings import Settings
from broadcaster.store import Store
from broadcaster.webhooks.receiver import Receiver
from tests.webhooks.webhook_posting import SECRET


@pytest.fixture
def secrets(tmp_path: Path) -> FileSecrets:
    kept = FileSecrets(tmp_path / "secrets.json")
    kept.set("app:9:secret", SECRET)
    kept.set("page:1:verify_token", "shake")
    return kept


@pytest.fixture
def hub() -> EventHub:
    return EventHub()


@pytest.fixture
def receiving(secrets: FileSecrets, hub: EventHub) -> Iterator[Callable[..., Receiver]]:
    """Start a receiver on a store; it is stopped at the end of the test."""
    running: list[Receiver] = []

    def start(store: Store, clock: Clock | None = None, port: int = 0) -> Receiver:
        receiver = Receiver(store, secrets, clock or SystemClock(), hub, port)
        receiver.start()
        running.append(receiver)
        return receiver

    yield start
    for receiver in running:
        receiver.stop()


@pytest.fixture
def sandbox() -> Iterator[Sandbox]:
    with Sandbox(contacts=30, seed=3, behaviour=Behaviour.quiet()) as running:
        yield running


@pytest.fixture
def practice(
    sandbox: Sandbox,
    sqlite_store: Store,
    secrets: FileSecrets,
    tmp_path: Path,
    receiving: Callable[..., Receiver],
) -> tuple[int, Receiver]:
    """The sandbox's Page connected, its webhooks coming in: our id of the Page, and the receiver."""
    settings = Settings(tmp_path, "sqlite://", graph_url=sandbox.url)
    connected = connect_page(
        sqlite_store, secrets, SystemClock(), settings, page_id=sandbox.page_id, token=sandbox.page_token,
        app_secret=sandbox.app_secret, verify_token=sandbox.verify_token, actor="Ada",
    )  # fmt: skip
    receiver = receiving(sqlite_store)
    sandbox.subscribe(receiver.url)
    return connected.id, receiver
