"""One seeded run: the real engine over HTTP against a platform, a network and a power supply that misbehave.

Everything that happens is drawn from the seed: faults of the network, how long calls are under way and in
which order they come back, webhooks (late, twice, shuffled), crashes at numbered steps, both clocks, and
what people click. One thread does it all, so that the same seed gives the same run.
"""

from __future__ import annotations

import random
from collections.abc import Callable
from contextlib import suppress
from datetime import timedelta
from typing import Any

from broadcaster.errors import IllegalMove
from broadcaster.queue import control, receipts, steps
from broadcaster.queue.facts import DeliveredFact, EchoFact, ReadFact, ReceiptFact
from broadcaster.sandbox import Fault
from broadcaster.states import ACCEPTED_STATES, CampaignState, DeliveryState
from tests.queue.floor import Floor

EVENTS = 120
"""Things that happen before the world calms down and the campaigns are brought to their end."""
FAULTS: tuple[Callable[[], Fault], ...] = (
    lambda: Fault("drop", rate=0.3, accepted=True, count=6),
    lambda: Fault("drop", rate=0.3, accepted=False, count=6),
    lambda: Fault("http_error", rate=0.2, accepted=True, status=502, count=4),
    lambda: Fault("http_error", rate=0.2, accepted=False, status=500, count=4),
    lambda: Fault("invalid_json", rate=0.2, accepted=True, count=4),
    lambda: Fault("error", rate=0.2, code=2, count=3),
    lambda: Fault("limit", rate=0.1, code=613, count=2),
    lambda: Fault("null", target="batch", rate=0.5, accepted=True, count=2),
    lambda: Fault("http_error", target="conversations", rate=0.5, status=500, count=3),
)


class PowerCut(BaseException):
    """The process ends here."""


class Wires:
    """Calls under way: each comes through when the run says so, in no particular order."""

    def __init__(self) -> None:
        self.jobs: list[Callable[[], None]] = []

    def submit(self, job: Callable[[], None]) -> None:
        self.jobs.append(job)

    def close(self) -> None:
        return


class Simulation:
    """A run of ``seed`` on a fresh floor. ``play`` it, then ``verify`` it."""

    def __init__(self, floor: Floor, seed: int) -> None:
        self.floor = floor
        self.chance = random.Random(seed)
        self.wires = Wires()
        floor.lanes = self.wires
        floor.sandbox.faults.clear()
        floor.sandbox.faults._seed = seed
        self.drift = self.chance.choice((1.0, 1.0, 0.8, 1.25))
        self.campaigns = [
            floor.campaign(name, throttle_per_second=self.chance.choice((5, 40, 120)))
            for name in ("A", "B")[: self.chance.choice((1, 1, 2))]
        ]
        self._left: int | None = None

    def play(self) -> None:
        for fault in self.chance.sample(FAULTS, self.chance.randint(0, 4)):
            self.floor.sandbox.faults.order(fault())
        happenings: tuple[tuple[int, Callable[[], None]], ...] = (
            (50, self._turn),
            (25, self._calls_come_through),
            (8, self._webhooks),
            (5, self._power_will_fail),
            (3, self._click),
            (1, self._sleep),
        )
        weights, deeds = [weight for weight, _ in happenings], [deed for _, deed in happenings]
        steps.hook = self._count_down
        try:
            for _ in range(EVENTS):
                self._happen(self.chance.choices(deeds, weights)[0])
        finally:
            steps.hook = None
        self._calm()

    def verify(self) -> None:
        """Nobody twice, nobody lost, and the ledger says what the platform's own ledger says."""
        for campaign in self.campaigns:
            name = self.floor.get(campaign).name
            taken = [entry.psid for entry in self.floor.sandbox.ledger() if entry.text.startswith(f"{name}:")]
            assert len(taken) == len(set(taken)), f"{name}: somebody got it twice"
            counts = self.floor.counts(campaign)
            assert counts.intended == len(self.floor.sandbox.people), f"{name}: somebody is lost"
            rows = self.floor.rows(campaign)
            known = {row.psid for row in rows if row.state in ACCEPTED_STATES}
            open_ = {row.psid for row in rows if row.state == DeliveryState.UNCONFIRMED}
            assert known == set(taken) - open_, f"{name}: sent here and taken there differ"
            assert not open_, f"{name}: a doubt that could have been settled is open"
            assert (counts.waiting, counts.sending) == (0, 0), f"{name}: it never ended"

    # -- what happens

    def _happen(self, deed: Callable[[], None]) -> None:
        try:
            deed()
        except PowerCut:
            self._left = None
            self._restart()

    def _turn(self) -> None:
        self.floor.engine.tick()
        self._pass(timedelta(milliseconds=self.chance.choice((10, 100, 500, 1500))))

    def _pass(self, time: timedelta) -> None:
        self.floor.clock.move(time)
        self.floor.sandbox.clock.move(time * self.drift)

    def _calls_come_through(self) -> None:
        self.chance.shuffle(self.wires.jobs)
        for _ in range(self.chance.randint(1, 5)):
            if self.wires.jobs:
                self.wires.jobs.pop()()

    def _webhooks(self) -> None:
        """Some of what the platform could tell, in any order, some of it twice."""
        entries = self.floor.sandbox.ledger()
        if not entries:
            return
        facts: list[ReceiptFact] = []
        for entry in self.chance.choices(entries, k=self.chance.randint(1, 6)):
            told: dict[str, ReceiptFact] = {
                "echo": EchoFact(entry.metadata, entry.mid, entry.accepted_at, entry.psid),
                "delivered": DeliveredFact(entry.psid, (entry.mid,), entry.accepted_at),
                "read": ReadFact(entry.psid, entry.accepted_at),
            }
            facts += [told[kind] for kind in self.chance.choices(list(told), k=2)]
        with self.floor.store.write() as conn:
            receipts.apply(conn, 1, facts)

    def _power_will_fail(self) -> None:
        self._left = self.chance.randint(1, 25)

    def _count_down(self, _name: str) -> None:
        if self._left is None:
            return
        self._left -= 1
        if self._left <= 0:
            self._left = None
            raise PowerCut

    def _restart(self) -> None:
        """The dead process's calls arrive or do not; nobody is there to hear the answers."""
        jobs, self.wires.jobs = self.wires.jobs, []
        for job in jobs:
            if self.chance.random() < 0.5:
                with suppress(PowerCut):
                    job()
        self.floor.crash()

    def _click(self) -> None:
        campaign = self.chance.choice(self.campaigns)
        now = self.floor.clock.now()
        deeds: list[Callable[[], Any]] = [
            lambda: control.pause(self.floor.store, campaign, "anna", now),
            lambda: control.resume(self.floor.store, self.floor.clock, campaign, "anna"),
        ]
        if self.chance.random() < 0.1:
            deeds = [lambda: control.cancel(self.floor.store, campaign, "anna", now)]
        with suppress(IllegalMove):
            self.chance.choice(deeds)()

    def _sleep(self) -> None:
        self._pass(timedelta(seconds=self.chance.choice((20, 45, 200))))

    def _calm(self) -> None:
        """The network heals, the clocks agree on a second, paused campaigns go on; then to the end."""
        self.floor.sandbox.faults.clear()
        for _ in range(600):
            while self.wires.jobs:
                self.wires.jobs.pop()()
            for campaign in self.campaigns:
                if self.floor.get(campaign).state == CampaignState.PAUSED:
                    control.resume(self.floor.store, self.floor.clock, campaign, "anna")
            self.floor.engine.tick()
            self._pass(timedelta(seconds=1))
            if not self.wires.jobs and all(map(self._at_rest, self.campaigns)):
                return

    def _at_rest(self, campaign: int) -> bool:
        counts = self.floor.counts(campaign)
        return counts.waiting == counts.sending == counts.unconfirmed == 0
