"""A launched campaign on both databases."""

from __future__ import annotations

from datetime import timedelta

import pytest

from broadcaster.campaigns import lifecycle
from broadcaster.clock import ManualClock
from broadcaster.queue.launch import launch
from broadcaster.store import Store
from tests.campaigns.conftest import NOW, campaign, page

__all__ = ["campaign", "launched", "page"]


@pytest.fixture
def launched(page: Store, campaign: int) -> int:
    """The id of a campaign that reaches five people and keeps five out."""
    with page.write() as conn:
        lifecycle.submit(conn, campaign, actor="anna", at=NOW)
        lifecycle.approve(conn, campaign, actor="boris", at=NOW)
        lifecycle.schedule(conn, campaign, NOW + timedelta(seconds=1), actor="anna", at=NOW)
    launch(page, ManualClock(NOW), campaign, "anna")
    return campaign
