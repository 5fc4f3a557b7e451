"""One small campaign that can be begun again and again: real engine, real database, the sandbox over HTTP."""

from __future__ import annotations

import random
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from sqlalchemy import insert, select

from broadcaster.audiences import saved
from broadcaster.campaigns import catalogue, lifecycle
from broadcaster.campaigns.definition import parse_campaign
from broadcaster.clock import ManualClock
from broadcaster.events import EventHub
from broadcaster.graph.client import GraphClient
from broadcaster.queue import counting, steps
from broadcaster.queue.engine import Engine
from broadcaster.queue.launch import launch
from broadcaster.queue.wire import GraphTransport
from broadcaster.sandbox import Behaviour, Sandbox
from broadcaster.settings import Settings
from broadcaster.states import CampaignState
from broadcaster.store import Store, open_store
from broadcaster.store.tables import Contact, Page

NOW = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)
SETTLE_SECONDS = 2.0
TURNS = 400
TURN = timedelta(seconds=0.5)


class Died(BaseException):
    """The process ends here."""


class InlineLanes:
    """Carries each call at once, in the engine's own thread: every run takes the same steps in order."""

    def submit(self, job: Callable[[], None]) -> None:
        job()

    def close(self) -> None:
        return


@dataclass
class EngineRoom:
    """A workspace with a launched campaign on the sandbox's first ``people`` people."""

    store: Store
    sandbox: Sandbox
    clock: ManualClock
    campaign: int
    pace_there: float = 1.0
    """How fast the platform's clock goes beside ours."""

    def engine(self, seed: int = 1) -> Engine:
        client = GraphClient(
            self.sandbox.url, "v26.0", token=self.sandbox.page_token, page_graph_id=self.sandbox.page_id,
            timeout=5, clock=self.clock,
        )  # fmt: skip
        clients = {1: client}.__getitem__
        settings = Settings(Path(), "", graph_url=self.sandbox.url, settle_seconds=SETTLE_SECONDS)
        return Engine(
            self.store, GraphTransport(clients), clients, self.clock, EventHub(), settings, InlineLanes(),
            chance=random.Random(seed),
        )  # fmt: skip

    def run(self, die_at: int | None = None) -> int:
        """Send until the campaign has ended, dying at the ``die_at``-th step; returns the steps taken."""
        taken = 0

        def count(_name: str) -> None:
            nonlocal taken
            taken += 1
            if taken == die_at:
                raise Died

        engine = self.engine()
        steps.hook = count
        try:
            engine.begin()
            for _ in range(TURNS):
                engine.tick()
                self.clock.move(TURN)
                self.sandbox.clock.move(TURN * self.pace_there)
                if self.ended():
                    break
        except Died:
            pass
        finally:
            steps.hook = None
            # the operating system frees the lock of a dead process; nothing else of it is cleaned up
            engine._membership.leave()
        return taken

    def ended(self) -> bool:
        with self.store.read() as conn:
            return catalogue.get(conn, self.campaign).state == CampaignState.FINISHED

    def close(self) -> None:
        self.store.close()
        self.sandbox.stop()

    def check(self, people: int) -> None:
        """Nobody twice, nobody lost, nothing left open."""
        reached = [entry.psid for entry in self.sandbox.ledger()]
        assert len(reached) == len(set(reached)), "somebody got it twice"
        with self.store.read() as conn:
            counts = counting.counts(conn, self.campaign)
        assert counts.adds_up
        assert (counts.sent, counts.unconfirmed, counts.waiting, counts.sending) == (people, 0, 0, 0)
        assert len(reached) == people


def platform(people: int) -> Sandbox:
    """A Page of its own for one run: the same people every time, and no message of another run."""
    sandbox = Sandbox(contacts=people, seed=2, now=NOW, behaviour=Behaviour.quiet()).start()
    sandbox.page.limits.enforced = False
    sandbox.clock.freeze()
    return sandbox


def template(folder: Path, people: int) -> Path:
    """A database with an approved campaign, to be copied for each run."""
    sandbox = platform(people)
    path = folder / "template.db"
    store = open_store(f"sqlite:///{path}", NOW)
    with store.write() as conn:
        conn.execute(
            insert(Page).values(
                id=1, graph_id=sandbox.page_id, name="Bikes", platform="messenger", graph_url=sandbox.url,
                graph_version="v26.0", state="ready", features={}, scopes=[], webhook_subscribed=False,
                throttle_per_second=40, usage_percent=0, practice=True, connected_at=NOW,
            )
        )  # fmt: skip
        conn.execute(
            insert(Contact),
            [
                {
                    "page_id": 1, "psid": sandbox.person(index).psid, "opted_out": False, "unreachable": False,
                    "source": "import", "created_at": NOW, "updated_at": NOW,
                    "last_interaction_at": NOW - timedelta(hours=1),
                }
                for index in range(people)
            ],
        )  # fmt: skip
        saved.save(conn, 1, "All", {"all": []}, now=NOW)
        draft = parse_campaign(
            {
                "name": "C", "page": sandbox.page_id, "audience": "All", "permission": "standard",
                "message": {"text": "Hi {{psid}}"}, "throttle_per_second": 40,
            }
        )  # fmt: skip
        campaign = catalogue.create(conn, draft, actor="a", at=NOW)
        lifecycle.submit(conn, campaign, actor="a", at=NOW)
        lifecycle.approve(conn, campaign, actor="b", at=NOW)
        lifecycle.schedule(conn, campaign, NOW, actor="a", at=NOW)
    store.close()
    sandbox.stop()
    return path


def room(original: Path, people: int, name: str) -> EngineRoom:
    """A fresh copy of the template with its campaign launched, on a platform of its own."""
    sandbox = platform(people)
    path = original.with_name(f"{name}.db")
    shutil.copy(original, path)
    store = open_store(f"sqlite:///{path}", NOW)
    clock = ManualClock(NOW)
    with store.read() as conn:
        campaign = conn.execute(select(catalogue.CAMPAIGNS.c.id)).scalar_one()
    launch(store, clock, campaign, "a")
    return EngineRoom(store, sandbox, clock, campaign)
