"""Events as the platform writes them, signed POSTs, and a Page straight into the table."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

import requests
from sqlalchemy import insert

from broadcaster.store import Store
from broadcaster.store.tables import Page
from broadcaster.webhooks.receiver import Receiver
from broadcaster.webhooks.signature import HEADER, sign

SECRET = "app secret"
MS = 1_795_175_998_123


def event(key: str, content: Any, psid: Any = "77", at: Any = MS, page: str = "1") -> dict[str, Any]:
    return {"sender": {"id": psid}, "recipient": {"id": page}, "timestamp": at, key: content}


def envelope(*bodies: Any, page: str = "1", channel: str = "messaging") -> bytes:
    return json.dumps({"object": "page", "entry": [{"id": page, "time": MS, channel: list(bodies)}]}).encode()


def add_page(store: Store, graph_id: str = "1", app_id: str | None = "9", **values: Any) -> int:
    """A connected Page straight into the table."""
    given = {
        "graph_id": graph_id, "name": f"Page {graph_id}", "platform": "messenger", "graph_url": "http://x",
        "graph_version": "v26.0", "app_id": app_id, "state": "ready", "features": {}, "scopes": [],
        "webhook_subscribed": True, "throttle_per_second": 10.0, "usage_percent": 0, "practice": False,
        "connected_at": datetime(2026, 11, 1, tzinfo=UTC), **values,
    }  # fmt: skip
    with store.write() as conn:
        return int(conn.execute(insert(Page).values(**given).returning(Page.__table__.c.id)).scalar_one())  # type: ignore[attr-defined]


def post(receiver: Receiver, raw: bytes, secret: str = SECRET) -> int:
    """A signed POST; the HTTP status of the answer."""
    return requests.post(receiver.url, data=raw, headers={HEADER: sign(secret, raw)}, timeout=10).status_code
