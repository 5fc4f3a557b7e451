"""Stopping at any moment: by a hand, at the end of the program, by the machine. Nobody twice, nobody lost."""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Iterator
from datetime import timedelta

import pytest
from sqlalchemy import event

from broadcaster.clock import SystemClock
from broadcaster.errors import EnvironmentFault, IllegalMove
from broadcaster.queue import control, sender
from broadcaster.queue.due import start_due
from broadcaster.queue.lane import PageLane
from broadcaster.queue.sender import Sender
from broadcaster.sandbox import Fault
from broadcaster.states import CampaignState
from broadcaster.store import Store
from tests.queue.conftest import PEOPLE
from tests.queue.floor import Floor, Held, floor_on

MANY = 150


def whole(floor: Floor, *campaigns: int, people: int = PEOPLE) -> None:
    """Everybody once, nobody lost."""
    assert len(floor.reached()) == len(campaigns) * people
    assert len({(entry.psid, entry.text) for entry in floor.sandbox.ledger()}) == len(floor.reached())
    for made in campaigns:
        assert floor.counts(made).sent == people


# -- by a hand


@pytest.mark.parametrize("throttle", [7, 40, 60, 300])
def test_pausing_and_resuming_at_once_sends_to_nobody_twice(floor: Floor, throttle: int) -> None:
    made = floor.campaign(throttle_per_second=throttle)
    for _ in range(30):
        floor.turns(1, timedelta(milliseconds=40))
        if floor.counts(made).waiting:
            control.pause(floor.store, made, "anna", floor.clock.now())
            control.resume(floor.store, floor.clock, made, "anna")
    floor.finish(made)
    whole(floor, made)


@pytest.mark.parametrize("more", [1, 2, 3])
def test_a_message_leased_before_a_short_pause_goes_once(floor: Floor, more: int) -> None:
    """A wave is sent, a few stand leased in the sender's hand, given back by the pause and leased anew."""
    people = PageLane(1).wave(40.0, media=False) + more
    floor.change_people(range(people, PEOPLE), opted_out=True)
    made = floor.campaign(throttle_per_second=40)
    floor.turns(1, timedelta(milliseconds=150))
    assert 0 < floor.counts(made).waiting < people
    control.pause(floor.store, made, "anna", floor.clock.now())
    control.resume(floor.store, floor.clock, made, "anna")
    floor.finish(made)
    whole(floor, made, people=people)


@pytest.mark.parametrize("throttle", [40, 300])
def test_a_pause_acts_within_one_wave(any_floor: Floor, throttle: int) -> None:
    any_floor.lanes = held = Held()
    made = any_floor.campaign(throttle_per_second=throttle)
    any_floor.until(lambda: bool(held.jobs), each=timedelta(milliseconds=20))
    on_the_wire = any_floor.engine.on_the_wire
    control.pause(any_floor.store, made, "anna", any_floor.clock.now())
    any_floor.turns(4)
    assert any_floor.engine.on_the_wire == on_the_wire == any_floor.counts(made).sending
    held.go()
    any_floor.turns(8)
    assert any_floor.counts(made).sent == on_the_wire == len(any_floor.reached())
    row = any_floor.get(made)
    assert (row.state, row.pause_text) == ("paused", "Paused by anna.")
    with pytest.raises(IllegalMove):
        control.pause(any_floor.store, made, "anna", any_floor.clock.now())


def test_a_cancel_acts_within_one_wave_and_ends_it(any_floor: Floor) -> None:
    any_floor.lanes = held = Held()
    made = any_floor.campaign(throttle_per_second=40)
    any_floor.until(lambda: bool(held.jobs), each=timedelta(milliseconds=20))
    on_the_wire = any_floor.engine.on_the_wire
    ended = control.cancel(any_floor.store, made, "anna", any_floor.clock.now())
    held.go()
    any_floor.turns(6)
    counts = any_floor.counts(made)
    assert (counts.sent, counts.cancelled) == (on_the_wire, ended) == (on_the_wire, PEOPLE - on_the_wire)
    assert len(any_floor.reached()) == on_the_wire
    with pytest.raises(IllegalMove):
        control.resume(any_floor.store, any_floor.clock, made, "anna")


# -- the end of the program


def test_quitting_waits_for_what_is_on_the_wire_and_leaves_the_rest(floor: Floor) -> None:
    floor.sandbox.faults.order(Fault("slow", target="call", seconds=0.4))
    made = floor.campaign(throttle_per_second=40)
    sending = Sender(floor.store, floor.client, SystemClock(), floor.hub, floor.settings)
    floor.change_people(range(PEOPLE), last_interaction_at=SystemClock().now())
    sending.start()
    while not sending.engine.on_the_wire:
        time.sleep(0.005)
    began = time.monotonic()
    sending.stop()
    assert 0.1 < time.monotonic() - began < 3
    counts = floor.counts(made)
    assert counts.sending == counts.unconfirmed == 0
    assert 0 < counts.sent == len(floor.reached()) < PEOPLE
    assert {row.state for row in floor.rows(made)} == {"sent", "waiting"}
    assert sender.DRAIN_SECONDS == 5.0


def test_quitting_does_not_wait_longer_than_that(floor: Floor) -> None:
    floor.sandbox.faults.order(Fault("slow", target="call", seconds=4, count=1))
    made = floor.campaign(throttle_per_second=1)
    sending = Sender(floor.store, floor.client, SystemClock(), floor.hub, floor.settings)
    floor.change_people(range(PEOPLE), last_interaction_at=SystemClock().now())
    sending.start()
    while not sending.engine.on_the_wire:
        time.sleep(0.005)
    began = time.monotonic()
    sending.stop(timeout=0.2)
    assert time.monotonic() - began < 2
    assert floor.counts(made).sending == 1  # in doubt at the next start, and settled then
    floor.clock.set_wall(SystemClock().now())
    floor.engine.tick()
    assert floor.counts(made).unconfirmed == 1


def test_a_call_that_slept_with_the_computer_is_not_made(floor: Floor) -> None:
    floor.lanes = held = Held()
    made = floor.campaign()
    floor.until(lambda: bool(held.jobs), each=timedelta(milliseconds=20))
    floor.move(timedelta(minutes=40))  # the lid was shut between intent and call
    held.go()
    floor.turns(1)
    assert floor.reached() == []
    assert floor.counts(made).unconfirmed == 0
    while floor.get(made).state != CampaignState.FINISHED:
        held.go()
        floor.turns(1)
    whole(floor, made)


# -- the machine


@pytest.fixture
def impatient(floor: Floor) -> Floor:
    """Twelve people on a database that says at once when it is locked."""

    def hurry(connection: sqlite3.Connection, *_given: object) -> None:
        connection.execute("PRAGMA busy_timeout=20")

    event.listen(floor.store.engine, "checkout", hurry)
    return floor


def turns(floor: Floor, sending: Sender, number: int) -> None:
    for _ in range(number):
        sending._turn(sending.engine.tick)
        floor.move(timedelta(milliseconds=250))


def test_a_locked_database_is_waited_for(impatient: Floor) -> None:
    floor = impatient
    made, sending = floor.campaign(throttle_per_second=10), floor.sender()
    turns(floor, sending, 3)
    reached = len(floor.reached())
    assert 0 < reached < PEOPLE
    other = sqlite3.connect(str(floor.store.engine.url.database))
    other.execute("BEGIN IMMEDIATE")
    turns(floor, sending, 6)
    assert sending.trouble.text == "Another program keeps the database locked. Close it, then try again."
    assert sending.trouble.lasts(floor.clock.monotonic()) > 1
    assert len(floor.reached()) <= reached + 1  # nothing goes out whose intent cannot be written down
    other.rollback()
    other.close()
    turns(floor, sending, 60)
    assert sending.trouble.text is None
    whole(floor, made)


def test_results_that_cannot_be_written_are_kept(impatient: Floor) -> None:
    floor = impatient
    floor.lanes = held = Held()
    made, sending = floor.campaign(), floor.sender()
    turns(floor, sending, 8)
    assert len(held.jobs) == PEOPLE
    other = sqlite3.connect(str(floor.store.engine.url.database))
    other.execute("BEGIN IMMEDIATE")
    held.go()
    turns(floor, sending, 3)
    assert floor.counts(made).sending == PEOPLE
    other.rollback()
    other.close()
    turns(floor, sending, 3)
    whole(floor, made)


def test_quitting_while_the_database_is_locked_ends_all_the_same(impatient: Floor) -> None:
    floor = impatient
    floor.lanes = held = Held()
    made, sending = floor.campaign(), floor.sender()
    turns(floor, sending, 8)
    other = sqlite3.connect(str(floor.store.engine.url.database))
    other.execute("BEGIN IMMEDIATE")
    held.go()
    assert sending._drain(0.1) is False
    sending.engine.end(clean=False)
    other.rollback()
    other.close()
    floor._engine, floor.lanes = None, Floor.__dataclass_fields__["lanes"].default_factory()  # type: ignore[misc]
    assert floor.engine
    assert floor.counts(made).unconfirmed == PEOPLE
    floor.finish(made)
    whole(floor, made)


@pytest.fixture
def disk() -> dict[str, int]:
    """``pages``: how large the database may grow; 0: as it likes."""
    return {"pages": 0}


@pytest.fixture
def small_disk(fresh_store: Store, disk: dict[str, int]) -> Iterator[Floor]:
    """Many people on a disk that can be filled and freed."""

    def limit(connection: sqlite3.Connection, *_given: object) -> None:
        connection.execute(f"PRAGMA max_page_count={disk['pages'] or 1_000_000}")

    event.listen(fresh_store.engine, "checkout", limit)
    with floor_on(fresh_store, MANY) as made:
        yield made


def fill(floor: Floor, disk: dict[str, int]) -> None:
    with floor.store.read() as conn:
        disk["pages"] = conn.exec_driver_sql("PRAGMA page_count").scalar_one()


def test_a_full_disk_stops_the_sending_and_loses_nothing(small_disk: Floor, disk: dict[str, int]) -> None:
    floor = small_disk
    made, sending = floor.campaign(throttle_per_second=40), floor.sender()
    turns(floor, sending, 2)
    fill(floor, disk)
    turns(floor, sending, 80)
    assert sending.trouble.text == "The disk is full; nothing was lost. Free some space, then go on."
    assert len(floor.reached()) < MANY
    assert floor.counts(made).total == MANY
    disk["pages"] = 0
    turns(floor, sending, 120)
    assert sending.trouble.text is None
    whole(floor, made, people=MANY)


def test_a_launch_on_a_full_disk_has_not_happened(small_disk: Floor, disk: dict[str, int]) -> None:
    floor = small_disk
    made = floor.campaign(launched=False)
    fill(floor, disk)
    with pytest.raises(EnvironmentFault, match="The disk is full"):
        start_due(floor.store, floor.clock, floor.hub)
    assert floor.get(made).state == CampaignState.SCHEDULED
    assert floor.rows(made) == []
    disk["pages"] = 0
    assert start_due(floor.store, floor.clock, floor.hub) == [made]
    assert floor.counts(made).waiting == MANY


def test_a_network_that_is_gone_is_said_and_waited_for(floor: Floor) -> None:
    made, sending = floor.campaign(throttle_per_second=10), floor.sender()
    turns(floor, sending, 2)
    floor.url = "http://127.0.0.1:9"
    floor.forget_clients()
    turns(floor, sending, 120)
    told = "The platform does not answer (no connection could be made). Nothing is lost: what waits goes out"
    assert str(sending.trouble.text).startswith(told)
    assert sending.trouble.lasts(floor.clock.monotonic()) > 10
    counts = floor.counts(made)
    assert (counts.failed, counts.unconfirmed) == (0, 0)
    attempts = max(row.attempt for row in floor.rows(made))
    floor.url = ""
    floor.forget_clients()
    turns(floor, sending, 300)
    assert sending.trouble.text is None
    whole(floor, made)
    assert attempts <= 12  # it does not knock all the time


def test_a_page_that_does_not_answer_holds_up_no_other(floor: Floor) -> None:
    floor.add_page(2, 3)
    one, two = floor.campaign("One"), floor.campaign("Two", page=2)
    _ = floor.client(2)
    floor.url = "http://127.0.0.1:9"
    floor._clients.pop(1, None)
    floor.turns(20)
    assert floor.counts(two).sent == 3
    assert floor.counts(one).waiting == PEOPLE


def test_a_database_server_that_drops_its_connections_is_waited_for(shared_floor: Floor) -> None:
    floor = shared_floor
    made, sending = floor.campaign(throttle_per_second=40), floor.sender()
    mine = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database()"
    turns(floor, sending, 2)
    with pytest.raises(EnvironmentFault, match="connection to the database was lost"):
        with floor.store.write() as conn:
            conn.exec_driver_sql(mine)
    floor.until(lambda: floor.get(made).state == CampaignState.FINISHED)
    whole(floor, made)
