"""A Page with people and an audience, on both databases."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import insert

from broadcaster.audiences import saved
from broadcaster.campaigns import catalogue
from broadcaster.campaigns.definition import parse_campaign
from broadcaster.store import Store
from broadcaster.store.tables import Contact, Page

NOW = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)
WRITTEN: dict[str, Any] = {
    "name": "Reminder",
    "page": "1",
    "audience": "All",
    "permission": "standard",
    "message": {"text": "Hi {{first_name|there}}"},
}


@pytest.fixture
def page(store: Store) -> Store:
    """One Page with ten people: the n-th acted n hours ago, in steps of four."""
    with store.write() as conn:
        conn.execute(
            insert(Page).values(
                id=1, graph_id="1", name="Bikes", platform="messenger", graph_url="http://x", graph_version="v26.0",
                state="ready", features={}, scopes=[], webhook_subscribed=False, throttle_per_second=10,
                usage_percent=0, practice=False, connected_at=NOW,
            )
        )  # fmt: skip
        people = [
            {
                "id": n, "page_id": 1, "psid": str(100 + n), "first_name": f"P{n}", "opted_out": False,
                "unreachable": False, "source": "import", "created_at": NOW, "updated_at": NOW,
                "last_interaction_at": NOW - timedelta(hours=4 * n),
            }
            for n in range(1, 11)
        ]  # fmt: skip
        conn.execute(insert(Contact), people)
        saved.save(conn, 1, "All", {"all": []}, now=NOW)
    return store


@pytest.fixture
def campaign(page: Store) -> int:
    """The id of a draft."""
    with page.write() as conn:
        return catalogue.create(conn, parse_campaign(WRITTEN), actor="planner", at=NOW)
