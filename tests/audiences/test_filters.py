"""Filters: read with the place of every mistake, and their SQL equal to a plain reading, on both databases."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import ColumnElement, select

from broadcaster.audiences import counting, filters
from broadcaster.audiences.compile import clause
from broadcaster.contacts.attributes import AttributeDef
from broadcaster.errors import BadInput, NotFound
from broadcaster.states import AttributeType
from broadcaster.store.tables import Contact
from tests.audiences.conftest import Settled
from tests.audiences.crowd import CAMPAIGN, LABELS, NAMES
from tests.audiences.reading import holds
from tests.conftest import NOW

KNOWN: Mapping[str, AttributeDef] = {"city": AttributeDef("city", AttributeType.TEXT, "t1")}
TEXTS = st.sampled_from(
    [name for name in NAMES if name] + ["Berlin", "rome", "%", "_", "A", "!", "ü", "' OR 1=1"]
)
ANY = [("is_set", st.none()), ("is_not_set", st.none())]
SPANS = [(op, st.sampled_from(["1h", "24h", "7d", "30d"])) for op in ("within_last", "older_than")]
TEXT = [(op, TEXTS) for op in ("eq", "ne", "contains", "starts_with", "gt", "gte", "lt", "lte")] + ANY
TEXT += [(op, st.lists(TEXTS, max_size=3)) for op in ("in", "not_in")]
NUMBERS = st.sampled_from([-3.0, 0.0, 1.5, 7.0, 10.0])
NUMBER = [(op, NUMBERS) for op in ("eq", "ne", "gt", "gte", "lt", "lte")] + ANY
TIME = [
    (op, st.sampled_from(["2026-11-20T10:00:00Z", "2026-11-10T12:00:00+01:00"]))
    for op in ("before", "after", "gte")
]
DATE = [(op, st.sampled_from(["2026-11-01", "2026-11-19"])) for op in ("eq", "ne", "before", "after", "lte")]
FLAG = [(op, st.booleans()) for op in ("eq", "ne")]
LABEL = [(op, st.sampled_from([*LABELS, "unknown"])) for op in ("eq", "ne", "has_label")] + ANY
LABEL += [(op, st.lists(st.sampled_from(LABELS), max_size=2)) for op in ("in", "not_in")]
ASKED: dict[str, list[tuple[str, st.SearchStrategy[Any]]]] = {
    "psid": TEXT, "first_name": TEXT, "last_name": TEXT, "locale": TEXT, "entry_ref": TEXT,
    "opted_out": FLAG, "unreachable": FLAG, "last_interaction_at": TIME + SPANS + ANY,
    "last_message_at": TIME + SPANS, "label": LABEL, "attribute.city": TEXT, "attribute.score": NUMBER,
    "attribute.since": DATE + SPANS + ANY, "attribute.member": FLAG + ANY, "attribute.far": TEXT,
    "interaction.message": SPANS + ANY, "interaction.import": SPANS + ANY,
    f"campaign.{CAMPAIGN}": [("was", st.sampled_from(filters.OUTCOMES))],
}  # fmt: skip


@st.composite
def conditions(draw: st.DrawFn) -> dict[str, Any]:
    field = draw(st.sampled_from(sorted(ASKED)))
    op, values = draw(st.sampled_from(ASKED[field]))
    return {"field": field, "op": op, "value": draw(values)}


trees = st.recursive(
    conditions(),
    lambda inner: st.one_of(
        st.fixed_dictionaries({"all": st.lists(inner, max_size=3)}),
        st.fixed_dictionaries({"any": st.lists(inner, max_size=3)}),
        st.fixed_dictionaries({"none": st.lists(inner, max_size=2)}),
        st.fixed_dictionaries({"not": inner}),
    ),
    max_leaves=8,
)


def compiled(settled: Settled, tree: dict[str, Any]) -> ColumnElement[bool]:
    crowd = settled.crowd
    parsed = filters.parse(tree, crowd.definitions)
    return clause(parsed, crowd.page_id, crowd.definitions, NOW, {CAMPAIGN: crowd.campaign_id})


def found(settled: Settled, tree: dict[str, Any]) -> set[int]:
    with settled.store.read() as conn:
        return set(conn.execute(select(Contact.id).where(compiled(settled, tree))).scalars())


@settings(max_examples=250)
@given(tree=st.one_of(conditions(), trees))
def test_the_sql_agrees_with_a_plain_reading(settled: Settled, tree: dict[str, Any]) -> None:
    expected = {one.id for one in settled.crowd.people if holds(tree, one)}
    assert found(settled, tree) == expected
    for wide in (False, True):
        with settled.store.read(wide=wide) as conn:
            assert counting.count(conn, settled.crowd.page_id, compiled(settled, tree)) == len(expected)


def test_fifty_groups_deep_is_fine_and_more_than_the_limit_is_told(settled: Settled) -> None:
    tree: dict[str, Any] = {"field": "opted_out", "op": "eq", "value": True}
    for _ in range(50):
        tree = {"all": [{"not": tree}]} if "all" not in tree else {"any": [tree]}
    assert found(settled, tree)
    for _ in range(200):
        tree = {"all": [tree]}
    with pytest.raises(BadInput, match="nested more than 100 deep"):
        filters.parse(tree, settled.crowd.definitions)


@pytest.mark.parametrize(
    ("tree", "text"),
    [
        ({"all": [{"field": "frist_name", "op": "eq", "value": "x"}]}, r"filter\.all\[0\].*first_name"),
        ({"field": "city", "op": "eq", "value": "x"}, "attribute.city"),
        ({"field": "attribute.citty", "op": "eq", "value": "x"}, "attribute.city"),
        ({"field": "psid", "op": "like", "value": "x"}, "cannot be asked 'like'"),
        ({"field": "last_interaction_at", "op": "within_last", "value": "soon"}, "no span of time"),
        ({"field": "last_interaction_at", "op": "before", "value": "2026-11-20T10:00:00"}, "offset"),
        ({"any": {"field": "psid"}}, r"filter\.any: this must be a list"),
        ({"all": [], "any": []}, "neither a group nor a condition"),
        ([], "must be an object"),
        ({"field": "campaign.Spring", "op": "was", "value": "seen"}, "no outcome"),
        ({"field": "psid", "op": "in", "value": "1"}, "needs a list"),
    ],
)
def test_a_mistake_is_named_with_its_place(tree: Any, text: str) -> None:
    with pytest.raises(BadInput, match=text):
        filters.parse(tree, KNOWN)


def test_an_unknown_campaign_is_told(settled: Settled) -> None:
    with pytest.raises(NotFound, match="'Winter'"):
        found(settled, {"field": "campaign.Winter", "op": "was", "value": "sent"})


def test_a_random_share_is_stable_and_its_splits_independent(settled: Settled) -> None:
    half = {"field": "random", "op": "lt", "value": {"percent": 50, "seed": 1}}
    other = {"field": "random", "op": "gte", "value": {"percent": 50, "seed": 1}}
    everybody = {one.id for one in settled.crowd.people}
    assert found(settled, half) == found(settled, half)
    assert found(settled, half) | found(settled, other) == everybody
    assert not found(settled, half) & found(settled, other)
    assert found(settled, half) != found(settled, {"field": "random", "op": "lt", "value": 50})


def test_a_filter_reads_as_a_sentence() -> None:
    tree = {"all": [{"field": "attribute.city", "op": "eq", "value": "Rome"}, {"not": {"any": []}}]}
    assert filters.in_words(filters.parse(tree, KNOWN)) == "city is “Rome” and (not (nobody))"
