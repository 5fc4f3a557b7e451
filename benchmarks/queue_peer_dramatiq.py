"""dramatiq on Redis, 32 threads: ``python -m benchmarks.queue_peer_dramatiq fill|work PEOPLE``.

What a dead worker held comes back after ``heartbeat_timeout`` (60 s unless set; 2 s here).
"""

from __future__ import annotations

import os
import sys

import dramatiq
from dramatiq.brokers.redis import RedisBroker

from benchmarks import queue_recipients

PATIENCE = 8.0
broker = RedisBroker(
    port=int(os.environ["BENCH_REDIS_PORT"]), heartbeat_timeout=2000, maintenance_chance=1_000_000
)
dramatiq.set_broker(broker)


@dramatiq.actor
def send(number: int, who: str, name: str) -> None:
    queue_recipients.send(number, who, name)


def main(action: str, people: int) -> None:
    if action == "fill":
        queue_recipients.fill(people)
        for row in queue_recipients.open_people():
            send.send(*row)
        return
    worker = dramatiq.Worker(broker, worker_threads=32)
    worker.start()
    queue_recipients.wait_until_recorded(people, PATIENCE)
    queue_recipients.tell()
    os._exit(0)


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]))
