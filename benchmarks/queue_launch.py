"""Launch of a campaign for 1,000,000 people: everybody decided, the ledger filled and indexed, committed.

    python -m benchmarks.queue_launch [people] [sqlite|postgres]

Bar: 5 s for a million.
"""

from __future__ import annotations

import sys
import tempfile
import time

from benchmarks.databases import database
from benchmarks.queue_campaign import cpu_seconds, make
from broadcaster.clock import SystemClock
from broadcaster.queue.launch import launch


def main(people: int = 1_000_000, kind: str = "sqlite") -> None:
    with tempfile.TemporaryDirectory() as folder, database(kind, folder) as url:
        store, campaign = make(url, people, "http://127.0.0.1:9", 300)
        if not store.is_sqlite:
            with store.write() as conn:
                conn.exec_driver_sql("ANALYZE")
        cpu, began = cpu_seconds(), time.perf_counter()
        done = launch(store, SystemClock(), campaign, "a")
        seconds = time.perf_counter() - began
        assert done.eligible == people, done
        print(f"{kind}: {people} people launched in {seconds:.2f} s ({cpu_seconds() - cpu:.2f} CPU s)")
        store.close()


if __name__ == "__main__":
    main(*(int(one) if one.isdigit() else one for one in sys.argv[1:]))  # type: ignore[arg-type]
