"""Sending at 300/s while receipts pour in, and without them: do they slow the sender?

    python -m benchmarks.queue_receipts [people]

Sender and receiver run in one process, as in the product. A second process posts, for every message the platform
took, its echo, its delivery and its reading, each signed and alone in a POST: 900 a second.
"""

from __future__ import annotations

import asyncio
import json
import multiprocessing
import sys
import tempfile
import time
from pathlib import Path

import aiohttp
from sqlalchemy import select, update

from benchmarks.queue_campaign import PAGE, cpu_seconds, ended, make, sender
from benchmarks.queue_platform import ask, running
from broadcaster.clock import SystemClock
from broadcaster.events import EventHub
from broadcaster.queue.counting import counts
from broadcaster.queue.launch import launch
from broadcaster.secrets import FileSecrets
from broadcaster.store import Store
from broadcaster.store.tables import Page
from broadcaster.webhooks.inbox import EVENTS
from broadcaster.webhooks.receiver import Receiver
from broadcaster.webhooks.signature import HEADER, sign

SECRET = "app secret"
CONNECTIONS = 16


def events(number: int, at: float, psid: str, metadata: str) -> list[bytes]:
    """Echo, delivery and reading of one message, as three POSTs."""
    ms, person, page, mid = int(at * 1000), {"id": psid}, {"id": PAGE}, f"m_{number}"
    echo = {"is_echo": True, "mid": mid, "metadata": metadata, "app_id": 9}
    told = [
        {"sender": page, "recipient": person, "timestamp": ms, "message": echo},
        {"sender": person, "recipient": page, "timestamp": ms, "delivery": {"mids": [mid], "watermark": ms}},
        {"sender": person, "recipient": page, "timestamp": ms + 900, "read": {"watermark": ms + 900}},
    ]
    return [
        json.dumps({"object": "page", "entry": [{"id": PAGE, "time": ms, "messaging": [one]}]}).encode()
        for one in told
    ]


async def _post(platform: str, url: str, people: int) -> None:
    waiting: asyncio.Queue[bytes] = asyncio.Queue()
    async with aiohttp.ClientSession(trust_env=False) as session:

        async def lane() -> None:
            while raw := await waiting.get():
                headers = {HEADER: sign(SECRET, raw), "Content-Type": "application/json"}
                async with session.post(url, data=raw, headers=headers) as answer:
                    assert answer.status == 200

        lanes = [asyncio.create_task(lane()) for _ in range(CONNECTIONS)]
        told = 0
        while told < people:
            async with session.get(f"{platform}/seen?{told}") as answer:
                for at, psid, _, metadata in await answer.json():
                    told += 1
                    for raw in events(told, at, psid, metadata):
                        waiting.put_nowait(raw)
            await asyncio.sleep(0.1)
        for _ in lanes:
            waiting.put_nowait(b"")
        await asyncio.gather(*lanes)


def poster(platform: str, url: str, people: int) -> None:
    asyncio.run(_post(platform, url, people))


def receiving(store: Store, folder: str) -> Receiver:
    secrets = FileSecrets(Path(folder) / "secrets.json")
    secrets.set("app:9:secret", SECRET)
    with store.write() as conn:
        conn.execute(update(Page).values(app_id="9"))
    receiver = Receiver(store, secrets, SystemClock(), EventHub())
    receiver.start()
    return receiver


def send(people: int, receipts: bool) -> None:
    with tempfile.TemporaryDirectory() as folder, running(20) as platform:
        store, campaign = make(f"sqlite:///{folder}/bench.db", people, platform, 300)
        launch(store, SystemClock(), campaign, "a")
        receiver = receiving(store, folder)
        other = multiprocessing.get_context("spawn").Process(
            target=poster, args=(platform, receiver.url, people)
        )
        if receipts:
            other.start()
            time.sleep(1.0)
        work, cpu = sender(store), cpu_seconds()
        work.start()
        while not ended(store):
            time.sleep(0.5)
        if receipts:
            other.join()
        receiver.settle(60)
        cpu = cpu_seconds() - cpu
        work.stop()
        receiver.stop()
        seen = ask(platform, "report")
        with store.read() as conn:
            found = counts(conn, campaign)
            stored = len(conn.execute(select(EVENTS.c.id)).all())
        assert (seen["duplicates"], found.sent) == (0, people), (seen, found)
        assert (found.read, stored) == ((people, 3 * people) if receipts else (0, 0)), found
        print(
            f"{'with' if receipts else 'without'} receipts: {(people - 1) / seen['seconds']:.1f} messages/s, at most "
            f"{seen['most_in_a_second']} in any second; {stored / seen['seconds']:.0f} events/s taken in; "
            f"{cpu / seen['seconds'] * 100:.0f} % of a core for both"
        )
        store.close()


if __name__ == "__main__":
    for receipts in (False, True):
        send(int(sys.argv[1]) if len(sys.argv) > 1 else 6000, receipts)
