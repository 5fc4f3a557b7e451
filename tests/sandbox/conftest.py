"""A started sandbox with a caller and a receiver."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from broadcaster.sandbox import Behaviour, Sandbox
from tests.sandbox.sandbox_http import Caller, Receiver


@pytest.fixture
def sandbox() -> Iterator[Sandbox]:
    """Thirty people who all wrote within the last day and do nothing by themselves but receive."""
    with Sandbox(contacts=30, seed=5, behaviour=Behaviour.quiet()) as started:
        yield started


@pytest.fixture
def caller(sandbox: Sandbox) -> Iterator[Caller]:
    calling = Caller(sandbox)
    yield calling
    calling.http.close()


@pytest.fixture
def receiver(sandbox: Sandbox) -> Iterator[Receiver]:
    """Subscribed to everything the sandbox tells."""
    listening = Receiver(sandbox.verify_token, sandbox.app_secret)
    sandbox.subscribe(listening.url)
    yield listening
    listening.close()
