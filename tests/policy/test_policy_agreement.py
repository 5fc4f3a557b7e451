"""The set-based decision and the judge of one person agree for any person, rule set and time."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any
from uuid import uuid4

from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import insert, literal, select

from broadcaster.clock import epoch_ms
from broadcaster.policy import decide
from broadcaster.policy.explain import Explanation, explain
from broadcaster.policy.facts import facts_of
from broadcaster.policy.forecast import forecast, queue_aware
from broadcaster.policy.packs import Pack, Permission, Rule, shipped
from broadcaster.policy.question import Question
from broadcaster.policy.rules import closes_ms
from broadcaster.policy.terms import Facts
from broadcaster.states import FeatureState
from broadcaster.store import Store
from broadcaster.store.beside import reader_beside
from broadcaster.store.tables import Contact, ContactAttributes
from tests.policy.people import add_page, add_person, add_sent

CONTACTS = Contact.__table__
BASE = datetime(2026, 4, 20, tzinfo=UTC)
SLOTS = {"city": "t1", "size": "n1", "loose": None}
FEATURES = ("human_agent", "utility")


@dataclass(frozen=True)
class Slot:
    slot: str | None


def instants(days: int = 14) -> st.SearchStrategy[datetime]:
    """Around the April boundary; whole hours and half seconds, so that edges are met often."""
    hours = st.integers(-24 * days, 24 * days).map(lambda hours: BASE + timedelta(hours=hours))
    return st.builds(
        lambda at, ms: at + timedelta(milliseconds=ms), hours, st.sampled_from((0, 0, 500, -1, 60_000))
    )


people = st.fixed_dictionaries(
    {
        "opted_out": st.sampled_from((False, False, False, True)),
        "unreachable": st.sampled_from((False, False, False, True)),
        "last_interaction_at": st.none() | instants(),
        "last_message_at": st.none() | instants(),
        "ad_window_until": st.none() | instants(),
        "timezone": st.sampled_from(
            (None, "Europe/Berlin", "Asia/Tokyo", "+05:30", "-00:15", "Nowhere/Land", "")
        ),
        "first_name": st.sampled_from((None, "", "Ada")),
        "t1": st.sampled_from((None, "", "Berlin")),
        "n1": st.sampled_from((None, 0.0, 3.5)),
        "attributes": st.sampled_from(
            (None, {}, {"loose": ""}, {"loose": None}, {"loose": 0}, {"loose": "x"})
        ),
        "sent": st.lists(st.tuples(instants(), st.sampled_from(("sent", "read", "failed"))), max_size=3),
    }
)

rules = {"text": "t", "source": "s", "read": date(2026, 1, 1)}


@st.composite
def packs(draw: st.DrawFn) -> Pack:
    """The shipped pack, or one way to send made of any rules."""
    if draw(st.booleans()):
        return shipped()
    platforms = draw(st.sampled_from((("messenger",), ("instagram",), ("messenger", "instagram"))))
    ends = draw(st.none() | instants())
    entries = [{"rule": "state", "state": "open", "valid_until": ends}]
    if ends:
        entries.append({"rule": "state", "state": "retired", "valid_from": ends})
    if draw(st.booleans()):
        counted = draw(st.sampled_from(("interaction", "message")))
        entries.append({"rule": "window", "hours": draw(st.integers(1, 200)), "counts_from": counted})
        if draw(st.booleans()):
            entries.append({"rule": "ad_window", "hours": 168, "valid_from": draw(st.none() | instants())})
    if draw(st.booleans()):
        entries.append({"rule": "feature", "feature": draw(st.sampled_from(FEATURES))})
    if draw(st.booleans()):
        entries.append({"rule": "template"})
    own = Permission(
        key="own",
        title="Own",
        messaging_type="UPDATE",
        platforms=platforms,
        rule=tuple(Rule(**{**rules, "platforms": platforms, **entry}) for entry in entries),
        carries=draw(st.sampled_from((None, None, "feedback"))),
        **{key: rules[key] for key in ("source", "read")},
    )
    return shipped().model_copy(update={"permissions": {"own": own}})


@st.composite
def questions(draw: st.DrawFn) -> dict[str, Any]:
    pack = draw(packs())
    quiet = {
        "from": draw(st.sampled_from(("21:00", "00:00", "07:30"))),
        "to": draw(st.sampled_from(("08:00", "00:00", "22:15"))),
        "timezone": draw(st.sampled_from(("recipient", "Europe/Berlin"))),
        "fallback": draw(st.sampled_from(("UTC", "Asia/Tokyo"))),
    }
    cap = {"max": draw(st.integers(1, 2)), "per": draw(st.sampled_from(("24h", "7d")))}
    fields = ("first_name", "attribute.city", "attribute.size", "attribute.loose", "attribute.nobody knows")
    return {
        "pack": pack,
        "permission": draw(st.sampled_from(sorted(pack.permissions))),
        "platform": draw(st.sampled_from(("messenger", "messenger", "instagram"))),
        "at": draw(instants(20)),
        "features": draw(st.dictionaries(st.sampled_from(FEATURES), st.sampled_from(list(FeatureState)))),
        "template_approved": draw(st.sampled_from((None, True, False))),
        "message_kind": draw(st.sampled_from(("text", "feedback"))),
        "required_fields": tuple(draw(st.lists(st.sampled_from(fields), max_size=2, unique=True))),
        "quiet_hours": draw(st.sampled_from((None, quiet))),
        "frequency_cap": draw(st.sampled_from((None, cap))),
        "margin_seconds": draw(st.sampled_from((0, 60, 7200))),
        "possible_ad_window": draw(st.booleans()),
        "excluded": draw(st.booleans()),
        "already": draw(st.booleans()),
    }


def build(page: int, asked: dict[str, Any]) -> Question:
    nobody, some = literal(False), CONTACTS.c.psid.in_(("0",))
    marks = {key: some if asked[key] else nobody for key in ("excluded", "already")}
    definitions = {name: Slot(slot) for name, slot in SLOTS.items()}
    return Question(page_id=page, audience=literal(True), definitions=definitions, **{**asked, **marks})


def settle(conn: Any, crowd: Sequence[dict[str, Any]], graph_id: str = "100") -> tuple[int, list[int]]:
    page, ids = add_page(conn, graph_id=graph_id), []
    for number, facts in enumerate(crowd):
        row = {key: value for key, value in facts.items() if key in CONTACTS.c}
        accepted = [at for at, state in facts["sent"] if state != "failed"]
        id_ = add_person(conn, page, str(number), **row, last_sent_at=max(accepted, default=None))
        if facts["attributes"] is not None:
            conn.execute(
                insert(ContactAttributes.__table__).values(contact_id=id_, values=facts["attributes"])
            )
        for at, state in facts["sent"]:
            add_sent(conn, page, id_, at, state)
        ids.append(id_)
    return page, ids


def possibly(facts: Facts, explained: Explanation, q: Question) -> bool:
    """Past the sure window and stopped by nothing else, while an ad may still hold the window open."""
    terms = q.terms()
    window, until = terms.window, facts.ad_window_until
    failing = {verdict.rule for verdict in explained.rules if not verdict.passed}
    if window is None or until is None or terms.rule("ad_window") is None or failing - {terms.window_reason}:
        return False
    written = facts.last_message_at if window.counts_from == "message" else None
    last = written or facts.last_interaction_at
    past = last is not None and epoch_ms(last) <= (terms.latest_closed_ms or 0)
    return past and epoch_ms(until) > terms.at_ms + terms.margin_ms


def agree(store: Store, crowd: Sequence[dict[str, Any]], asked: dict[str, Any]) -> None:
    with store.engine.connect() as conn, conn.begin() as transaction:
        page, ids = settle(conn, crowd)
        q = build(page, asked)
        columns = (CONTACTS.c.id, decide.verdict(q), decide.allowed(q), decide.closes_at(q))
        by_set = {row[0]: (row[1], bool(row[2]), row[3]) for row in conn.execute(select(*columns))}
        explained = {id_: explain(conn, q, id_) for id_ in ids}
        alone = {id_: found.reason for id_, found in explained.items()}
        closes = {id_: closes_ms(facts_of(conn, q, id_), q.terms()) for id_ in ids}
        assert {id_: verdict for id_, (verdict, _, _) in by_set.items()} == alone
        assert {id_: may for id_, (_, may, _) in by_set.items()} == {i: r is None for i, r in alone.items()}
        assert {id_: shuts for id_, (_, _, shuts) in by_set.items()} == closes
        found = decide.check(conn, q)
        reasons = [reason for reason in alone.values() if reason]
        assert found.reasons == {reason: reasons.count(reason) for reason in set(reasons)}
        assert found.audience == len(crowd)
        assert found.eligible == decide.eligible_count(conn, q) == len(crowd) - len(reasons)
        failing = Counter(v.rule for one in explained.values() for v in one.rules if not v.passed)
        assert found.also_failing == dict(failing)
        assert found.possible == sum(
            possibly(facts_of(conn, q, id_), one, q) for id_, one in explained.items()
        )
        assert decide.compare(conn, q, [q.permission])[0].reach == found
        late = [id_ for id_ in ids if alone[id_] is None and closes[id_] is not None]
        assert all(closes[id_] > epoch_ms(q.at) for id_ in late)
        transaction.rollback()


crowds = st.lists(people, min_size=1, max_size=4)


@settings(max_examples=250)
@given(crowd=crowds, asked=questions())
def test_set_and_single_agree_on_sqlite(sqlite_store: Store, crowd: list[Any], asked: dict[str, Any]) -> None:
    agree(sqlite_store, crowd, asked)


@settings(max_examples=100)
@given(crowd=crowds, asked=questions())
def test_set_and_single_agree_on_postgresql(
    postgres_store: Store, crowd: list[Any], asked: dict[str, Any]
) -> None:
    agree(postgres_store, crowd, asked)


@settings(max_examples=60)
@given(crowd=crowds, asked=questions())
def test_any_forecast_equals_the_checks_at_its_hours(
    sqlite_store: Store, crowd: list[Any], asked: dict[str, Any]
) -> None:
    start = BASE + timedelta(days=22)  # after every message sent: the forecast knows of no later ones
    moved = {**asked, "at": start}
    with sqlite_store.engine.connect() as conn, conn.begin() as transaction:
        page, _ = settle(conn, crowd)
        q = build(page, moved)
        for at, count in forecast(conn, q, start, 30).hours[::3]:
            assert count == decide.check(conn, q.at_time(at)).eligible
        transaction.rollback()


@settings(max_examples=60)
@given(crowd=crowds, asked=questions())
def test_two_readers_count_what_one_counts(
    sqlite_store: Store, crowd: list[Any], asked: dict[str, Any]
) -> None:
    with sqlite_store.write() as conn:
        page, _ = settle(conn, crowd, graph_id=uuid4().hex)
    q = build(page, asked)
    with sqlite_store.read() as conn, sqlite_store.read(wide=True) as wide:
        assert reader_beside(wide) is not None
        assert decide.check(wide, q) == decide.check(conn, q)
        assert decide.eligible_count(wide, q) == decide.eligible_count(conn, q)
        reaches = [[each.reach for each in decide.compare(reader, q)] for reader in (wide, conn)]
        assert reaches[0] == reaches[1]
        assert forecast(wide, q, q.at, 30) == forecast(conn, q, q.at, 30)
        assert queue_aware(wide, q, q.at, 0.001) == queue_aware(conn, q, q.at, 0.001)
