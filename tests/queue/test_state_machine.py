"""Any order of sends, receipts, clicks, crashes, faults and clocks, against a small model of what may be true."""

from __future__ import annotations

import shutil
import tempfile
from contextlib import ExitStack, suppress
from datetime import timedelta
from pathlib import Path

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from broadcaster.errors import IllegalMove
from broadcaster.queue import control, ledger, receipts, steps
from broadcaster.queue.facts import DeliveredFact, EchoFact, ReadFact
from broadcaster.queue.steps import STEPS
from broadcaster.sandbox import Fault
from broadcaster.states import ACCEPTED_STATES, CampaignState, DeliveryState
from broadcaster.store import connect
from tests.queue.floor import Floor, floor_on
from tests.queue.simulation import PowerCut, Wires

PEOPLE = 5
RANK = {DeliveryState.SENT: 1, DeliveryState.DELIVERED: 2, DeliveryState.READ: 3}
ON_ITS_WAY = {DeliveryState.SENDING, DeliveryState.UNCONFIRMED, *ACCEPTED_STATES}
"""States in which the platform may have the message."""
KINDS = {
    "lost before": Fault("drop", accepted=False, count=1),
    "lost after": Fault("drop", accepted=True, count=1),
    "stumbles after": Fault("http_error", accepted=True, status=502, count=1),
    "not now": Fault("error", code=2, count=1),
}


class SenderMachine(RuleBasedStateMachine):
    """The model: how far each person's message is known to have come, which only ever grows."""

    empty: Path

    @initialize(per_second=st.sampled_from((5, 40, 120)))
    def begin(self, per_second: int) -> None:
        self.stack = ExitStack()
        folder = Path(self.stack.enter_context(tempfile.TemporaryDirectory()))
        shutil.copy(self.empty, folder / "broadcaster.db")
        store = connect(f"sqlite:///{folder / 'broadcaster.db'}")
        self.stack.callback(store.close)
        self.floor: Floor = self.stack.enter_context(floor_on(store, PEOPLE))
        self.wires = Wires()
        self.floor.lanes = self.wires
        self.campaign = self.floor.campaign(throttle_per_second=per_second)
        self.known: dict[str, int] = {}
        self.cancelled = False

    @rule(milliseconds=st.sampled_from((10, 200, 1000)))
    def turn(self, milliseconds: int) -> None:
        self.floor.engine.tick()
        self.floor.move(timedelta(milliseconds=milliseconds))

    @precondition(lambda self: self.wires.jobs)
    @rule(data=st.data())
    def a_call_comes_through(self, data: st.DataObject) -> None:
        number = data.draw(st.integers(0, len(self.wires.jobs) - 1))
        self.wires.jobs.pop(number)()

    @rule(kind=st.sampled_from(sorted(KINDS)))
    def network_fails(self, kind: str) -> None:
        given = KINDS[kind]
        fault = Fault(given.kind, accepted=given.accepted, status=given.status, code=given.code, count=1)
        self.floor.sandbox.faults.order(fault)

    @precondition(lambda self: self.floor.reached())
    @rule(data=st.data(), kind=st.sampled_from(("echo", "delivered", "read")))
    def platform_tells(self, data: st.DataObject, kind: str) -> None:
        entry = data.draw(st.sampled_from(self.floor.sandbox.ledger()))
        fact = {
            "echo": EchoFact(entry.metadata, entry.mid, entry.accepted_at, entry.psid),
            "delivered": DeliveredFact(entry.psid, (entry.mid,)),
            "read": ReadFact(entry.psid, mid=entry.mid, at=entry.accepted_at),
        }[kind]
        with self.floor.store.write() as conn:
            receipts.apply(conn, 1, [fact, fact])

    @rule()
    def pause(self) -> None:
        with suppress(IllegalMove):
            control.pause(self.floor.store, self.campaign, "anna", self.floor.clock.now())

    @rule()
    def resume(self) -> None:
        with suppress(IllegalMove):
            control.resume(self.floor.store, self.floor.clock, self.campaign, "anna")

    @precondition(lambda self: len(self.known) > 2)
    @rule()
    def cancel(self) -> None:
        with suppress(IllegalMove):
            control.cancel(self.floor.store, self.campaign, "anna", self.floor.clock.now())
            self.cancelled = True

    @rule(step=st.sampled_from(STEPS), arrive=st.booleans())
    def power_fails_at(self, step: str, arrive: bool) -> None:
        """In the next turn, if it comes to that step; calls under way arrive, or none does."""

        def die(name: str) -> None:
            if name == step:
                raise PowerCut

        steps.hook = die
        try:
            self.floor.engine.tick()
            while self.wires.jobs:
                self.wires.jobs.pop()()
            self.floor.engine.tick()
        except PowerCut:
            steps.hook = None
            jobs, self.wires.jobs = self.wires.jobs, []
            for job in jobs if arrive else ():
                job()
            self.floor.crash()
        finally:
            steps.hook = None

    @rule(seconds=st.sampled_from((5, 40, 300)))
    def time_passes(self, seconds: int) -> None:
        self.floor.move(timedelta(seconds=seconds))

    @invariant()
    def nobody_has_it_twice(self) -> None:
        reached = self.floor.reached()
        assert len(reached) == len(set(reached))

    @invariant()
    def nobody_is_lost_and_nothing_falls_back(self) -> None:
        counts = self.floor.counts(self.campaign)
        assert counts.intended == PEOPLE
        taken = set(self.floor.reached())
        for row in self.floor.rows(self.campaign):
            state = DeliveryState(row.state)
            assert row.psid not in taken or state in ON_ITS_WAY, f"{row.psid} has it and is {state}"
            assert row.psid in taken or state not in ACCEPTED_STATES, f"{row.psid} is {state} without it"
            rank = RANK.get(state, 0)
            assert rank >= self.known.get(row.psid, 0), f"{row.psid} fell back to {state}"
            if rank:
                self.known[row.psid] = rank

    def teardown(self) -> None:
        steps.hook = None
        if not hasattr(self, "floor"):
            return
        try:
            self.ends_well()
        finally:
            self.stack.close()

    def ends_well(self) -> None:
        self.floor.sandbox.faults.clear()
        for _ in range(400):
            if self.floor.get(self.campaign).state == CampaignState.PAUSED:
                self.resume()
            while self.wires.jobs:
                self.wires.jobs.pop()()
            self.turn(1000)
            counts = self.floor.counts(self.campaign)
            if counts.waiting == counts.sending == counts.unconfirmed == 0:
                break
        self.nobody_has_it_twice()
        self.nobody_is_lost_and_nothing_falls_back()
        assert counts.sent + counts.cancelled == PEOPLE
        assert self.cancelled or counts.sent == PEOPLE
        assert counts.sent == len(self.floor.reached())


def run(
    empty_database: Path, examples: int, steps_each: int, phases: tuple[Phase, ...] = tuple(Phase)
) -> None:
    machine = type("Machine", (SenderMachine,), {"empty": empty_database})
    case = machine.TestCase
    case.settings = settings(
        max_examples=examples,
        stateful_step_count=steps_each,
        deadline=None,
        phases=phases,
        suppress_health_check=list(HealthCheck),
    )
    case("runTest").runTest()


def test_any_order_of_events_keeps_the_promises(empty_database: Path) -> None:
    run(empty_database, 25, 30)


@pytest.mark.slow
@pytest.mark.timeout(3600)
def test_any_long_order_of_events_in_simulation(empty_database: Path) -> None:
    run(empty_database, 600, 60)


def test_it_notices_what_nobody_takes_over_after_a_crash(
    empty_database: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def careless(*_: object) -> tuple[int, int]:
        return (0, 0)

    monkeypatch.setattr(ledger, "orphan", careless)
    with pytest.raises(AssertionError):
        run(empty_database, 60, 30, (Phase.generate,))
