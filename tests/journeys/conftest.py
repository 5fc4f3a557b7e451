"""A simulated Page and a workspace connected to it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from broadcaster.sandbox import Sandbox
from tests.journeys.line import CommandLine, connect


@pytest.fixture
def sandbox() -> Iterator[Sandbox]:
    with Sandbox(contacts=60, seed=5) as running:
        yield running


@pytest.fixture
def line(sandbox: Sandbox, tmp_path: Path) -> CommandLine:
    """A workspace whose Page is connected."""
    return connect(sandbox, tmp_path)
