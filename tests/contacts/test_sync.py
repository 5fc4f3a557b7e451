"""Sync with a simulated Page over HTTP."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from datetime import UTC, datetime

import pytest
from sqlalchemy import insert, select, update

from broadcaster.clock import SystemClock
from broadcaster.contacts import people, sync
from broadcaster.graph.client import GraphClient
from broadcaster.sandbox import Behaviour, Sandbox
from broadcaster.store import Store
from broadcaster.store.tables import Contact, Page


@pytest.fixture(scope="module")
def sandbox() -> Iterator[Sandbox]:
    with Sandbox(contacts=120, seed=3, behaviour=Behaviour.quiet()) as running:
        yield running


@pytest.fixture
def client(sandbox: Sandbox) -> GraphClient:
    return GraphClient(
        sandbox.url,
        "v26.0",
        token=sandbox.page_token,
        page_graph_id=sandbox.page_id,
        timeout=10,
        clock=SystemClock(),
    )


@pytest.fixture
def page_id(store: Store, sandbox: Sandbox) -> int:
    values = {"graph_id": sandbox.page_id, "name": "P", "platform": "messenger", "graph_url": sandbox.url}
    with store.write() as conn:
        done = conn.execute(
            insert(Page).values(**values, graph_version="v26.0", connected_at=datetime.now(UTC))
        )
        return int((done.inserted_primary_key or (0,))[0])


def test_everybody_with_a_conversation_is_taken_once(store: Store, client: GraphClient, page_id: int) -> None:
    first = sync.sync_contacts(store, SystemClock(), client, page_id)
    assert first.at_least and first.complete
    assert 0 < first.conversations == first.created
    again = sync.sync_contacts(store, SystemClock(), client, page_id)
    assert again.created == 0
    assert again.conversations < first.conversations
    with store.read() as conn:
        assert people.count(conn, page_id) == first.created


def test_a_stopped_sync_goes_on_where_it_was(store: Store, client: GraphClient, page_id: int) -> None:
    stop = threading.Event()
    part = sync.sync_contacts(
        store, SystemClock(), client, page_id, progress=lambda _told: stop.set(), cancelled=stop
    )
    assert not part.complete
    rest = sync.sync_contacts(store, SystemClock(), client, page_id)
    assert rest.complete and rest.created > 0
    with store.read() as conn:
        assert people.count(conn, page_id) == part.created + rest.created


def test_a_window_never_moves_back(store: Store, client: GraphClient, page_id: int) -> None:
    sync.sync_contacts(store, SystemClock(), client, page_id)
    later = datetime(2030, 1, 1, tzinfo=UTC)
    with store.write() as conn:
        conn.execute(update(Contact).values(last_interaction_at=later))
        conn.execute(update(Page).values(sync_newest_at=None))
    sync.sync_contacts(store, SystemClock(), client, page_id)
    with store.read() as conn:
        assert set(conn.execute(select(Contact.last_interaction_at)).scalars()) == {later}
