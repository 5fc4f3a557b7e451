"""The scheduler only wakes: whatever happens to its thread or its jobs, the rows are what is started."""

from __future__ import annotations

import logging
import sqlite3
import threading
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from apscheduler.events import EVENT_JOB_MISSED, JobExecutionEvent
from apscheduler.jobstores.memory import MemoryJobStore
from apscheduler.schedulers.base import STATE_STOPPED
from apscheduler.triggers.date import DateTrigger

from broadcaster.errors import EnvironmentFault
from broadcaster.queue import scheduler
from broadcaster.queue.due import start_due
from broadcaster.queue.scheduler import Wake
from broadcaster.queue.sender import Sender
from broadcaster.settings import Settings
from broadcaster.states import CampaignState
from broadcaster.store import connect
from tests.queue.floor import NOW, Floor

SOON = timedelta(minutes=1)


def wait_for(holds: Callable[[], bool], seconds: float = 10.0) -> None:
    end = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < end, "it did not happen in time"
        time.sleep(0.01)


class Kicked:
    """Stands where the sender stands; counts how often it is woken."""

    def __init__(self) -> None:
        self.times = 0

    def kick(self) -> None:
        self.times += 1


@pytest.fixture
def sender() -> Kicked:
    return Kicked()


@pytest.fixture
def wake(floor: Floor, sender: Any, monkeypatch: pytest.MonkeyPatch) -> Iterator[Wake]:
    monkeypatch.setattr(scheduler, "WATCH_SECONDS", 0.02)
    made = Wake(floor.store, sender, floor.clock, floor.hub)
    yield made
    made.stop()
    assert not [t for t in threading.enumerate() if t.name.startswith(("wake-", "APScheduler"))]


def test_its_settings_are_chosen(wake: Wake) -> None:
    wake.start()
    made = wake._scheduler
    assert made is not None
    assert made.timezone == UTC
    assert type(made._jobstores["default"]) is MemoryJobStore
    for job in made.get_jobs():
        assert (job.coalesce, job.misfire_grace_time, job.max_instances) == (True, None, 1)
        assert getattr(job.trigger, "interval_length", 99) > 1


def test_a_due_campaign_is_started_and_a_later_one_planned(floor: Floor, wake: Wake, sender: Kicked) -> None:
    present = datetime.now(UTC)  # the scheduler's own jobs go by the computer's clock
    floor.clock.set_wall(present)
    now = floor.campaign("Now", launched=False)
    later = floor.campaign("Later", launched=False, start=present + SOON)
    wake.start()
    assert floor.get(now).state == CampaignState.RUNNING
    assert floor.get(later).state == CampaignState.SCHEDULED
    made = wake._scheduler
    assert made is not None
    dates = [job.trigger.run_date for job in made.get_jobs() if isinstance(job.trigger, DateTrigger)]
    assert dates == [present.replace(microsecond=present.microsecond // 1000 * 1000) + SOON]
    assert sender.times


def test_a_lost_job_loses_nothing(floor: Floor, wake: Wake) -> None:
    made = floor.campaign(launched=False, start=NOW + SOON)
    wake.start()
    assert wake._scheduler is not None
    wake._scheduler.remove_all_jobs()
    floor.move(SOON)
    wake._tick()  # any other look
    assert floor.get(made).state == CampaignState.RUNNING


def test_a_dead_thread_is_replaced(floor: Floor, wake: Wake, monkeypatch: pytest.MonkeyPatch) -> None:
    wake.start()
    first = wake._scheduler
    assert first is not None

    def die() -> float:
        raise sqlite3.OperationalError("database is locked")

    monkeypatch.setattr(threading, "excepthook", lambda _args: None)  # the death is meant
    monkeypatch.setattr(first, "_process_jobs", die)
    made = floor.campaign(launched=False)
    first.wakeup()
    wait_for(lambda: wake._scheduler is not first)
    wait_for(lambda: floor.get(made).state == CampaignState.RUNNING)


@pytest.mark.parametrize("hours", [-1, 3])
def test_a_clock_that_jumps_makes_it_look_at_once(floor: Floor, wake: Wake, hours: int) -> None:
    """A laptop that slept, or a clock that was set: the scheduler's own waits would be wrong by hours."""
    made = floor.campaign(launched=False, start=NOW + timedelta(minutes=5))
    wake.start()
    first = wake._scheduler
    floor.clock.set_wall(NOW + timedelta(hours=hours))
    wait_for(lambda: wake._scheduler is not first)
    if hours > 0:
        wait_for(lambda: floor.get(made).state == CampaignState.MISSED)
    else:
        assert floor.get(made).state == CampaignState.SCHEDULED


def test_one_that_is_stopped_while_a_start_begins_ends_quietly(
    wake: Wake, monkeypatch: pytest.MonkeyPatch
) -> None:
    died: list[str] = []
    monkeypatch.setattr(threading, "excepthook", lambda args: died.append(args.exc_type.__name__))
    wake.start()
    made = wake._scheduler
    assert made is not None
    pool, took = made._executors["default"], threading.Event()
    submit = pool.submit_job

    def stopped_meanwhile(job: Any, run_times: list[datetime]) -> None:
        submit(job, run_times)
        if job.id == "start":
            made.state = STATE_STOPPED  # what another thread's shutdown does first
            took.set()

    monkeypatch.setattr(pool, "submit_job", stopped_meanwhile)
    made.add_job(int, DateTrigger(datetime.now(UTC)), id="start")
    assert took.wait(10)
    wait_for(lambda: wake._scheduler is not made)
    assert not died


def test_a_missed_job_is_heard(
    floor: Floor, wake: Wake, sender: Kicked, caplog: pytest.LogCaptureFixture
) -> None:
    wake.start()
    before = sender.times
    made = wake._scheduler
    assert made is not None
    with caplog.at_level(logging.WARNING):
        made._dispatch_event(JobExecutionEvent(EVENT_JOB_MISSED, "tick", "default", NOW))
    assert "a scheduled look was missed" in caplog.text
    assert sender.times == before + 1


def test_a_look_that_fails_does_not_end_it(floor: Floor, wake: Wake, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_given: object) -> None:
        raise EnvironmentFault("The disk is full; nothing was lost.", "Free some space.")

    monkeypatch.setattr(scheduler, "start_due", refuse)
    wake.start()
    assert wake.trouble.text == "The disk is full; nothing was lost. Free some space."
    monkeypatch.setattr(scheduler, "start_due", start_due)
    wake._tick()
    assert wake.trouble.text is None


def test_one_that_cannot_be_launched_keeps_no_other_from_it(floor: Floor) -> None:
    broken = floor.campaign("Broken", launched=False)
    fine = floor.campaign("Fine", launched=False)
    with floor.store.write() as conn:
        conn.exec_driver_sql(f"UPDATE campaign SET exclude = '[\"Gone\"]' WHERE id = {broken}")
    assert start_due(floor.store, floor.clock, floor.hub) == [fine]
    held = floor.get(broken)
    assert held.state == CampaignState.PAUSED
    assert "Gone" in (held.pause_text or "")


def test_a_second_sender_is_refused_with_one_sentence(floor: Floor, tmp_path: Path) -> None:
    settings = Settings(tmp_path, "", graph_url=floor.sandbox.url)
    first = Sender(floor.store, floor.client, floor.clock, floor.hub, settings)
    first.start()
    other = connect(str(floor.store.engine.url))
    second = Sender(other, floor.client, floor.clock, floor.hub, settings)
    with pytest.raises(EnvironmentFault, match="Another Broadcaster already sends"):
        second.start()
    first.stop()
    second.start()
    second.stop()
    other.close()


def test_a_killed_sender_leaves_no_lock_behind(floor: Floor) -> None:
    """The lock is a transaction of the operating system's making: it goes with its process."""
    _ = floor.engine
    path = str(floor.store.engine.url.database).replace("broadcaster.db", "dispatcher.lock.db")
    with pytest.raises(sqlite3.OperationalError):
        sqlite3.connect(path, timeout=0).execute("BEGIN EXCLUSIVE")
    floor.engine._membership.leave()
    sqlite3.connect(path, timeout=0).execute("BEGIN EXCLUSIVE").connection.close()
