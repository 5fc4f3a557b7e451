"""People, Pages and questions for the policy's tests."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from sqlalchemy import ColumnElement, Connection, insert, true

from broadcaster.policy.packs import shipped
from broadcaster.policy.question import Question
from broadcaster.store.tables import Contact, Page

AT = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)
CONTACTS = Contact.__table__
PAGES = Page.__table__


def add_page(conn: Connection, platform: str = "messenger", graph_id: str = "100") -> int:
    fields = {"graph_id": graph_id, "name": "Practice", "platform": platform, "graph_url": "http://127.0.0.1"}
    rest = {"graph_version": "v26.0", "state": "ready", "features": {}, "scopes": [], "connected_at": AT}
    pace = {"webhook_subscribed": False, "throttle_per_second": 10.0, "usage_percent": 0, "practice": True}
    return int(conn.execute(insert(PAGES).values(**fields, **rest, **pace)).inserted_primary_key[0])


def add_person(conn: Connection, page_id: int, psid: str, **facts: Any) -> int:
    row = {"opted_out": False, "unreachable": False, "source": "import", "created_at": AT, "updated_at": AT}
    values = {**row, **facts, "page_id": page_id, "psid": psid}
    return int(conn.execute(insert(CONTACTS).values(**values)).inserted_primary_key[0])


def ask(page_id: int, permission: str = "standard", **given: Any) -> Question:
    everybody: ColumnElement[bool] = true()
    values: dict[str, Any] = {"platform": "messenger", "at": AT, "pack": shipped(), "audience": everybody}
    return Question(page_id=page_id, permission=permission, **{**values, **given})
