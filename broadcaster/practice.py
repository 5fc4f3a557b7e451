"""The practice Page: a simulated Page on this machine and one real campaign on it, step by step.

Everything is the real thing: HTTP, signed webhooks, database, scheduler, queue. Only Meta is simulated.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import timedelta
from itertools import count
from pathlib import Path

from sqlalchemy import Connection, update

from broadcaster.audiences import counting, saved
from broadcaster.campaigns import catalogue, lifecycle
from broadcaster.campaigns.check import check_campaign
from broadcaster.campaigns.definition import parse_campaign
from broadcaster.contacts import importing, sync
from broadcaster.errors import EnvironmentFault
from broadcaster.pages.connect import connect_page
from broadcaster.reasons import reason_text
from broadcaster.reports.campaign_report import write_report
from broadcaster.reports.figures import CampaignStatus, status
from broadcaster.sandbox import Sandbox
from broadcaster.settings import Settings
from broadcaster.states import CampaignState
from broadcaster.store.tables import Page
from broadcaster.webhooks import recent
from broadcaster.workspace import Workspace

PAGES = Page.__table__  # type: ignore[attr-defined]

AUDIENCE = "Regular customers"
CAMPAIGN = "Workshop reminder"
TEXT = (
    "Hi {{first_name|there}}, the bicycle workshop in {{city|your town}} is open until 18:00 today. "
    "Shall we keep a place for you?"
)
FILTER = {"all": [{"field": "attribute.visits", "op": "gte", "value": 3}]}
PATIENCE = timedelta(minutes=10)
RECEIPTS_QUIET = timedelta(seconds=4)
"""A report is made when no receipt came for this long: people read within about two seconds here."""


@dataclass(frozen=True, slots=True)
class Step:
    """``text`` explains, ``run`` does it and returns a sentence of what came out."""

    title: str
    text: str
    run: Callable[[], str]


class Practice:
    """A workspace with its practice Page. Run ``steps()`` in order; ``close`` ends it."""

    def __init__(self, settings: Settings, contacts: int = 300, seed: int = 1) -> None:
        """Start the simulated Page, open the workspace on it and connect it."""
        self.sandbox = Sandbox(contacts=contacts, seed=seed).start()
        try:
            self.workspace = Workspace.open(replace(settings, graph_url=self.sandbox.url))
        except BaseException:
            self.sandbox.stop()
            raise
        self.campaign = CAMPAIGN
        self._actor = settings.actor
        self.page_id = self._connect()

    def _connect(self) -> int:
        space = self.workspace
        connected = connect_page(
            space.store,
            space.secrets,
            space.clock,
            space.settings,
            page_id=self.sandbox.page_id,
            name=self.sandbox.page_name,
            platform="messenger",
            token=self.sandbox.page_token,
            app_secret=self.sandbox.app_secret,
            app_id=self.sandbox.app_id,
            verify_token=self.sandbox.verify_token,
            actor=self._actor,
        )
        with space.store.write() as conn:
            conn.execute(update(PAGES).where(PAGES.c.id == connected.id).values(practice=True))
        return connected.id

    def close(self) -> None:
        """Close the workspace and end the simulated Page."""
        self.workspace.close()
        self.sandbox.stop()

    def steps(self) -> list[Step]:
        """One campaign from people to report."""
        return [
            Step(
                "Receive what happens",
                "Meta reports deliveries, reads and answers by signed webhooks. Broadcaster listens on this machine.",
                self._listen,
            ),
            Step(
                "Sync people",
                "The Conversations API gives names, ids and the time of the last message. It does not show taps and "
                "link clicks, so this counts at least who can be reached.",
                self._sync,
            ),
            Step(
                "Import a contacts file",
                "A CSV adds labels and attributes to the same people. Rows that cannot be taken go to a file with "
                "their reason; nothing gets lost without a word.",
                self._import,
            ),
            Step(
                "Build an audience",
                "Who came at least three times. The audience is a question, asked again when it is sent.",
                self._build_audience,
            ),
            Step(
                "Write the message",
                "Inside 24 hours of a person's last action no tag is needed, and promotion is allowed.",
                self._write,
            ),
            Step(
                "Check it",
                "Every person of the audience is decided for the time of sending, by the first rule that stops them.",
                self._check,
            ),
            Step(
                "Submit and approve",
                "An approval covers exactly this text, audience and way to send; any change voids it.",
                self._approve,
            ),
            Step(
                "Send",
                "The scheduler wakes the queue. Each person has one row in the ledger; the intent is on disk before "
                "each call, so nobody gets it twice, whatever happens.",
                self._send,
            ),
            Step(
                "Read the report",
                "Sent, delivered, read, failed, and the people who were kept out. The figures add up, and the "
                "platform's own ledger says the same.",
                self._report,
            ),
        ]

    def export(self, folder: Path) -> Iterator[Path]:
        """Write the report files of the campaign into ``folder``."""
        space = self.workspace
        wanted = [("blocked", "csv"), ("failures", "csv"), ("campaign", "csv"), ("campaign", "xlsx")]
        wanted += [("campaign", "pdf"), ("campaign", "json"), ("compliance", "zip")]
        for kind, format in wanted:
            out = folder / f"{kind}.{format}"
            with space.store.write() as conn:
                row = catalogue.get(conn, self.campaign)
                write_report(conn, kind, row, format, out, actor=self._actor, at=space.clock.now())
            yield out

    def status(self) -> CampaignStatus:
        with self.workspace.store.read() as conn:
            return status(conn, catalogue.get(conn, self.campaign), self.workspace.clock.now())

    def _listen(self) -> str:
        port = self.workspace.start_receiver(0)
        self.workspace.graph_client(self.page_id).subscribe()
        address = f"http://127.0.0.1:{port}/webhook"
        self.sandbox.subscribe(address)
        return f"Listening on {address}; the signature of every event is checked."

    def _sync(self) -> str:
        space = self.workspace
        result = sync.sync_contacts(space.store, space.clock, space.graph_client(self.page_id), self.page_id)
        return f"{result.conversations} conversations read, {result.created} people new."

    def _import(self) -> str:
        space = self.workspace
        file = space.settings.home / "practice-contacts.csv"
        broken = "not-a-psid,Broken,Row,,,,,,,\n"
        file.write_text(self.sandbox.contacts_csv() + broken, "utf-8")
        result = importing.import_contacts(
            space.store,
            space.clock,
            self.page_id,
            file,
            mapping=None,
            rejects=file.with_name("practice-contacts.rejects.csv"),
            dry_run=False,
            actor=self._actor,
        )
        return (
            f"{result.rows} rows: {result.created} created, {result.updated} updated, {result.unchanged} unchanged, "
            f"{result.rejected} not taken (see {result.rejects_file})."
        )

    def _build_audience(self) -> str:
        space = self.workspace
        now = space.clock.now()
        with space.store.write() as conn:
            stored = saved.save(conn, self.page_id, AUDIENCE, FILTER, kind="dynamic", now=now)
            people = counting.count(conn, self.page_id, saved.members_clause(conn, stored.id, now))
        return f"“{AUDIENCE}”: {people} people."

    def _write(self) -> str:
        space = self.workspace
        with space.store.write() as conn:
            self.campaign = _free_name(conn)
            draft = parse_campaign(
                {
                    "name": self.campaign,
                    "page": self.sandbox.page_id,
                    "audience": AUDIENCE,
                    "permission": "standard",
                    "message": {"text": TEXT, "quick_replies": ["Yes, please", "Not today"]},
                    "throttle_per_second": 40,
                }
            )
            catalogue.create(conn, draft, actor=self._actor, at=space.clock.now())
        return f"“{self.campaign}”: {TEXT}"

    def _check(self) -> str:
        with self.workspace.store.read() as conn:
            found = check_campaign(conn, catalogue.get(conn, self.campaign), self.workspace.clock.now())
        lost = "; ".join(
            f"{people} {reason_text(r).title.lower()}" for r, people in found.reach.reasons.items()
        )
        text = (
            "nothing promotional found in the text"
            if not found.text.findings
            else (f"{len(found.text.findings)} findings in the text")
        )
        return f"{found.reach.eligible} of {found.reach.audience} can be reached ({lost or 'nobody is blocked'}); {text}."

    def _approve(self) -> str:
        space = self.workspace
        with space.store.write() as conn:
            row = catalogue.get(conn, self.campaign)
            lifecycle.submit(conn, row.id, actor="planner", at=space.clock.now())
            lifecycle.approve(conn, row.id, actor="reviewer", at=space.clock.now(), note="Practice")
            seal = catalogue.get(conn, self.campaign).seal or ""
        return f"Submitted by the planner, approved by the reviewer; seal {seal[:12]}…"

    def _send(self) -> str:
        space = self.workspace
        with space.store.write() as conn:
            row = catalogue.get(conn, self.campaign)
            now = space.clock.now()
            lifecycle.schedule(conn, row.id, now + timedelta(seconds=1), actor=self._actor, at=now)
        space.start_sending()
        self._wait_for_end()
        counts = self.status().counts
        return f"{counts.sent} messages accepted by the platform, {counts.failed} failed, {counts.unconfirmed} in doubt."

    def _report(self) -> str:
        self._wait_for_receipts()
        found = self.status()
        counts, ledger = found.counts, self.sandbox.ledger()
        own = len({entry.psid for entry in ledger if (entry.metadata or "").count(".") == 2})
        same = "the same" if own == counts.sent else f"{own}: NOT the same"
        return (
            f"sent {counts.sent} · delivered {counts.delivered} · read {counts.read} · failed {counts.failed} · "
            f"blocked {found.blocked}; the figures {'add up' if found.adds_up else 'DO NOT add up'}; "
            f"the platform's own ledger says {same}."
        )

    def _wait_for_end(self) -> None:
        space = self.workspace
        deadline = time.monotonic() + PATIENCE.total_seconds()
        while time.monotonic() < deadline:
            with space.store.read() as conn:
                row = catalogue.get(conn, self.campaign)
            if row.state in (CampaignState.FINISHED, CampaignState.CANCELLED):
                return
            if row.state in (CampaignState.PAUSED, CampaignState.MISSED):
                raise EnvironmentFault(
                    f"{row.name} stands still: {row.pause_text}", "Resume it on the Queue page."
                )
            time.sleep(0.1)
        raise EnvironmentFault(f"{self.campaign} did not end within {PATIENCE}.", "See the Queue page.")

    def _wait_for_receipts(self) -> None:
        """Receipts follow the sends: wait until none came for a while."""
        space = self.workspace
        deadline = time.monotonic() + 60
        while time.monotonic() < deadline:
            with space.store.read() as conn:
                last, open_ = recent.last_activity(conn), recent.pending(conn)
            if not open_ and (last is None or space.clock.now() - last > RECEIPTS_QUIET):
                return
            time.sleep(0.1)


def _free_name(conn: Connection) -> str:
    """``Workshop reminder``, or with the next free number where the workspace has been practised in."""
    taken = {row.name for row in catalogue.listing(conn)}
    names = (CAMPAIGN if number == 1 else f"{CAMPAIGN} {number}" for number in count(1))
    return next(name for name in names if name not in taken)
