"""Events per second from the inbox into the ledger: echo, delivered and read of a campaign, some replies.

    python -m benchmarks.webhooks_inbox [people] [sqlite|postgres]

Bar: 10,000 events/s.
"""

from __future__ import annotations

import json
import random
import sys
import tempfile
import time
from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import func, insert, select

from benchmarks.databases import database
from broadcaster.clock import SystemClock, epoch_ms
from broadcaster.events import EventHub
from broadcaster.queue.install import install_id
from broadcaster.store import Store, open_store
from broadcaster.store.tables import Audience, Campaign, Contact, Delivery, Page
from broadcaster.webhooks.applying import apply_pending
from broadcaster.webhooks.events import InboundEvent, parse
from broadcaster.webhooks.inbox import state, store_events

REPLIES = 0.05
SENT = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)


def fill(store: Store, people: int) -> str:
    """A campaign sent to everybody; the installation's id."""
    with store.write() as conn:
        conn.execute(
            insert(Page).values(
                id=1, graph_id="1", name="P", platform="messenger", graph_url="x", graph_version="v26.0",
                connected_at=SENT,
            )
        )  # fmt: skip
        conn.execute(
            insert(Contact),
            [
                {"id": n, "page_id": 1, "psid": str(10**15 + n), "created_at": SENT, "updated_at": SENT}
                for n in range(1, people + 1)
            ],
        )
        conn.execute(
            insert(Audience).values(id=1, page_id=1, name="A", filter={}, created_at=SENT, updated_at=SENT)
        )
        conn.execute(
            insert(Campaign).values(
                id=1, name="C", page_id=1, audience_id=1, permission="standard", message={"text": "Hi"},
                created_at=SENT, created_by="A", updated_at=SENT, state="running",
            )
        )  # fmt: skip
        conn.execute(
            insert(Delivery),
            [
                {
                    "id": n, "campaign_id": 1, "contact_id": n, "state": "sent", "attempt": 1, "sent_at": SENT,
                    "intent_at": SENT, "message_id": f"m_{n}_abcdefghijklmnopqrstuvwxyz",
                }
                for n in range(1, people + 1)
            ],
        )  # fmt: skip
        return install_id(conn)


def events(people: int, install: str) -> list[dict[str, Any]]:
    """What the platform tells of it, in a disorder that repeats from run to run."""
    at = epoch_ms(SENT)
    found = []
    for n in range(1, people + 1):
        psid, mid, page = {"id": str(10**15 + n)}, f"m_{n}_abcdefghijklmnopqrstuvwxyz", {"id": "1"}
        echo = {"is_echo": True, "mid": mid, "metadata": f"{install}.{n}.1", "app_id": 9}
        found.append({"sender": page, "recipient": psid, "timestamp": at + 50, "message": echo})
        told: list[dict[str, Any]] = [
            {"delivery": {"mids": [mid], "watermark": at + 900}},
            {"read": {"watermark": at + 9000}},
        ]
        if random.random() < REPLIES:
            told.append({"message": {"mid": f"r_{n}", "text": "Thank you!"}})
        found += [{"sender": psid, "recipient": page, "timestamp": at + 9000, **content} for content in told]
    random.shuffle(found)
    return found


def main(people: int = 20_000, kind: str = "sqlite") -> None:
    random.seed(1)
    with tempfile.TemporaryDirectory() as folder, database(kind, folder) as url:
        store = open_store(url, SENT)
        install = fill(store, people)
        bodies = events(people, install)
        read: list[InboundEvent] = []
        for at in range(0, len(bodies), 50):
            raw = {"entry": [{"id": "1", "time": 1, "messaging": bodies[at : at + 50]}]}
            read += parse(json.dumps(raw).encode())
        start = time.perf_counter()
        with store.write() as conn:
            store_events(conn, read, SENT + timedelta(minutes=1))
        stored = time.perf_counter() - start
        cpu, start = time.process_time(), time.perf_counter()
        done = apply_pending(store, SystemClock(), EventHub())
        seconds, cpu = time.perf_counter() - start, time.process_time() - cpu
        with store.read() as conn:
            left = state(conn)
            known = conn.execute(
                select(func.count()).select_from(Delivery).where(Delivery.__table__.c.state != "sent")
            ).scalar_one()
        assert (done, left.waiting, left.failed) == (len(bodies), 0, 0), left
        print(
            f"{kind}: {done} events: stored {done / stored:,.0f}/s, applied {done / seconds:,.0f}/s "
            f"({cpu / done * 10_000:.2f} CPU s per 10,000); {known} of {people} rows lifted by message id"
        )
        store.close()


if __name__ == "__main__":
    main(*(int(one) if one.isdigit() else one for one in sys.argv[1:]))  # type: ignore[arg-type]
