"""Calls are begun in time by as few threads as that takes, whatever the others hang on."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from types import SimpleNamespace

import pytest

from broadcaster.queue import lanes
from broadcaster.queue.lanes import ThreadLanes

PATIENCE = 20.0


def nothing() -> None: ...


@pytest.fixture
def twelve() -> Iterator[ThreadLanes]:
    made = ThreadLanes(12)
    yield made
    made.close()


def done(given: ThreadLanes, count: int, job: lanes.Job = nothing) -> list[str]:
    """Submit the same job so often and wait for all; names of the threads that did them."""
    by, ended = list[str](), threading.Semaphore(0)

    def named() -> None:
        job()
        by.append(threading.current_thread().name)
        ended.release()

    for _ in range(count):
        given.submit(named)
    for _ in range(count):
        assert ended.acquire(timeout=PATIENCE)
    return by


def test_quick_jobs_are_done_by_one_thread_after_the_other(
    twelve: ThreadLanes, monkeypatch: pytest.MonkeyPatch
) -> None:
    done(twelve, 200)
    monkeypatch.setattr(lanes, "time", SimpleNamespace(monotonic=lambda: 1e9))  # so that none is ever late
    most, here, lock = [0], [0], threading.Lock()

    def together() -> None:
        with lock:
            here[0] += 1
            most[0] = max(most[0], here[0])
        time.sleep(0)
        with lock:
            here[0] -= 1

    assert len(done(twelve, 40, together)) == 40
    assert most == [1]


def test_slow_jobs_are_done_all_at_once(twelve: ThreadLanes) -> None:
    meeting = threading.Barrier(12)
    assert len(set(done(twelve, 12, lambda: meeting.wait(PATIENCE) and None))) == 12


def test_no_more_threads_than_allowed(twelve: ThreadLanes) -> None:
    assert len(set(done(twelve, 60, lambda: time.sleep(0.02)))) <= 12


@pytest.mark.parametrize("hanging", [1, 5, 11])
def test_a_job_that_hangs_holds_nobody_up(twelve: ThreadLanes, hanging: int) -> None:
    done(twelve, 200)  # jobs are known to be quick: one thread would do
    freed, begun = threading.Event(), threading.Semaphore(0)

    def hang() -> None:
        begun.release()
        freed.wait(PATIENCE)

    for _ in range(hanging):
        twelve.submit(hang)
    assert len(done(twelve, 30)) == 30
    for _ in range(hanging):
        assert begun.acquire(timeout=PATIENCE)
    freed.set()


def test_all_that_was_submitted_is_done_before_the_end(twelve: ThreadLanes) -> None:
    ended = threading.Semaphore(0)

    def slow() -> None:
        time.sleep(0.01)
        ended.release()

    for _ in range(50):
        twelve.submit(slow)
    twelve.close()
    for _ in range(50):
        assert ended.acquire(timeout=PATIENCE)
    ends = time.monotonic() + PATIENCE
    while twelve._threads:
        assert time.monotonic() < ends, "threads are left"
        time.sleep(0.01)


def test_a_job_that_raises_is_told_and_the_next_is_done(
    twelve: ThreadLanes, caplog: pytest.LogCaptureFixture
) -> None:
    def wrong() -> None:
        raise RuntimeError("a fault")

    twelve.submit(wrong)
    assert len(done(twelve, 3)) == 3
    ends = time.monotonic() + PATIENCE
    while "unforeseen" not in caplog.text:
        assert time.monotonic() < ends, "nothing was told"
        time.sleep(0.01)
