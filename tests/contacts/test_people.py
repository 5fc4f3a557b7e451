"""What people do and want: interactions, opting out, unreachable, who is who, privacy, growth links."""

from __future__ import annotations

import json
from datetime import timedelta

import pytest
from sqlalchemy import select

from broadcaster.contacts import growth, people, privacy
from broadcaster.contacts.interactions import InteractionFact, record
from broadcaster.contacts.opt_out import is_opt_out, opt_in, opt_out
from broadcaster.contacts.reach import mark_unreachable
from broadcaster.errors import BadInput, NotFound
from broadcaster.states import InteractionKind, Source
from broadcaster.store import Store
from broadcaster.store.tables import Interaction, OptRecord
from tests.conftest import NOW
from tests.contacts.conftest import Take, new_page

HOUR = timedelta(hours=1)


def did(psid: str, kind: InteractionKind, hours_ago: float, key: str, **more: str) -> InteractionFact:
    return InteractionFact(psid, kind, NOW - hours_ago * HOUR, Source.WEBHOOK, key, **more)


def known(store: Store, page_id: int, psid: str) -> people.Person:
    with store.read() as conn:
        found = people.find(conn, page_id, psid)
        assert found is not None
        return people.person(conn, found)


def test_an_interaction_creates_the_person_and_opens_the_window(store: Store, page_id: int) -> None:
    with store.write() as conn:
        record(conn, page_id, [did("1", InteractionKind.MESSAGE, 2, "a", name="Ada King Lovelace")])
    person = known(store, page_id, "1")
    assert (person.row.first_name, person.row.last_name) == ("Ada", "King Lovelace")
    assert person.row.last_interaction_at == person.last_message_at == NOW - 2 * HOUR


def test_facts_in_any_order_and_twice_end_the_same(store: Store, page_id: int) -> None:
    facts = [
        did("1", InteractionKind.MESSAGE, 5, "a"),
        did("1", InteractionKind.REACTION, 1, "b"),
        did("1", InteractionKind.MESSAGE, 3, "c"),
        did("1", InteractionKind.OPT_IN, 0, "d"),
    ]
    with store.write() as conn:
        record(conn, page_id, facts)
        record(conn, page_id, list(reversed(facts)))
    person = known(store, page_id, "1")
    assert person.row.last_interaction_at == NOW - HOUR
    assert person.last_message_at == NOW - 3 * HOUR
    with store.read() as conn:
        assert len(conn.execute(select(Interaction)).all()) == 4


def test_where_people_come_from_is_kept(store: Store, page_id: int) -> None:
    with store.write() as conn:
        record(conn, page_id, [
            did("1", InteractionKind.REFERRAL, 2, "a", ref="poster"),
            did("2", InteractionKind.AD_MESSAGE, 3, "b", ad_id="77"),
            did("3", InteractionKind.REFERRAL, 1, "c", ref="poster"),
        ])  # fmt: skip
        assert [(point.ref, point.people) for point in growth.entry_points(conn, page_id)] == [
            ("poster", 2),
            ("77", 1),
        ]
    assert known(store, page_id, "1").row.entry_ref == "poster"
    assert known(store, page_id, "2").ad_window_until == NOW - 3 * HOUR + timedelta(days=7)


def test_who_was_unreachable_comes_back_by_writing(store: Store, page_id: int) -> None:
    with store.write() as conn:
        ids = record(conn, page_id, [did("1", InteractionKind.MESSAGE, 5, "a")])
        mark_unreachable(conn, list(ids.values()), "no such user", NOW - 2 * HOUR)
        record(conn, page_id, [did("1", InteractionKind.MESSAGE, 4, "late")])
    assert known(store, page_id, "1").row.unreachable
    with store.write() as conn:
        record(conn, page_id, [did("1", InteractionKind.MESSAGE, 1, "b")])
    assert not known(store, page_id, "1").row.unreachable


@pytest.mark.parametrize(
    "text",
    [
        "STOP",
        " stop! ",
        "ARRÊT",
        "arret",
        "Baja.",
        "¡BAJA!",
        "abmelden",
        "Çıkış",
        "dừng",
        "Стоп!",
        "إلغاء الاشتراك",
        "tama na",
        "Wypisz mnie",
        "बंद करें",
        "หยุด",
        "수신거부",
        "配信停止",
        "退订",
    ],
)
def test_words_that_end_messages(text: str) -> None:
    assert is_opt_out(text)


@pytest.mark.parametrize(
    "text",
    [
        "don't stop",
        "bus stop?",
        "",
        "the end is near",
        "ok",
        "Red",
        "acha",
        "stop by tomorrow",
        "não parar",
        "?!",
    ],
)
def test_words_that_do_not(text: str) -> None:
    assert not is_opt_out(text)


def test_a_payload_ends_messages() -> None:
    assert is_opt_out("No thanks", payload="stop")


def test_opting_out_and_in_again_are_recorded_acts(store: Store, page_id: int) -> None:
    with store.write() as conn:
        contact_id = record(conn, page_id, [did("1", InteractionKind.MESSAGE, 1, "a")])["1"]
        for _ in range(2):
            opt_out(conn, contact_id, source=Source.WEBHOOK, reason="wrote STOP", actor="them", at=NOW)
        opt_in(conn, contact_id, source=Source.HAND, reason="asked by phone", actor="Eve", at=NOW + HOUR)
        found = conn.execute(select(OptRecord.opted_out, OptRecord.reason).order_by(OptRecord.id)).all()
    assert [tuple(row) for row in found] == [(True, "wrote STOP"), (False, "asked by phone")]
    assert not known(store, page_id, "1").row.opted_out


def test_nameless_people_are_shown_as_guests(store: Store, take: Take, page_id: int) -> None:
    take("psid\n24001234\n")
    assert known(store, page_id, "24001234").row.name == "Guest 1234"


def test_search_finds_sorts_and_pages(store: Store, take: Take, page_id: int) -> None:
    take("psid,first_name,last_name\n1,Zoe,Adler\n2,Ann,Zorn\n3,100%,\n4,Anna,Berg\n")
    with store.read() as conn:
        ids = people.search_ids(conn, page_id, text="ann")
        assert [row.psid for row in people.rows(conn, ids)] == ["4", "2"]
        assert len(people.search_ids(conn, page_id, text="0%")) == 1
        down = people.rows(conn, people.search_ids(conn, page_id, sort="last_name", descending=True))
        assert [row.psid for row in down] == ["2", "4", "1", "3"]


def test_the_same_psid_on_two_pages_is_two_people(store: Store, page_id: int) -> None:
    other = new_page(store, "2000")
    with store.write() as conn:
        first = record(conn, page_id, [did("1", InteractionKind.MESSAGE, 1, "a")])
        second = record(conn, other, [did("1", InteractionKind.MESSAGE, 1, "b")])
        assert first["1"] != second["1"]
        assert (people.count(conn, page_id), people.count(conn, other)) == (1, 1)


def test_everything_about_a_person_is_given_out_and_erased(store: Store, take: Take, page_id: int) -> None:
    take("psid,first_name,labels,city,last_interaction_at\n1,Ada,vip,Rome,2026-11-20T10:00:00Z\n2,Bob,,,\n")
    person = known(store, page_id, "1")
    with store.write() as conn:
        told = json.loads(json.dumps(privacy.export_person(conn, person.row.id)))
        assert (told["psid"], told["labels"], told["attributes"]) == ("1", ["vip"], {"city": "Rome"})
        assert len(told["interaction"]) == 1
        privacy.erase_person(conn, person.row.id, "Eve", NOW)
        assert people.find(conn, page_id, "1") is None
        left = json.dumps(privacy.export_person(conn, person.row.id))
    assert "Ada" not in left and "Rome" not in left
    assert known(store, page_id, "2").row.first_name == "Bob"


def test_links_carry_only_what_a_link_can(page_id: int) -> None:
    assert growth.m_me_link("123", "spring-2026") == "https://m.me/123?ref=spring-2026"
    assert growth.qr_svg(growth.m_me_link("123")).startswith("<?xml")
    assert growth.qr_png(growth.m_me_link("123"))[:4] == b"\x89PNG"
    with pytest.raises(BadInput, match=r"cannot carry: '\\t', a space, é\."):
        growth.m_me_link("123", "spring sale\té")
    with pytest.raises(BadInput, match="2083"):
        growth.m_me_link("123", "x" * 3000)


def test_a_person_who_is_gone_is_told(store: Store) -> None:
    with store.read() as conn, pytest.raises(NotFound):
        people.person(conn, 999)


def test_every_shown_column_can_be_sorted_by(store: Store, take: Take, page_id: int) -> None:
    loose = "".join(f",f{n}" for n in range(12))
    take(
        f"psid,labels,opted_out,score{loose},far\n"
        f"1,new,,30{',' * 12},b\n2,vip;able,true,4{',' * 12},c\n3,,,{',' * 12},a\n"
    )

    def order(sort: str, descending: bool = False) -> list[str]:
        with store.read() as conn:
            ids = people.search_ids(conn, page_id, sort=sort, descending=descending)
            return [row.psid for row in people.rows(conn, ids)]

    assert order("attribute.score") == ["2", "1", "3"]
    assert order("attribute.score", descending=True) == ["1", "2", "3"]
    assert order("attribute.far") == ["3", "1", "2"]
    assert order("labels") == ["2", "1", "3"]
    assert order("state")[0] == "2"
    assert order("psid", descending=True) == ["3", "2", "1"]
