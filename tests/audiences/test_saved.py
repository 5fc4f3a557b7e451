"""Saved audiences: replaced, frozen, listed, combined; counts that can be interrupted."""

from __future__ import annotations

import threading
from typing import Any

import pytest
from sqlalchemy import ColumnElement, Connection, func, insert, literal_column, select, update

from broadcaster.audiences import counting, saved
from broadcaster.errors import BadInput, NotFound
from broadcaster.states import AudienceKind
from broadcaster.store import Store
from broadcaster.store.tables import Contact, Page
from tests.audiences.conftest import Settled
from tests.conftest import NOW

OUT: dict[str, Any] = {"field": "opted_out", "op": "eq", "value": True}
VIP = {"field": "label", "op": "has_label", "value": "vip"}


def members(conn: Connection, audience_id: int) -> set[int]:
    clause = saved.members_clause(conn, audience_id, NOW)
    return set(conn.execute(select(Contact.id).where(clause)).scalars())


def keep(conn: Connection, settled: Settled, name: str, tree: Any, **more: Any) -> saved.Saved:
    return saved.save(conn, settled.crowd.page_id, name, tree, now=NOW, **more)


def test_an_audience_of_the_same_name_is_replaced(settled: Settled) -> None:
    with settled.store.write() as conn:
        first, second = keep(conn, settled, "A", OUT), keep(conn, settled, "A", {"not": OUT})
        assert (first.replaced, second.replaced, first.id) == (False, True, second.id)
        assert saved.get(conn, "A").filter == {"not": OUT}


def test_a_dynamic_audience_follows_its_people_and_a_frozen_one_does_not(settled: Settled) -> None:
    with settled.store.write() as conn:
        moving, still = keep(conn, settled, "A", OUT), keep(conn, settled, "B", OUT, kind=AudienceKind.FROZEN)
        before = members(conn, still.id)
        conn.execute(update(Contact).values(opted_out=True))
        assert members(conn, still.id) == before
        assert members(conn, moving.id) == {one.id for one in settled.crowd.people}


def test_an_audience_can_be_frozen_later(settled: Settled) -> None:
    with settled.store.write() as conn:
        found = keep(conn, settled, "A", OUT)
        before = members(conn, found.id)
        saved.freeze(conn, found.id, NOW)
        conn.execute(update(Contact).values(opted_out=False))
        assert members(conn, found.id) == before


def test_audiences_are_joined_and_taken_out_of_each_other(settled: Settled) -> None:
    with settled.store.write() as conn:
        out, vip = keep(conn, settled, "Out", OUT), keep(conn, settled, "Vip", VIP)
        either = keep(conn, settled, "Either", {"field": "audience", "op": "in", "value": ["Out", "Vip"]})
        less = {"all": [VIP, {"field": "audience", "op": "ne", "value": "Out"}]}
        without = keep(conn, settled, "Less", less)
        assert members(conn, either.id) == members(conn, out.id) | members(conn, vip.id)
        assert members(conn, without.id) == members(conn, vip.id) - members(conn, out.id)


def test_who_has_no_value_is_outside_of_what_another_audience_asks_for(settled: Settled) -> None:
    named = {"field": "audience", "op": "eq", "value": "Old"}
    with settled.store.write() as conn:
        old = keep(conn, settled, "Old", {"field": "attribute.score", "op": "gte", "value": 5})
        apart = keep(conn, settled, "Apart", {"field": "audience", "op": "ne", "value": "Old"})
        turned = keep(conn, settled, "Turned", {"not": {"any": [named, VIP]}})
        everybody, vip = {one.id for one in settled.crowd.people}, keep(conn, settled, "Vip", VIP)
        unknown = {one.id for one in settled.crowd.people if one.attributes.get("score") is None}
        assert unknown and members(conn, old.id)
        assert members(conn, apart.id) == everybody - members(conn, old.id)
        assert members(conn, turned.id) == everybody - members(conn, old.id) - members(conn, vip.id)


def test_an_audience_cannot_be_part_of_itself(settled: Settled) -> None:
    with settled.store.write() as conn:
        keep(conn, settled, "A", OUT)
        keep(conn, settled, "B", {"field": "audience", "op": "eq", "value": "A"})
    with pytest.raises(BadInput, match="part of itself"), settled.store.write() as conn:
        keep(conn, settled, "A", {"field": "audience", "op": "eq", "value": "B"})


def test_a_list_of_ids_tells_who_is_unknown(settled: Settled) -> None:
    with settled.store.write() as conn:
        found = keep(conn, settled, "A", {"all": []})
        listed = saved.set_static(conn, found.id, ["1001", "1002", "1002", "999999"])
        assert (listed.taken, listed.unknown) == (2, ("999999",))
        assert members(conn, found.id) == {1, 2}
        assert saved.get(conn, "A").kind == AudienceKind.STATIC


def test_an_audience_of_another_page_is_not_overwritten(settled: Settled) -> None:
    with settled.store.write() as conn:
        values = {
            "graph_id": "2",
            "name": "Q",
            "platform": "messenger",
            "graph_url": "x",
            "graph_version": "v",
        }
        other = conn.execute(insert(Page).values(**values, connected_at=NOW)).inserted_primary_key[0]
        keep(conn, settled, "A", OUT)
        with pytest.raises(BadInput, match="Another Page"):
            saved.save(conn, other, "A", OUT, now=NOW)
        with pytest.raises(NotFound, match="no audience 'Z'"):
            saved.get(conn, "Z")


def test_counts_and_samples_are_of_the_right_people(settled: Settled) -> None:
    with settled.store.write() as conn:
        found = keep(conn, settled, "A", VIP)
        clause = saved.members_clause(conn, found.id, NOW)
        page_id = settled.crowd.page_id
        assert counting.count(conn, page_id, clause) == len(members(conn, found.id))
        sample = counting.sample(conn, page_id, clause, 5, seed=3)
        assert len({row.id for row in sample}) == 5
        assert {row.id for row in sample} <= members(conn, found.id)


def endless(store: Store) -> ColumnElement[bool]:
    """A condition that takes minutes."""
    if store.is_sqlite:
        text = "(WITH RECURSIVE n(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM n WHERE x < 2000000000) SELECT max(x) FROM n)"
        slow: ColumnElement[Any] = literal_column(text)
        return slow > 0
    return func.length(func.pg_sleep(60).op("::")(literal_column("text"))) >= 0


def test_a_running_count_ends_when_it_is_cancelled(settled: Settled) -> None:
    task = counting.CountTask(settled.store, settled.crowd.page_id, endless(settled.store))
    found: list[int | None] = [-1]
    running = threading.Thread(target=lambda: found.append(task.run()))
    running.start()
    running.join(0.3)
    assert running.is_alive()
    task.cancel()
    running.join(10)
    assert not running.is_alive()
    assert found[-1] is None
    with settled.store.read() as conn:
        assert counting.count(conn, settled.crowd.page_id, Contact.id > 0) == len(settled.crowd.people)
