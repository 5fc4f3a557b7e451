"""Where campaigns are sent in tests: the real engine and database, the sandbox over HTTP, one clock for all."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from sqlalchemy import Row, insert, select, update

from broadcaster.audiences import saved
from broadcaster.campaigns import catalogue, lifecycle
from broadcaster.campaigns.catalogue import CampaignRow
from broadcaster.campaigns.definition import parse_campaign
from broadcaster.clock import ManualClock
from broadcaster.events import EventHub
from broadcaster.graph.client import GraphClient
from broadcaster.queue import counting
from broadcaster.queue.breaker import PAGES
from broadcaster.queue.counting import Counts
from broadcaster.queue.engine import Engine
from broadcaster.queue.launch import launch
from broadcaster.queue.ledger import CONTACTS, ROWS
from broadcaster.queue.sender import Sender
from broadcaster.queue.wire import GraphTransport
from broadcaster.sandbox import Behaviour, Sandbox
from broadcaster.sandbox.clock import to_ms
from broadcaster.settings import Settings
from broadcaster.states import CampaignState
from broadcaster.store import Store
from broadcaster.store.tables import Contact, Page

NOW = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)
LAST_SEEN = NOW - timedelta(hours=1)
SETTLE_SECONDS = 2.0
TURN = timedelta(seconds=0.5)
ALL = "All"


class Inline:
    """Carries each call at once in the engine's own thread, so that every run takes the same steps."""

    def submit(self, job: Callable[[], None]) -> None:
        job()

    def close(self) -> None:
        return


class Held:
    """Keeps the calls until ``go``: messages stay on the wire as long as a test wants."""

    def __init__(self) -> None:
        self.jobs: list[Callable[[], None]] = []

    def submit(self, job: Callable[[], None]) -> None:
        self.jobs.append(job)

    def go(self) -> None:
        jobs, self.jobs = self.jobs, []
        for job in jobs:
            job()

    def close(self) -> None:
        return


@dataclass
class Floor:
    """A workspace whose Page (id 1) knows all of the sandbox's people; each wrote an hour ago."""

    store: Store
    sandbox: Sandbox
    clock: ManualClock
    hub: EventHub = field(default_factory=EventHub)
    lanes: Any = field(default_factory=Inline)
    url: str = ""
    """Where the engine calls; the sandbox unless a test says otherwise."""
    settle_seconds: float = SETTLE_SECONDS
    timeout: float = 5.0
    _engine: Engine | None = None
    _clients: dict[int, GraphClient] = field(default_factory=dict)

    @property
    def engine(self) -> Engine:
        if self._engine is None:
            self._engine = self.new_engine()
            self._engine.begin()
        return self._engine

    @property
    def settings(self) -> Settings:
        return Settings(Path(), "", graph_url=self.sandbox.url, settle_seconds=self.settle_seconds)

    def new_engine(self) -> Engine:
        transport = GraphTransport(self.client)
        return Engine(
            self.store, transport, self.client, self.clock, self.hub, self.settings, self.lanes,
            chance=random.Random(1),
        )  # fmt: skip

    def sender(self) -> Sender:
        """A sender whose engine is the floor's; a test takes its turns by hand."""
        made = Sender(self.store, self.client, self.clock, self.hub, self.settings)
        made.engine._lanes = self.lanes
        made.engine.begin()
        self._engine = made.engine
        return made

    def crash(self) -> None:
        """The process ends where it stands; the operating system frees its lock."""
        self.engine._membership.leave()
        self._engine = None

    def client(self, page_id: int = 1) -> GraphClient:
        if page_id not in self._clients:
            with self.store.read() as conn:
                graph_id = conn.execute(select(PAGES.c.graph_id).where(PAGES.c.id == page_id)).scalar_one()
            page = self.sandbox._world.pages[graph_id]
            self._clients[page_id] = GraphClient(
                self.url or self.sandbox.url, "v26.0", token=self.sandbox.token_of(page),
                page_graph_id=graph_id, platform=page.platform, timeout=self.timeout, clock=self.clock,
            )  # fmt: skip
        return self._clients[page_id]

    def forget_clients(self) -> None:
        """After a new token or another address."""
        for client in self._clients.values():
            client.close()
        self._clients.clear()

    def close(self) -> None:
        if self._engine is not None:
            self._engine._membership.leave()
        self.forget_clients()

    # -- what is there

    def add_page(self, page_id: int, people: int, platform: str = "messenger") -> None:
        page = self.sandbox.page if page_id == 1 else self.sandbox.add_page(people, platform)  # type: ignore[arg-type]
        page.limits.seconds = self.clock.monotonic
        with self.store.write() as conn:
            conn.execute(insert(Page).values(**_page(page_id, page.id, self.sandbox.url, platform)))
            everybody = [page.people.at(index) for index in range(people)]
            for person in everybody:
                person.last_interaction_ms = person.last_message_ms = to_ms(LAST_SEEN)
            psids = [person.psid for person in everybody]
            conn.execute(insert(Contact), [_person(page_id, psid) for psid in psids])
            saved.save(conn, page_id, _audience(page_id), {"all": []}, now=self.clock.now())

    def campaign(self, name: str = "C", *, page: int = 1, launched: bool = True, **changes: Any) -> int:
        """An approved campaign to everybody of the Page, due now, launched unless told otherwise."""
        start, wall, zone = changes.pop("start", self.clock.now()), changes.pop("wall", None), None
        zone = changes.pop("zone", None)
        with self.store.write() as conn:
            graph_id = conn.execute(select(PAGES.c.graph_id).where(PAGES.c.id == page)).scalar_one()
            given = {
                "name": name, "page": graph_id, "audience": _audience(page), "permission": "standard",
                "message": {"text": f"{name}: hi {{{{psid}}}}"}, "throttle_per_second": 40, **changes,
            }  # fmt: skip
            made = catalogue.create(conn, parse_campaign(given), actor="anna", at=self.clock.now())
            lifecycle.submit(conn, made, actor="anna", at=self.clock.now())
            lifecycle.approve(conn, made, actor="ben", at=self.clock.now(), note="fine")
            lifecycle.schedule(conn, made, start, actor="anna", at=self.clock.now(), wall=wall, zone=zone)
        if launched:
            launch(self.store, self.clock, made, "anna")
        return made

    # -- what happens

    def move(self, delta: timedelta) -> None:
        """Let time pass here and on the platform."""
        self.clock.move(delta)
        self.sandbox.clock.move(delta)

    def turns(self, number: int = 1, each: timedelta = TURN) -> None:
        for _ in range(number):
            self.engine.tick()
            self.move(each)

    def until(self, holds: Callable[[], bool], most: int = 400, each: timedelta = TURN) -> None:
        for _ in range(most):
            if holds():
                return
            self.turns(1, each)
        raise AssertionError(f"not within {most} turns")

    def finish(self, *campaigns: int, most: int = 600) -> None:
        """Send until these have ended."""
        self.until(lambda: all(self.get(one).state == CampaignState.FINISHED for one in campaigns), most)

    # -- what came of it

    def get(self, campaign: int | str) -> CampaignRow:
        with self.store.read() as conn:
            return catalogue.get(conn, campaign)

    def counts(self, campaign: int) -> Counts:
        with self.store.read() as conn:
            found = counting.counts(conn, campaign)
        assert found.adds_up, found
        return found

    def rows(self, campaign: int) -> list[Row[Any]]:
        with self.store.read() as conn:
            query = (
                select(ROWS, CONTACTS.c.psid)
                .join(CONTACTS, CONTACTS.c.id == ROWS.c.contact_id)
                .where(ROWS.c.campaign_id == campaign)
                .order_by(ROWS.c.id)
            )
            return list(conn.execute(query).all())

    def row(self, campaign: int, index: int = 0) -> Row[Any]:
        return self.rows(campaign)[index]

    def reached(self) -> list[str]:
        """PSIDs in the order in which the platform took messages for them."""
        return [entry.psid for entry in self.sandbox.ledger()]

    def psid(self, index: int = 0) -> str:
        return self.sandbox.person(index).psid

    # -- changes by hand

    def change_people(self, indices: Iterable[int], **values: Any) -> None:
        psids = [self.psid(index) for index in indices]
        with self.store.write() as conn:
            conn.execute(update(CONTACTS).where(CONTACTS.c.psid.in_(psids)).values(**values))

    def change_page(self, page_id: int = 1, **values: Any) -> None:
        with self.store.write() as conn:
            conn.execute(update(PAGES).where(PAGES.c.id == page_id).values(**values))

    def page(self, page_id: int = 1) -> Row[Any]:
        with self.store.read() as conn:
            return conn.execute(select(PAGES).where(PAGES.c.id == page_id)).one()


@contextmanager
def floor_on(store: Store, people: int) -> Iterator[Floor]:
    """A Page with ``people`` on ``store``; nobody does anything by themselves."""
    with Sandbox(contacts=people, seed=2, now=NOW, behaviour=Behaviour.quiet()) as sandbox:
        sandbox.clock.freeze()
        made = Floor(store, sandbox, ManualClock(NOW))
        made.add_page(1, people)
        try:
            yield made
        finally:
            made.close()


def _audience(page_id: int) -> str:
    return ALL if page_id == 1 else f"{ALL} {page_id}"


def _page(page_id: int, graph_id: str, url: str, platform: str) -> dict[str, Any]:
    return {
        "id": page_id, "graph_id": graph_id, "name": f"Page {page_id}", "platform": platform,
        "graph_url": url, "graph_version": "v26.0", "state": "ready", "features": {}, "scopes": [],
        "webhook_subscribed": False, "throttle_per_second": 10, "usage_percent": 0, "practice": True,
        "connected_at": NOW,
    }  # fmt: skip


def _person(page_id: int, psid: str) -> dict[str, Any]:
    return {
        "page_id": page_id, "psid": psid, "opted_out": False, "unreachable": False, "source": "import",
        "created_at": NOW, "updated_at": NOW, "last_interaction_at": LAST_SEEN,
    }  # fmt: skip
