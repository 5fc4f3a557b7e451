"""Seeded runs of the whole sender. A failing one names its seed; the same test id plays it again."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path

import pytest

from broadcaster.graph.outcomes import NotSent, Unknown
from broadcaster.queue import ledger, settle
from broadcaster.queue.settling import Settler
from broadcaster.queue.wire import Answers, GraphTransport, Outgoing
from broadcaster.states import DeliveryState
from broadcaster.store import connect
from tests.queue.floor import Floor, floor_on
from tests.queue.simulation import Simulation

PEOPLE = 8
SEEDS = 40
MANY = int(os.environ.get("BROADCASTER_SEEDS", "2000"))

Play = Callable[[int], None]


@pytest.fixture
def play(empty_database: Path, tmp_path: Path) -> Iterator[Play]:
    """Plays a seed on a floor of its own and verifies it."""

    def run(seed: int) -> None:
        path = tmp_path / f"{seed}.db"
        shutil.copy(empty_database, path)
        store = connect(f"sqlite:///{path}")
        try:
            with floor_on(store, PEOPLE) as floor:
                simulation = Simulation(floor, seed)
                simulation.play()
                simulation.verify()
        finally:
            store.close()
            path.unlink()

    return run


@pytest.mark.parametrize("seed", range(SEEDS))
def test_nobody_twice_and_nobody_lost_in_simulation(play: Play, seed: int) -> None:
    play(seed)


@pytest.mark.slow
@pytest.mark.timeout(7200)
@pytest.mark.parametrize("block", range(20))
def test_simulation_of_many_seeds(play: Play, block: int) -> None:
    each = MANY // 20
    for seed in range(SEEDS + block * each, SEEDS + (block + 1) * each):
        try:
            play(seed)
        except BaseException as error:
            raise AssertionError(
                f"seed {seed}: {error}; play it with "
                f"pytest 'tests/queue/test_simulation.py::test_one_seed' --override-ini=addopts= -m slow "
                f"after setting BROADCASTER_SEED={seed}"
            ) from error


@pytest.mark.slow
def test_one_seed(play: Play) -> None:
    """Plays the seed of the environment variable BROADCASTER_SEED."""
    play(int(os.environ.get("BROADCASTER_SEED", "0")))


# -- the simulation itself: each promise, broken on purpose, is noticed


def fails_somewhere(play: Play, seeds: Sequence[int] = range(30)) -> bool:
    for seed in seeds:
        try:
            play(seed)
        except AssertionError:
            return True
    return False


def test_it_notices_blind_retries(play: Play, monkeypatch: pytest.MonkeyPatch) -> None:
    send = GraphTransport.send

    def forgetful(self: GraphTransport, page_id: int, rows: Sequence[Outgoing]) -> Answers:
        answers = send(self, page_id, rows)
        sure = [NotSent(one.cause) if isinstance(one, Unknown) else one for one in answers.outcomes]
        return replace(answers, outcomes=sure)

    monkeypatch.setattr(GraphTransport, "send", forgetful)
    assert fails_somewhere(play)


def test_it_notices_that_a_crash_puts_messages_on_the_wire_back(
    play: Play, monkeypatch: pytest.MonkeyPatch
) -> None:
    def careless(conn: ledger.Connection, dead: Sequence[str], settle_ms: int, cause: str) -> tuple[int, int]:
        back = (
            ledger.update(ledger.ROWS)
            .where(ledger.ROWS.c.owner.in_(dead))
            .where(ledger.ROWS.c.state.in_([DeliveryState.LEASED, DeliveryState.SENDING]))
            .values(state=DeliveryState.WAITING, owner=None)
        )
        return conn.execute(back).rowcount, 0

    monkeypatch.setattr(ledger, "orphan", careless)
    assert fails_somewhere(play)


def test_it_notices_that_a_message_nobody_heard_of_counts_as_absent(
    play: Play, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(settle, "judge", lambda *_: settle.Absent())
    assert fails_somewhere(play)


def test_it_notices_doubts_that_nobody_settles(play: Play, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Settler, "tick", lambda _: 1.0)
    assert fails_somewhere(play)


def test_it_notices_lost_people(play: Play, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ledger, "release", lambda *_: 0)
    monkeypatch.setattr(ledger, "orphan", lambda *_: (0, 0))
    assert fails_somewhere(play)


def test_the_same_seed_is_the_same_run(empty_database: Path, tmp_path: Path) -> None:
    def trace(number: int) -> list[tuple[str, str]]:
        path = tmp_path / f"same-{number}.db"
        shutil.copy(empty_database, path)
        store = connect(f"sqlite:///{path}")
        with floor_on(store, PEOPLE) as floor:
            simulation = Simulation(floor, 5)
            simulation.play()
            found = told(floor)
        store.close()
        return found

    assert trace(1) == trace(2)


def told(floor: Floor) -> list[tuple[str, str]]:
    return [(entry.psid, entry.text) for entry in floor.sandbox.ledger()]
