"""Dying at every durable and remote step, and at pairs of them: nobody twice, nobody lost, nothing open."""

from __future__ import annotations

import itertools
import random
from pathlib import Path

import pytest

from broadcaster.campaigns import catalogue
from broadcaster.sandbox import Fault
from tests.queue.engine_room import EngineRoom, room, template

PEOPLE = 6


@pytest.fixture
def original(tmp_path: Path) -> Path:
    return template(tmp_path, PEOPLE)


def crash(original: Path, *deaths: int, pace_there: float = 1.0) -> None:
    """Begin, die at each of ``deaths`` in turn, begin once more, end, and compare with the platform."""
    world = room(original, PEOPLE, "run-" + "-".join(map(str, deaths)))
    world.pace_there = pace_there
    for death in deaths:
        world.run(die_at=death)
    world.run()
    end(world)


def end(world: EngineRoom) -> None:
    world.check(PEOPLE)
    world.close()


def steps_of_a_run(original: Path) -> int:
    world = room(original, PEOPLE, "whole")
    taken = world.run()
    end(world)
    return taken


def test_dying_at_every_step(original: Path) -> None:
    taken = steps_of_a_run(original)
    assert taken > 3 * PEOPLE
    for death in range(1, taken + 1):
        crash(original, death)


def test_dying_at_some_pairs_of_steps(original: Path) -> None:
    taken = range(1, steps_of_a_run(original) + 1)
    for first, second in random.Random(1).sample(list(itertools.product(taken, repeat=2)), 20):
        crash(original, first, second)


@pytest.mark.parametrize("pace_there", [0.0, 0.5, 1.5])
def test_crashes_while_the_clocks_drift_apart(original: Path, pace_there: float) -> None:
    taken = range(1, steps_of_a_run(original) + 1)
    for first, second in random.Random(2).sample(list(itertools.product(taken, repeat=2)), 10):
        crash(original, first, second, pace_there=pace_there)


@pytest.mark.slow
@pytest.mark.timeout(3600)
def test_crash_at_every_pair_of_steps(original: Path) -> None:
    taken = range(1, steps_of_a_run(original) + 1)
    for first, second in itertools.product(taken, repeat=2):
        crash(original, first, second)


@pytest.mark.parametrize("accepted", [True, False])
def test_lost_answers_are_settled_by_reading(original: Path, accepted: bool) -> None:
    world = room(original, PEOPLE, "lost")
    world.sandbox.faults.order(Fault("drop", rate=0.5, accepted=accepted, count=4))
    world.run()
    end(world)


def test_a_dead_token_stops_the_page_at_the_first_refusal(original: Path) -> None:
    world = room(original, PEOPLE, "token")
    world.sandbox.revoke_token()
    world.run()
    with world.store.read() as conn:
        row = catalogue.get(conn, world.campaign)
    assert row.state == "paused"
    assert row.pause_text
    assert world.sandbox.ledger() == []
    world.close()
