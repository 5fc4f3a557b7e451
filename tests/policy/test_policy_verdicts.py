"""The hand-written table of verdicts, read by the set-based decision and by the explanation of one person."""

from __future__ import annotations

import csv
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import datetime
from functools import cache
from pathlib import Path
from typing import Any

from sqlalchemy import insert, select

from broadcaster.clock import parse_instant
from broadcaster.policy import decide
from broadcaster.policy.explain import explain
from broadcaster.policy.question import Question
from broadcaster.states import FeatureState, Reason
from broadcaster.store import Store
from broadcaster.store.tables import Contact, ContactAttributes
from tests.policy.people import add_page, add_person, add_sent, ask

DATA = Path(__file__).parents[1] / "data" / "policy"
CONTACTS = Contact.__table__
SHORT = {
    "ok": None,
    "opt": Reason.OPTED_OUT,
    "unr": Reason.UNREACHABLE,
    "exc": Reason.EXCLUDED,
    "plat": Reason.PERMISSION_NOT_ON_PLATFORM,
    "ret": Reason.PERMISSION_RETIRED,
    "grant": Reason.PERMISSION_NOT_GRANTED,
    "never": Reason.NEVER_INTERACTED,
    "future": Reason.INTERACTION_IN_FUTURE,
    "out24": Reason.OUTSIDE_24H,
    "out7": Reason.OUTSIDE_7D,
    "tmpl": Reason.TEMPLATE_NOT_APPROVED,
    "miss": Reason.MISSING_VALUE,
    "cap": Reason.FREQUENCY_CAP,
    "quiet": Reason.QUIET_HOURS,
    "dup": Reason.DUPLICATE,
}


@dataclass(frozen=True)
class Case:
    person: str
    permission: str
    at: datetime
    asked: str
    verdict: Reason | None


@dataclass(frozen=True)
class Slot:
    slot: str | None


@cache
def table(name: str) -> dict[str, Any]:
    return tomllib.loads((DATA / name).read_text("utf-8"))


def cases() -> Iterator[Case]:
    lines = [line for line in (DATA / "verdicts.csv").read_text("utf-8").splitlines() if line[:1] != "#"]
    for row in csv.DictReader(lines):
        for permission, verdict in list(row.items())[3:]:
            yield Case(row["person"], permission, parse_instant(row["at"]), row["asked"], SHORT[verdict])


CASES = list(cases())


def settle(store: Store, platform: str) -> tuple[int, dict[str, int]]:
    """All people of the table on one Page."""
    ids = {}
    with store.write() as conn:
        page = add_page(conn, platform, graph_id=platform)
        for name, facts in table("people.toml").items():
            given = {key: value for key, value in facts.items() if key in CONTACTS.c}
            sent = facts.get("sent_at", [])
            ids[name] = add_person(conn, page, name, **given, last_sent_at=max(sent, default=None))
            values = facts.get("attributes")
            if values:
                conn.execute(insert(ContactAttributes.__table__).values(contact_id=ids[name], values=values))
            for moment in sent:
                add_sent(conn, page, ids[name], moment)
    return page, ids


def question(case: Case, pages: dict[str, int]) -> Question:
    people, asked = table("people.toml"), dict(table("asked.toml")[case.asked])
    excluded = [name for name, facts in people.items() if facts.get("excluded")]
    already = [name for name, facts in people.items() if facts.get("already")]
    platform = asked.pop("platform", "messenger")
    template = {"approved": True, "rejected": False, "none": None}[asked.pop("template", "approved")]
    features = {key: FeatureState(value) for key, value in asked.pop("features", {}).items()}
    return ask(
        pages[platform],
        case.permission,
        platform=platform,
        at=case.at,
        template_approved=template,
        message_kind=asked.pop("message_kind", "feedback"),
        features=features,
        excluded=CONTACTS.c.psid.in_(excluded),
        already=CONTACTS.c.psid.in_(already),
        required_fields=tuple(asked.pop("required_fields", ())),
        definitions={"city": Slot("t1"), "car": Slot(None)},
        **asked,
    )


def test_the_table_has_at_least_two_hundred_verdicts_and_every_reason() -> None:
    assert len(set(CASES)) >= 200
    assert {case.verdict for case in CASES} == set(SHORT.values())


def test_both_evaluators_give_the_verdicts_of_the_table(store: Store) -> None:
    settled = {platform: settle(store, platform) for platform in ("messenger", "instagram")}
    pages = {platform: page for platform, (page, _) in settled.items()}
    wrong = []
    with store.read() as conn:
        for case in CASES:
            q = question(case, pages)
            contact_id = settled[q.platform][1][case.person]
            row = select(decide.verdict(q), decide.allowed(q)).where(CONTACTS.c.id == contact_id)
            by_set, may = conn.execute(row).one()
            alone = explain(conn, q, contact_id).reason
            if not (by_set == alone == case.verdict and bool(may) == (case.verdict is None)):
                wrong.append((case, by_set, alone, may))
    assert wrong == []


def test_the_waterfall_counts_what_the_table_says(sqlite_store: Store) -> None:
    """Each person alone as an audience: one verdict, counted once."""
    settled = {platform: settle(sqlite_store, platform) for platform in ("messenger", "instagram")}
    pages = {platform: page for platform, (page, _) in settled.items()}
    with sqlite_store.read() as conn:
        for case in (case for case in CASES if case.permission == "standard"):
            alone = replace(question(case, pages), audience=CONTACTS.c.psid == case.person)
            found = decide.check(conn, alone)
            assert found.audience == 1
            assert found.reasons == ({case.verdict: 1} if case.verdict else {}), case
