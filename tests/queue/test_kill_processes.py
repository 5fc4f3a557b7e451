"""Real processes killed by SIGKILL: at every named step of the protocol, and workers that share PostgreSQL."""

from __future__ import annotations

import json
import random
import signal
import subprocess
import sys
import time
from bisect import bisect_left
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path

import pytest

from broadcaster.clock import ManualClock, SystemClock
from broadcaster.queue.steps import STEPS
from broadcaster.sandbox import Behaviour, Fault, Sandbox
from broadcaster.sandbox.clock import to_ms
from broadcaster.store import Store, connect
from tests.queue.floor import Floor

ELSEWHERE = {"launch.decided", "launch.committed", "receipt.written", "receipt.committed"}
"""Steps that the launching process and the receiver take, not the sender."""
OF_A_START = {"recover.marked", "recover.committed"}
OF_A_DOUBT = {step for step in STEPS if step.startswith("settle.")}
OF_THE_SENDER = [step for step in STEPS if step not in ELSEWHERE]
TELLING = {"claim.committed", "intent.committed", "call.after", "result.written", "settle.read"}
"""Steps that stand for the rest where time is short."""
PEOPLE = 24


class Yard:
    """A launched campaign on a database of its own, the platform beside it, and processes that send."""

    def __init__(self, store: Store, sandbox: Sandbox, people: int, per_second: int) -> None:
        self.floor = Floor(store, sandbox, ManualClock(SystemClock().now()))
        self.store, self.sandbox, self.people = store, sandbox, people
        self.floor.add_page(1, people)
        sandbox.page.limits.seconds = time.monotonic
        now = self.floor.clock.now()
        self.floor.change_people(range(people), last_interaction_at=now - timedelta(hours=1))
        self.floor.change_page(throttle_per_second=per_second)
        for index in range(people):
            person = sandbox.person(index)
            person.last_interaction_ms = person.last_message_ms = to_ms(now - timedelta(hours=1))
        self.campaign = self.floor.campaign(throttle_per_second=per_second)

    def send(self, die_at: str | None = None, times: int = 1) -> subprocess.Popen[str]:
        order = {
            "database": self.store.engine.url.render_as_string(hide_password=False),
            "url": self.sandbox.url,
            "token": self.sandbox.page_token,
            "page": self.sandbox.page_id,
            "campaign": self.campaign,
            "die_at": die_at,
            "times": times,
        }
        command = [sys.executable, "-m", "tests.queue.sending_process", json.dumps(order)]
        return subprocess.Popen(command, stdout=subprocess.PIPE, text=True)

    def verify(self) -> None:
        reached = self.floor.reached()
        assert len(reached) == len(set(reached)), "somebody got it twice"
        counts = self.floor.counts(self.campaign)
        assert (counts.sent, counts.intended) == (self.people, self.people)
        assert set(reached) == {row.psid for row in self.floor.rows(self.campaign)}

    def most_in_a_second(self) -> int:
        """The most messages in any window of one second, by the platform's own ledger."""
        times = sorted(entry.accepted_ms for entry in self.sandbox.ledger())
        return max(bisect_left(times, start + 1000) - number for number, start in enumerate(times))


@contextmanager
def yard_on(store: Store, people: int, per_second: int) -> Iterator[Yard]:
    with Sandbox(contacts=people, seed=4, behaviour=Behaviour.quiet()) as sandbox:
        yard = Yard(store, sandbox, people, per_second)
        try:
            yield yard
        finally:
            yard.floor.close()


@pytest.fixture
def yard(fresh_store: Store) -> Iterator[Yard]:
    with yard_on(fresh_store, PEOPLE, 40) as made:
        yield made


@pytest.mark.parametrize(
    "step", [pytest.param(s, marks=() if s in TELLING else pytest.mark.slow) for s in OF_THE_SENDER]
)
def test_killed_at_a_named_step(yard: Yard, step: str) -> None:
    if step in OF_A_DOUBT:
        yard.sandbox.faults.order(Fault("drop", rate=0.4, accepted=True, count=5))
    if step in OF_A_START:
        assert yard.send("call.after", 3).wait(60) == -signal.SIGKILL
    times = 1 if step.startswith(("finish", "settle", "recover")) else 2
    assert yard.send(step, times).wait(60) == -signal.SIGKILL, f"it never came to {step}"
    assert yard.send().wait(60) == 0
    yard.verify()


@pytest.mark.parametrize(
    ("workers", "people", "per_second", "calls"),
    [(2, 160, 40, 20), pytest.param(4, 1200, 60, 8, marks=pytest.mark.slow)],
)
def test_workers_share_a_campaign_and_one_is_killed(
    postgres_store: Store, workers: int, people: int, per_second: int, calls: int
) -> None:
    """``calls``: as many as each of them surely makes; batches above 40/s."""
    chance = random.Random(workers)
    with yard_on(postgres_store, people, per_second) as yard:
        for fault in (
            Fault("drop", rate=0.05, accepted=True, count=8),
            Fault("drop", rate=0.05, accepted=False, count=8),
            Fault("slow", "call", rate=0.2, seconds=0.2),
        ):
            yard.sandbox.faults.order(fault)
        doomed = yard.send("call.after", chance.randint(calls // 2, calls))
        others = [yard.send() for _ in range(workers - 1)]
        assert doomed.wait(60) == -signal.SIGKILL
        assert [other.wait(180) for other in others] == [0] * (workers - 1)
        yard.verify()
        assert yard.most_in_a_second() <= per_second


def test_a_killed_process_leaves_no_more_than_its_calls_in_doubt(yard: Yard, tmp_path: Path) -> None:
    assert yard.send("intent.committed", 2).wait(60) == -signal.SIGKILL
    again = connect(f"sqlite:///{tmp_path / 'broadcaster.db'}")
    again.close()
    counts = yard.floor.counts(yard.campaign)
    assert counts.sending <= 40
    assert counts.sent + counts.sending + counts.waiting == PEOPLE
    assert yard.send().wait(60) == 0
    yard.verify()
