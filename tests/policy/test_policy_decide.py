"""The set-based decision: waterfall, count, closing instants, what-if."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from sqlalchemy import insert, select

from broadcaster.policy import decide
from broadcaster.policy.explain import explain
from broadcaster.states import FeatureState, Reason
from broadcaster.store import Store
from broadcaster.store.tables import ContactAttributes
from tests.policy.people import AT, CONTACTS, add_page, add_person, ask

HOUR = timedelta(hours=1)


def test_everybody_counts_once_and_the_numbers_add_up(store: Store) -> None:
    with store.write() as conn:
        page = add_page(conn)
        add_person(conn, page, "in", last_interaction_at=AT - HOUR)
        add_person(conn, page, "out", last_interaction_at=AT - 30 * HOUR)
        add_person(conn, page, "both", last_interaction_at=AT - 30 * HOUR, opted_out=True)
        add_person(conn, page, "never")
        found = decide.check(conn, ask(page))
    assert (found.audience, found.eligible, found.blocked) == (4, 1, 3)
    assert found.reasons == {Reason.OPTED_OUT: 1, Reason.NEVER_INTERACTED: 1, Reason.OUTSIDE_24H: 1}
    assert found.also_failing == {Reason.OPTED_OUT: 1, Reason.NEVER_INTERACTED: 1, Reason.OUTSIDE_24H: 2}


def test_people_of_other_pages_are_not_asked_about(store: Store) -> None:
    with store.write() as conn:
        page, other = add_page(conn), add_page(conn, graph_id="200")
        add_person(conn, other, "elsewhere", last_interaction_at=AT - HOUR)
        assert decide.check(conn, ask(page)).audience == 0
        assert decide.eligible_count(conn, ask(page)) == 0


def test_a_retired_tag_stops_everybody_inside_the_window_too(store: Store) -> None:
    with store.write() as conn:
        page = add_page(conn)
        add_person(conn, page, "in", last_interaction_at=AT - HOUR)
        found = decide.check(conn, ask(page, "account_update"))
        assert found.reasons == {Reason.PERMISSION_RETIRED: 1}
        last_second = datetime(2026, 4, 26, 23, 59, 59, tzinfo=UTC)
        assert decide.check(conn, ask(page, "account_update", at=last_second)).eligible == 1
        first_second = last_second + timedelta(seconds=1)
        assert decide.check(conn, ask(page, "account_update", at=first_second)).eligible == 0


def test_the_window_shuts_the_margin_early_to_the_second(store: Store) -> None:
    with store.write() as conn:
        page = add_page(conn)
        second = timedelta(seconds=1)
        shut = add_person(conn, page, "shut", last_interaction_at=AT - 24 * HOUR + 60 * second)
        open_ = add_person(conn, page, "open", last_interaction_at=AT - 24 * HOUR + 61 * second)
        q = ask(page)
        assert explain(conn, q, shut).reason == Reason.OUTSIDE_24H
        assert explain(conn, q, open_).eligible
        rows = conn.execute(select(CONTACTS.c.psid, decide.verdict(q)).order_by(CONTACTS.c.id)).all()
        assert [tuple(row) for row in rows] == [("shut", "outside_24h"), ("open", None)]
        assert decide.eligible_count(conn, q) == 1


def test_closes_at_is_the_first_instant_that_is_too_late(store: Store) -> None:
    with store.write() as conn:
        page = add_page(conn)
        add_person(conn, page, "in", last_interaction_at=AT)
        q = ask(page)
        closes = conn.execute(select(decide.closes_at(q))).scalar_one()
        assert closes == int((AT + 24 * HOUR - timedelta(seconds=60)).timestamp() * 1000)


def test_utility_has_no_end_and_old_tags_end_with_their_retirement(store: Store) -> None:
    with store.write() as conn:
        page = add_page(conn)
        add_person(conn, page, "anybody")
        assert (
            conn.execute(select(decide.closes_at(ask(page, "utility"))).select_from(CONTACTS)).scalar()
            is None
        )
        april = ask(page, "account_update", at=datetime(2026, 4, 20, tzinfo=UTC))
        ends = datetime(2026, 4, 27, tzinfo=UTC).timestamp() * 1000
        assert conn.execute(select(decide.closes_at(april)).select_from(CONTACTS)).scalar() == ends


def test_a_missing_value_is_found_in_columns_slots_and_loose_attributes(store: Store) -> None:
    class Definition:
        def __init__(self, slot: str | None) -> None:
            self.slot = slot

    with store.write() as conn:
        page = add_page(conn)
        full = {"first_name": "Ada", "t1": "Berlin", "n1": 3.0, "last_interaction_at": AT - HOUR}
        ids = [
            add_person(conn, page, "full", **full),
            add_person(conn, page, "no name", **{**full, "first_name": ""}),
            add_person(conn, page, "no slot", **{**full, "t1": None}),
            add_person(conn, page, "no number", **{**full, "n1": None}),
            add_person(conn, page, "no json", **full),
            add_person(conn, page, "empty json", **full),
        ]
        for id_ in ids:
            given = {'the "car"': "Golf"} if id_ != ids[5] else {'the "car"': "", "other": "x"}
            if id_ != ids[4]:
                conn.execute(insert(ContactAttributes.__table__).values(contact_id=id_, values=given))
        fields = ("first_name", "attribute.city", "attribute.size", 'attribute.the "car"')
        definitions = {"city": Definition("t1"), "size": Definition("n1"), 'the "car"': Definition(None)}
        q = ask(page, required_fields=fields, definitions=definitions)
        assert decide.check(conn, q).reasons == {Reason.MISSING_VALUE: 5}
        assert [explain(conn, q, id_).eligible for id_ in ids] == [True, False, False, False, False, False]


def test_a_feature_stops_people_only_where_it_is_known_to_be_missing(store: Store) -> None:
    with store.write() as conn:
        page = add_page(conn)
        add_person(conn, page, "in", last_interaction_at=AT - HOUR)
        found = decide.check(conn, ask(page, "human_agent"))
        assert found.eligible == 1
        missing = {"human_agent": FeatureState.MISSING}
        found = decide.check(conn, ask(page, "human_agent", features=missing))
        assert found.reasons == {Reason.PERMISSION_NOT_GRANTED: 1}


def test_one_statement_answers_every_way_to_send(store: Store) -> None:
    with store.write() as conn:
        page = add_page(conn)
        add_person(conn, page, "in", last_interaction_at=AT - HOUR)
        add_person(conn, page, "days", last_interaction_at=AT - 50 * HOUR)
        fitting = {"template_approved": True, "message_kind": "feedback"}
        q = ask(page, **fitting)
        reach = {found.key: found for found in decide.compare(conn, q)}
        assert {key: found.eligible for key, found in reach.items()} == {
            "standard": 1,
            "human_agent": 2,
            "customer_feedback": 2,
            "utility": 2,
            "news": 2,
            "confirmed_event_update": 0,
            "post_purchase_update": 0,
            "account_update": 0,
        }
        assert all(
            found.reach == decide.check(conn, ask(page, key, **fitting)) for key, found in reach.items()
        )


def test_people_after_an_ad_are_shown_apart_and_let_in_only_on_request(store: Store) -> None:
    with store.write() as conn:
        page = add_page(conn)
        add_person(conn, page, "ad", last_interaction_at=AT - 48 * HOUR, ad_window_until=AT + 120 * HOUR)
        found = decide.check(conn, ask(page))
        assert (found.eligible, found.possible) == (0, 1)
        found = decide.check(conn, ask(page, possible_ad_window=True))
        assert (found.eligible, found.possible) == (1, 1)
        assert decide.eligible_count(conn, ask(page, possible_ad_window=True)) == 1
