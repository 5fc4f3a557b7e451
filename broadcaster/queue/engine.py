"""The sender's work, one tick at a time: answers in, people leased, intents noted, calls out, doubts settled.

Single-threaded: only calls run elsewhere, and come back through ``_inbox``. The order is the protocol:
lease (committed), intent (committed durably), call, result (committed). See docs/reliability.md.
"""

from __future__ import annotations

import logging
import random
from collections import deque
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from itertools import islice, takewhile

from sqlalchemy import Connection

from broadcaster.clock import Clock
from broadcaster.errors import EnvironmentFault
from broadcaster.events import EventHub
from broadcaster.graph.client import GraphClient
from broadcaster.graph.outcomes import NotSent, Unknown
from broadcaster.queue import ledger
from broadcaster.queue.breaker import Breaker
from broadcaster.queue.budget import Budget, Calls, LocalBudget, SharedBudget
from broadcaster.queue.closing import finish_done
from broadcaster.queue.filling import take_up
from broadcaster.queue.install import install_id
from broadcaster.queue.lane import LEASED_AHEAD, STALE_SECONDS, PageLane, minute_of
from broadcaster.queue.lanes import Lanes
from broadcaster.queue.ledger import Intent
from broadcaster.queue.membership import BEAT_EVERY, Membership, SoleSender, Worker, new_incarnation
from broadcaster.queue.pacing import BEGINS_WITHIN, cost_of
from broadcaster.queue.plan import Plan, Plans
from broadcaster.queue.results import Aftermath, Answer, Results
from broadcaster.queue.settling import Settler
from broadcaster.queue.steps import step
from broadcaster.queue.usage import note_usage
from broadcaster.queue.wire import Answers, Outgoing, Transport
from broadcaster.settings import Settings
from broadcaster.store import Store

log = logging.getLogger(__name__)

IDLE_SECONDS = 2.0
"""At most so long between two looks at the database."""

SILENCE = (
    "The platform does not answer ({cause}). Nothing is lost: what waits goes out when it answers again."
)

TAKEN_OVER = (
    "The last run ended while it was sending: {doubted} messages are in doubt and looked up, "
    "{released} wait again. Nothing is sent twice."
)

INTENT_HOLDS = BEGINS_WITHIN
"""Seconds after its intent within which a call must begin; a computer that slept sends nothing stale."""


@dataclass(frozen=True, slots=True)
class _Back:
    """A call that came back."""

    page_id: int
    rows: Sequence[Outgoing]
    answers: Answers
    seconds: float


class Engine:
    """One sender. ``wake`` is called from call threads when something came back, with whether it was
    the last that was under way."""

    def __init__(
        self,
        store: Store,
        transport: Transport,
        clients: Callable[[int], GraphClient],
        clock: Clock,
        hub: EventHub,
        settings: Settings,
        lanes: Lanes,
        *,
        wake: Callable[[bool], None] = lambda _last: None,
        chance: random.Random | None = None,
    ) -> None:
        self._store = store
        self._transport = transport
        self._clock = clock
        self._hub = hub
        self._lanes = lanes
        self._wake = wake
        self._chance = chance or random.Random()
        self._settle = timedelta(seconds=settings.settle_seconds)
        self._budget: Budget = LocalBudget(clock) if store.is_sqlite else SharedBudget()
        self._fuses = Breaker()
        self._inbox: deque[_Back] = deque()
        self._pages: dict[int, PageLane] = {}
        self._plans = Plans()
        self._planned: set[int] = set()
        self.took_over: str | None = None
        """What was found of a sender that ended without a word, in a sentence."""
        self._settler = Settler(store, clients, clock, lanes, self._budget, self._settle, wake)
        self._install = ""
        self._beaten = float("-inf")
        self.starved = False
        """Only an answer can bring something to do: a free call, a retry, the end of a campaign."""
        self._incarnate()

    def begin(self) -> None:
        """Become a sender and free what the dead held. EnvironmentFault when another process sends."""
        self._membership.join()
        with self._store.write() as conn:
            self._install = install_id(conn)
            self._recover(conn)
        step("recover.committed")

    def tick(self) -> float:
        """Do what can be done now; returns the seconds after which to look again."""
        self._write_answers()
        self._beat()
        at = self._clock.now()
        self.starved = False
        with self._store.read() as conn:
            pages = self._plans.now(conn, at)
        self._planned = {plan.page_id for plan in pages}
        wait = min([self._fill(plan) for plan in pages] + [IDLE_SECONDS])
        wait = min(wait, self._settler.tick())
        for campaign_id in finish_done(self._store, self._at_rest(pages), at):
            self._hub.post("campaign", campaign_id)
        return wait

    def _at_rest(self, pages: Sequence[Plan]) -> list[Plan]:
        """The plans without the campaigns that surely have something open: it is at hand here."""
        return [
            replace(plan, campaigns=tuple(c for c in plan.campaigns if not lane.at_hand(c.id)))
            for plan in pages
            if (lane := self._pages[plan.page_id])
        ]

    @property
    def on_the_wire(self) -> int:
        """Messages whose call is under way."""
        return sum(lane.wire.total() for lane in self._pages.values())

    @property
    def silence(self) -> str | None:
        """Why nothing of some Page gets through to the platform; None while it answers."""
        lost = [lane for lane in self._pages.values() if lane.page_id in self._planned and lane.silent]
        cause = lost[0].silence if lost else self._settler.silence
        return SILENCE.format(cause=cause.rstrip(".")) if cause else None

    def end(self, clean: bool = True) -> None:
        """Take up nothing more: leased rows wait again, the place is free for another sender.

        Not ``clean``: the database refuses; the next start frees and settles what is left.
        """
        if clean:
            with suppress(EnvironmentFault):
                self._write_answers()
                with self._store.write() as conn:
                    ledger.release(conn, self.owner)
        with suppress(EnvironmentFault):
            self._membership.leave()

    def drain(self) -> None:
        """Write what came back, begin nothing."""
        self._write_answers()

    def _incarnate(self) -> None:
        self.owner = new_incarnation()
        self._membership: Membership = (
            SoleSender(self._store, self.owner) if self._store.is_sqlite else Worker(self._store, self.owner)
        )
        self._results = Results(self.owner, self._settle, self._fuses, self._chance)
        for lane in self._pages.values():
            lane.leased.clear()

    def _recover(self, conn: Connection) -> None:
        found = self._membership.recover(conn, self._settle)
        step("recover.marked")
        if found.last_work:
            self._budget.follow((self._clock.now() - found.last_work).total_seconds())
        if found.released or found.doubted:
            log.warning(
                "took over after a crash",
                extra={"waiting_again": found.released, "in_doubt": found.doubted},
            )
            self.took_over = TAKEN_OVER.format(doubted=found.doubted, released=found.released)

    def _beat(self) -> None:
        now = self._clock.monotonic()
        if self._store.is_sqlite or now < self._beaten + BEAT_EVERY:
            return
        with self._store.write() as conn:
            alive = self._membership.beat(conn)
            self._recover(conn)
        self._beaten = now
        if not alive:
            log.warning("others took this worker for dead; starting anew")
            self._incarnate()
            self._membership.join()

    def _fill(self, plan: Plan) -> float:
        """Send what one Page may send now; returns when to look again."""
        lane = self._pages.setdefault(plan.page_id, PageLane(plan.page_id, usage_percent=plan.usage_percent))
        now = self._clock.monotonic()
        if lane.leased and now > lane.leased_at + STALE_SECONDS:
            self._put_back(lane)
        limit = plan.limit(self._clock.now(), lane.usage_percent)
        if now < lane.paused_until:
            return lane.paused_until - now
        while True:
            media = lane.leased[0].media if lane.leased else plan.media
            if lane.free_calls(limit, media) <= 0:
                self.starved = True
                return IDLE_SECONDS
            wait = self._budget.wait(plan.key)
            if wait > 0:
                return wait
            more = self._lease(plan, lane, limit, media)
            if not lane.leased:
                self.starved = True
                return more
            self._send(plan, lane, limit)
            wait = self._budget.wait(plan.key)
            if not wait and not lane.leased:
                continue
            if 0 < wait < LEASED_AHEAD:
                self._lease(plan, lane, limit, media)  # while the pace makes us wait anyway
            return max(self._budget.wait(plan.key), 0.001)

    def _lease(self, plan: Plan, lane: PageLane, limit: float, media: bool) -> float:
        """Have a wave at hand; returns when to look again if there is nobody."""
        wanted = lane.wanting(limit, media)
        if not wanted:
            return 0.0
        return take_up(
            self._store, self._budget, self._clock, plan, lane, wanted, limit,
            self.owner, self._install, self._hub,
        )  # fmt: skip

    def _put_back(self, lane: PageLane) -> None:
        with self._store.write() as conn:
            ledger.release(conn, self.owner, [row.id for row in lane.leased])
        lane.leased.clear()

    def _send(self, plan: Plan, lane: PageLane, limit: float) -> None:
        """Note the intents of one wave durably, then begin its calls."""
        at = self._clock.now()
        if minute_of(at) != lane.decided_in and any(campaign.quiet_hours for campaign in plan.campaigns):
            self._put_back(lane)  # quiet hours begin with a minute: decided before it, they do not go in it
            return
        media = lane.leased[0].media
        cost, most = cost_of(limit, media), lane.ready_for(limit, media)
        with self._store.write() as conn:
            wave = _wave(lane, self._budget.grant(conn, plan.key, cost, most), media)
            going = ledger.intend(conn, [_intent(row) for row in wave], self.owner, at)
            kept = [row.id for row in wave if row.id not in going]
            if kept:
                ledger.release(conn, self.owner, kept)
            rows = [row for row in wave if row.id in going]
            calls = lane.calls_of(rows, limit)
            granted = self._budget.take(conn, plan.key, cost, len(going), len(calls))
            step("intent.written")
        step("intent.committed")
        for _ in wave:
            lane.leased.popleft()
        lane.leased_at = self._clock.monotonic()
        for call in calls:
            self._begin(lane, call, at, granted)

    def _begin(self, lane: PageLane, rows: Sequence[Outgoing], at: datetime, granted: Calls) -> None:
        lane.begun(rows)
        began = self._clock.monotonic()

        def call() -> None:
            granted.begins()
            begun = self._clock.monotonic()
            answers = self._call(lane.page_id, rows, began, at)
            granted.answered(self._clock.monotonic() - begun)
            self._inbox.append(_Back(lane.page_id, rows, answers, self._clock.monotonic() - began))
            self._wake(self._all_back())

        self._lanes.submit(call)

    def _all_back(self) -> bool:
        """Is nothing under way any more? A guess where a call begins at this moment."""
        return len(self._inbox) >= sum(lane.calls for lane in list(self._pages.values()))

    def _call(self, page_id: int, rows: Sequence[Outgoing], began: float, at: datetime) -> Answers:
        step("call.before")
        slept = (self._clock.now() - at).total_seconds()
        if max(self._clock.monotonic() - began, slept) > INTENT_HOLDS:
            return Answers([NotSent("the computer slept before the call began")] * len(rows))
        try:
            answers = self._transport.send(page_id, rows)
        except Exception:
            log.exception("a call failed in an unforeseen way")
            answers = Answers([Unknown("a fault in the program")] * len(rows))
        step("call.after")
        return answers

    def _write_answers(self) -> None:
        """One transaction for all that came back; kept for the next time when the database refuses."""
        came = [self._inbox[index] for index in range(len(self._inbox))]
        if not came:
            return
        step("result.taken")
        at = self._clock.now()
        outcomes = [
            Answer(back.page_id, row, outcome)
            for back in came
            for row, outcome in zip(back.rows, back.answers.outcomes, strict=True)
        ]
        with self._store.write() as conn:
            after = self._results.write(conn, outcomes, at)
            for page_id, answers in _telling(came).items():
                after.paused_campaigns |= note_usage(conn, self._pages[page_id], answers, at)
            self._budget.tell(conn)
            step("result.written")
        step("result.committed")
        for back in came:
            self._inbox.popleft()
            self._learn(back)
        self._tell(outcomes, after)

    def _learn(self, back: _Back) -> None:
        lane = self._pages[back.page_id]
        outcomes = back.answers.outcomes
        lane.answered(back.rows, back.seconds, sum(isinstance(one, Unknown) for one in outcomes))
        lost = [one.cause for one in outcomes if isinstance(one, NotSent | Unknown)]
        if len(lost) == len(outcomes):
            surely = all(isinstance(one, NotSent) for one in outcomes)
            lane.nothing_through(self._clock.monotonic(), self._chance.random(), lost[0], surely)
        else:
            lane.got_through()

    def _tell(self, answers: Sequence[Answer], after: Aftermath) -> None:
        for campaign_id in {answer.row.campaign_id for answer in answers} | after.paused_campaigns:
            self._hub.post("campaign", campaign_id)
        for page_id in after.stopped_pages | after.blocked_pages:
            self._hub.post("page", page_id)


def _telling(came: Sequence[_Back]) -> dict[int, Answers]:
    """Of each Page the answer whose headers matter most: a fault, else the most of its quota in use."""
    found: dict[int, Answers] = {}
    for back in came:
        known = found.get(back.page_id)
        if known is None or back.answers.weight >= known.weight:
            found[back.page_id] = back.answers
    return found


def _wave(lane: PageLane, most: int, media: bool) -> list[Outgoing]:
    """The next messages of one cost class; they stay leased until their intent is committed."""
    return list(takewhile(lambda row: row.media == media, islice(lane.leased, most)))


def _intent(row: Outgoing) -> Intent:
    return Intent(row.id, row.attempt - 1, row.wire_key, row.text_hash, row.shown_hash)
