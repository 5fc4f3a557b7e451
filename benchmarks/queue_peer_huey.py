"""huey on SQLite, 32 threads: ``python -m benchmarks.queue_peer_huey fill|work PEOPLE``."""

from __future__ import annotations

import sys
import threading

from huey import SqliteHuey
from huey.consumer import Consumer

from benchmarks import queue_recipients

PATIENCE = 4.0
queue = SqliteHuey(filename=str(queue_recipients.folder() / "huey.db"), results=False)


@queue.task()
def send(number: int, who: str, name: str) -> None:
    queue_recipients.send(number, who, name)


def main(action: str, people: int) -> None:
    if action == "fill":
        queue_recipients.fill(people)
        for row in queue_recipients.open_people():
            send(*row)
        return
    consumer = Consumer(queue, workers=32, periodic=False, initial_delay=0.01, max_delay=0.1)
    consumer._set_signal_handlers = lambda: None
    threading.Thread(target=consumer.run, daemon=True).start()
    queue_recipients.wait_until_recorded(people, PATIENCE)
    queue_recipients.tell()


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]))
