"""People, Pages and questions for the policy's tests."""

from __future__ import annotations

from datetime import UTC, datetime
from itertools import count
from typing import Any

from sqlalchemy import ColumnElement, Connection, insert, true

from broadcaster.policy.packs import shipped
from broadcaster.policy.question import Question
from broadcaster.states import ACCEPTED_STATES
from broadcaster.store.tables import Audience, Campaign, Contact, Delivery, Page

AT = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)
CONTACTS = Contact.__table__
PAGES = Page.__table__
_NUMBERS = count(1)


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


def add_campaign(conn: Connection, page_id: int, name: str, **given: Any) -> int:
    """A finished campaign to everybody, unless told otherwise."""
    fields = {"name": f"audience of {name}", "page_id": page_id, "kind": "dynamic", "filter": {"all": []}}
    made = {"created_at": AT, "updated_at": AT}
    audience = conn.execute(insert(Audience.__table__).values(**fields, **made)).inserted_primary_key[0]
    row = {
        "permission": "standard",
        "message": {"text": "Hi"},
        "state": "finished",
        "created_by": "Ada",
        **given,
    }
    values = {"name": name, "page_id": page_id, "audience_id": audience, **made, **row}
    return int(conn.execute(insert(Campaign.__table__).values(**values)).inserted_primary_key[0])


def add_sent(conn: Connection, page_id: int, contact_id: int, at: datetime, state: str = "sent") -> None:
    """A message of an earlier campaign; only an accepted one has an instant of sending."""
    campaign = add_campaign(conn, page_id, f"earlier {next(_NUMBERS)}")
    values = {
        "campaign_id": campaign,
        "contact_id": contact_id,
        "state": state,
        "sent_at": at if state in ACCEPTED_STATES else None,
    }
    conn.execute(insert(Delivery.__table__).values(attempt=1, **values))
