"""procrastinate on PostgreSQL, concurrency 32: ``python -m benchmarks.queue_peer_procrastinate fill|work PEOPLE``.

Jobs of a dead worker are put back as its manual's recipe does (2 s without a heartbeat here, 30 s unless set).
"""

from __future__ import annotations

import asyncio
import os
import sys
import threading

import procrastinate

from benchmarks import queue_recipients

PATIENCE = 8.0
QUIET_SECONDS = 2.0
app = procrastinate.App(
    connector=procrastinate.PsycopgConnector(conninfo=os.environ["BENCH_POSTGRES"], max_size=16)
)


@app.task(name="send")
def send(number: int, who: str, name: str) -> None:
    queue_recipients.send(number, who, name)


async def _fill() -> None:
    async with app.open_async():
        await app.schema_manager.apply_schema_async()
        rows = queue_recipients.open_people()
        await send.batch_defer_async(*({"number": n, "who": who, "name": name} for n, who, name in rows))
        await app.connector.execute_query_async("ANALYZE procrastinate_jobs")


async def _put_back() -> None:
    while True:
        stalled = await app.job_manager.get_stalled_jobs(seconds_since_heartbeat=QUIET_SECONDS)
        for job in stalled:
            await app.job_manager.retry_job(job)
        await asyncio.sleep(1.0)


async def _work() -> None:
    async with app.open_async():
        keeper = asyncio.create_task(_put_back())
        await app.run_worker_async(
            concurrency=32, install_signal_handlers=False, fetch_job_polling_interval=0.1,
            update_heartbeat_interval=0.5, stalled_worker_timeout=QUIET_SECONDS,
        )  # fmt: skip
        keeper.cancel()


def main(action: str, people: int) -> None:
    if action == "fill":
        queue_recipients.fill(people)
        asyncio.run(_fill())
        return
    threading.Thread(target=lambda: asyncio.run(_work()), daemon=True).start()
    queue_recipients.wait_until_recorded(people, PATIENCE)
    queue_recipients.tell()
    os._exit(0)


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]))
