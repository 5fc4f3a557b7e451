"""A sandbox Page over real loopback HTTP, and a client for it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from broadcaster.clock import SystemClock
from broadcaster.graph.client import GraphClient
from broadcaster.graph.outcomes import Outcome
from broadcaster.sandbox import Behaviour, Sandbox


@pytest.fixture
def sandbox() -> Iterator[Sandbox]:
    with Sandbox(contacts=60, seed=3, behaviour=Behaviour.quiet()) as running:
        yield running


@pytest.fixture
def connect(sandbox: Sandbox) -> Callable[..., GraphClient]:
    def make(**changes: Any) -> GraphClient:
        given: dict[str, Any] = {
            "token": sandbox.page_token,
            "page_graph_id": sandbox.page_id,
            "timeout": 5.0,
            "clock": SystemClock(),
        }
        return GraphClient(changes.pop("base_url", sandbox.url), "v26.0", **{**given, **changes})

    return make


@pytest.fixture
def client(connect: Callable[..., GraphClient]) -> GraphClient:
    return connect()


@pytest.fixture
def say(client: GraphClient, sandbox: Sandbox) -> Callable[..., Outcome]:
    def send(psid: str | None = None, text: str = "Hello", metadata: str = "i.1.1") -> Outcome:
        return client.send(
            psid or sandbox.person(0).psid, {"text": text}, messaging_type="UPDATE", metadata=metadata
        )

    return send
