"""A Page with a few dozen people of every kind, a campaign sent to some of them."""

from __future__ import annotations

from dataclasses import dataclass

import pytest

from broadcaster.store import Store
from tests.audiences.crowd import Crowd, settle


@dataclass(frozen=True, slots=True)
class Settled:
    store: Store
    crowd: Crowd


@pytest.fixture
def settled(store: Store) -> Settled:
    return Settled(store, settle(store))
