"""A workspace with an approved campaign on made-up people, and the product's sender working it off.

    python -m benchmarks.queue_campaign DATABASE_URL [unpaced] [single]

sends what the workspace holds until nothing is left and prints one JSON line: the CPU seconds this process took,
with and without its imports, and its memory. It is the product's own sender: its ledger, its pace, its calls.
``unpaced`` takes the platform's ceiling of 300/s away, ``single`` the batches, for comparisons only.
"""

from __future__ import annotations

import gc
import json
import resource
import sys
import time
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

from sqlalchemy import insert, select

from broadcaster.audiences import saved
from broadcaster.campaigns import catalogue, lifecycle
from broadcaster.campaigns.definition import parse_campaign
from broadcaster.clock import SystemClock
from broadcaster.events import EventHub
from broadcaster.graph.client import GraphClient
from broadcaster.queue import filling, lane, plan
from broadcaster.queue.idle import is_idle
from broadcaster.queue.sender import Sender
from broadcaster.settings import Settings
from broadcaster.states import CampaignState
from broadcaster.store import Store, open_store
from broadcaster.store.tables import Contact, Page

PAGE = "100200300400500"
TEXT = "Hello {{first_name|there}}, our spring sale starts tomorrow at nine. Reply to ask anything!"
ROWS_AT_ONCE = 50_000
UNPACED = 100_000.0
SETTLE_SECONDS = 3.0
"""The local platform takes a message at once; against Meta it is 120."""


def psid(number: int) -> str:
    return str(7_000_000_000_000_000 + number)


def make(url: str, people: int, platform: str, per_second: float, text: str = TEXT) -> tuple[Store, int]:
    """A Page, its people inside their window, and an approved campaign; returns its id."""
    now = datetime.now(UTC)
    store = open_store(url, now)
    with store.write() as conn:
        conn.execute(
            insert(Page).values(
                id=1, graph_id=PAGE, name="Bikes", platform="messenger", graph_url=platform, graph_version="v26.0",
                state="ready", features={}, scopes=[], webhook_subscribed=False, throttle_per_second=per_second,
                usage_percent=0, practice=True, connected_at=now,
            )
        )  # fmt: skip
    for start in range(1, people + 1, ROWS_AT_ONCE):
        with store.write() as conn:
            conn.execute(
                insert(Contact),
                [
                    {
                        "id": n, "page_id": 1, "psid": psid(n), "first_name": f"Ann{n % 997}", "source": "import",
                        "opted_out": False, "unreachable": False, "created_at": now, "updated_at": now,
                        "last_interaction_at": now - timedelta(hours=1, milliseconds=n),
                    }
                    for n in range(start, min(start + ROWS_AT_ONCE, people + 1))
                ],
            )  # fmt: skip
    with store.write() as conn:
        if not store.is_sqlite:
            conn.exec_driver_sql("SELECT setval(pg_get_serial_sequence('contact', 'id'), %s)", (people,))
        saved.save(conn, 1, "All", {"all": []}, now=now)
        draft = parse_campaign(
            {
                "name": "Spring", "page": PAGE, "audience": "All", "permission": "standard",
                "message": {"text": text}, "throttle_per_second": per_second,
            }
        )  # fmt: skip
        campaign = catalogue.create(conn, draft, actor="a", at=now)
        lifecycle.submit(conn, campaign, actor="a", at=now)
        lifecycle.approve(conn, campaign, actor="b", at=now)
        lifecycle.schedule(conn, campaign, now, actor="a", at=now)
    return store, campaign


def sender(store: Store, settle_seconds: float = SETTLE_SECONDS) -> Sender:
    """The product's sender for this workspace."""
    clock = SystemClock()
    with store.read() as conn:
        url = conn.execute(select(Page.__table__.c.graph_url)).scalar_one()  # type: ignore[attr-defined]
    client = GraphClient(url, "v26.0", token="token", page_graph_id=PAGE, timeout=30, clock=clock)
    settings = replace(Settings(Path(), "", graph_url=url), settle_seconds=settle_seconds)
    return Sender(store, lambda _page: client, clock, EventHub(), settings)


def ended(store: Store) -> bool:
    with store.read() as conn:
        running = select(catalogue.CAMPAIGNS.c.id).where(catalogue.CAMPAIGNS.c.state == CampaignState.RUNNING)
        return conn.execute(running).first() is None and is_idle(conn, datetime.now(UTC))


def cpu_seconds() -> float:
    own = resource.getrusage(resource.RUSAGE_SELF)
    return own.ru_utime + own.ru_stime


def unleash(how: Sequence[str]) -> None:
    """What the product never does."""
    if "unpaced" in how:
        plan.page_limit = lambda *_: UNPACED
        filling.ramped = lambda *_: UNPACED
    if "single" in how:
        lane.INBOX_FREEZES_ABOVE = 2 * UNPACED


def main(url: str, *how: str) -> None:
    imports = cpu_seconds()
    unleash(how)
    store = open_store(url, datetime.now(UTC))
    started = time.time()
    work = sender(store)
    work.start()
    gc.freeze()  # as ``broadcaster run`` does
    while not ended(store):
        time.sleep(0.5)
    work.stop()
    store.close()
    all_ = cpu_seconds()
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(json.dumps({"cpu": all_ - imports, "cpu_all": all_, "memory_mb": memory, "started": started}))


if __name__ == "__main__":
    main(*sys.argv[1:])
