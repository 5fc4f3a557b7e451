"""An import killed at any instant: whole batches are there, it says where it stopped, and a second run completes it."""

from __future__ import annotations

import random
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from sqlalchemy import func, insert, inspect, select

from broadcaster.clock import ManualClock
from broadcaster.contacts.importing import import_contacts
from broadcaster.store import Store, open_store
from broadcaster.store.tables import Contact, ImportRun, Page
from tests.conftest import NOW

CONTACT, RUNS = Contact.__table__, ImportRun.__table__  # type: ignore[attr-defined]
PEOPLE, BATCH = 3_000, 100

PROGRAM = """
import os, signal, sys, threading
from datetime import datetime
from pathlib import Path
from broadcaster.clock import ManualClock
from broadcaster.contacts import ahead, importing
from broadcaster.store import open_store

url, file, now, batch, edge, after, seconds = sys.argv[1:]
ahead.BATCH, ahead.WORTH_A_PROCESS = int(batch), 0
ahead._Beside = ahead._Here if int(edge) % 2 else ahead._Beside
take, taken = importing._Import._take, [0]

def die():
    os.kill(os.getpid(), signal.SIGKILL)

def counted(work, found):
    taken[0] += 1
    if taken[0] == int(edge) and after == "0":
        die()
    take(work, found)
    if taken[0] == int(edge):
        die()

importing._Import._take = counted
if float(seconds):
    threading.Timer(float(seconds), die).start()
store = open_store(url, datetime.fromisoformat(now))
print("begins", flush=True)
importing.import_contacts(store, ManualClock(datetime.fromisoformat(now)), 1, Path(file))
"""


def killed(folder: Path, edge: int, after: bool, seconds: float = 0.0) -> None:
    """An import into an empty workspace that dies at the edge of that batch, or after so many seconds."""
    file = folder / "people.csv"
    file.write_text("psid,first_name\n" + "".join(f"{n},Ann {n}\n" for n in range(1, PEOPLE + 1)))
    url = f"sqlite:///{folder / 'b.db'}"
    store = open_store(url, NOW)
    with store.write() as conn:
        conn.execute(
            insert(Page).values(
                graph_id="1",
                name="P",
                platform="messenger",
                graph_url="x",
                graph_version="v",
                connected_at=NOW,
            )
        )
    store.close()
    given = [url, str(file), NOW.isoformat(), str(BATCH), str(edge), str(int(after)), str(seconds)]
    done = subprocess.run([sys.executable, "-c", PROGRAM, *given], check=False, timeout=60)
    assert done.returncode == -signal.SIGKILL


def people(store: Store) -> int:
    with store.read() as conn:
        return int(conn.execute(select(func.count()).select_from(CONTACT)).scalar_one())


def complete(folder: Path) -> int:
    """What was there after the kill; checks that it is whole batches and that a second run completes it."""
    store = open_store(f"sqlite:///{folder / 'b.db'}", NOW)
    there = people(store)
    with store.read() as conn:
        noted = conn.execute(select(RUNS.c.done_rows, RUNS.c.created)).one_or_none()
        indexes = {index["name"] for index in inspect(conn).get_indexes("contact")}
    assert there % BATCH == 0
    assert noted is None or tuple(noted) == (there, there)
    assert "ix_contact_window" in indexes
    result = import_contacts(store, ManualClock(NOW), 1, folder / "people.csv")
    assert (result.unchanged, result.created) == (there, PEOPLE - there)
    assert people(store) == PEOPLE
    store.close()
    return there


@pytest.mark.parametrize("edge", [1, 4, PEOPLE // BATCH])
@pytest.mark.parametrize("after", [False, True])
def test_killed_at_the_edge_of_a_batch(tmp_path: Path, edge: int, after: bool) -> None:
    killed(tmp_path, edge, after)
    assert complete(tmp_path) == BATCH * (edge if after else edge - 1)


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(40))
def test_killed_at_any_instant(tmp_path: Path, seed: int) -> None:
    chance = random.Random(seed)
    killed(tmp_path, PEOPLE // BATCH, after=True, seconds=chance.uniform(0.05, 1.2))
    complete(tmp_path)
