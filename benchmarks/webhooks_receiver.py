"""Events per second through the signed HTTP receiver, each POST answered after its commit.

    python -m benchmarks.webhooks_receiver [events] [events per POST] [connections]

The poster runs in a process of its own. Bar: 3,000 events/s.
"""

from __future__ import annotations

import asyncio
import json
import multiprocessing
import sys
import tempfile
import time
from datetime import UTC, datetime
from pathlib import Path

import aiohttp
from sqlalchemy import func, insert, select

from broadcaster.clock import SystemClock
from broadcaster.events import EventHub
from broadcaster.secrets import FileSecrets
from broadcaster.store import open_store
from broadcaster.store.tables import Page
from broadcaster.webhooks.inbox import EVENTS
from broadcaster.webhooks.receiver import Receiver
from broadcaster.webhooks.signature import HEADER, sign

SECRET = "app secret"


def bodies(count: int, per_post: int) -> list[bytes]:
    """Delivery and read events of a campaign, as the platform posts them."""
    now = time.time_ns() // 1_000_000
    events = [
        {
            "sender": {"id": str(4_000_000_000_000_000 + n // 2)},
            "recipient": {"id": "1"},
            "timestamp": now + n,
            **(
                {"delivery": {"mids": [f"m_{n}_abcdefghijklmnopqrstuvwxyz"], "watermark": now + n}}
                if n % 2
                else {"read": {"watermark": now + n}}
            ),
        }
        for n in range(count)
    ]
    return [
        json.dumps(
            {
                "object": "page",
                "entry": [{"id": "1", "time": now, "messaging": [one]} for one in events[at : at + per_post]],
            }
        ).encode()
        for at in range(0, count, per_post)
    ]


async def _post_all(url: str, posts: list[bytes], connections: int) -> float:
    waiting = iter(posts)
    connector = aiohttp.TCPConnector(limit=connections)
    async with aiohttp.ClientSession(connector=connector, trust_env=False) as session:

        async def lane() -> None:
            for raw in waiting:
                headers = {HEADER: sign(SECRET, raw), "Content-Type": "application/json"}
                async with session.post(url, data=raw, headers=headers) as answer:
                    assert answer.status == 200

        start = time.perf_counter()
        await asyncio.gather(*(lane() for _ in range(connections)))
        return time.perf_counter() - start


def poster(url: str, posts: list[bytes], connections: int, out: multiprocessing.Queue[float]) -> None:
    out.put(asyncio.run(_post_all(url, posts, connections)))


def main(count: int = 20_000, per_post: int = 1, connections: int = 32) -> None:
    with tempfile.TemporaryDirectory() as folder:
        now = datetime.now(UTC)
        store = open_store(f"sqlite:///{folder}/bench.db", now)
        with store.write() as conn:
            conn.execute(
                insert(Page).values(
                    graph_id="1", name="P", platform="messenger", graph_url="x", graph_version="v26.0",
                    app_id="9", connected_at=now,
                )
            )  # fmt: skip
        secrets = FileSecrets(Path(folder) / "secrets.json")
        secrets.set("app:9:secret", SECRET)
        receiver = Receiver(store, secrets, SystemClock(), EventHub())
        receiver.start()
        apart = multiprocessing.get_context("spawn")
        out: multiprocessing.Queue[float] = apart.Queue()
        process = apart.Process(target=poster, args=(receiver.url, bodies(count, per_post), connections, out))
        cpu = time.process_time()
        process.start()
        seconds = out.get(timeout=300)
        process.join()
        cpu = time.process_time() - cpu
        with store.read() as conn:
            stored = conn.execute(select(func.count()).select_from(EVENTS)).scalar_one()
        assert stored == count, stored
        print(
            f"{count} events, {per_post} per POST, {connections} connections: {count / seconds:,.0f} events/s, "
            f"{cpu / count * 10_000:.2f} CPU s per 10,000"
        )
        applied = time.perf_counter()
        assert receiver.settle(300)
        print(f"applied {time.perf_counter() - applied:.2f} s later")
        receiver.stop()
        store.close()


if __name__ == "__main__":
    main(*(int(argument) for argument in sys.argv[1:]))
