"""Whatever comes back, every message has exactly one outcome, and nothing unproven counts as proven."""

from __future__ import annotations

import json
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from broadcaster.graph.calls import batch_outcomes, outcome_of
from broadcaster.graph.outcomes import Accepted, NotSent, Refused, Unknown, refusal_of
from broadcaster.graph.wire import Lost, Reply

values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=10),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=6), inner, max_size=3),
    max_leaves=6,
)
errors = st.fixed_dictionaries(
    {
        "error": st.fixed_dictionaries(
            {"code": values}, optional={"error_subcode": values, "is_transient": values}
        )
    }
)
accepted = st.fixed_dictionaries({"message_id": st.just("m_1")}, optional={"recipient_id": values})
bodies = values | errors | accepted
statuses = st.sampled_from([0, 200, 201, 302, 400, 403, 404, 408, 429, 499, 500, 502, 503])


@given(status=statuses, body=bodies)
def test_a_single_answer_proves_only_what_it_says(status: int, body: Any) -> None:
    outcome = outcome_of(Reply(status, {}, body))
    if isinstance(outcome, Accepted):
        assert 200 <= status < 300
        assert outcome.message_id == str(body["message_id"])
    if isinstance(outcome, Refused):
        assert refusal_of(body, status) == outcome.refusal
    if isinstance(outcome, NotSent):
        assert 300 <= status < 500 and status not in {408, 499}
    if status >= 500 and refusal_of(body, status) is None:
        assert isinstance(outcome, Unknown)


@given(
    status=statuses,
    count=st.integers(1, 5),
    parts=st.lists(
        st.none()
        | values
        | st.builds(lambda code, body: {"code": code, "body": json.dumps(body)}, statuses, bodies),
        max_size=6,
    )
    | bodies,
)
def test_a_batch_has_one_outcome_for_each_message(status: int, count: int, parts: Any) -> None:
    outcomes = batch_outcomes(Reply(status, {}, parts), count)
    assert len(outcomes) == count
    if isinstance(parts, list) and len(parts) != count:
        assert all(isinstance(outcome, Unknown) for outcome in outcomes)
    if isinstance(parts, list) and len(parts) == count:
        for part, outcome in zip(parts, outcomes, strict=True):
            assert part is not None or isinstance(outcome, Unknown)


@given(left=st.booleans(), count=st.integers(1, 5))
def test_a_lost_call_is_unknown_once_any_of_it_left(left: bool, count: int) -> None:
    expected = Unknown if left else NotSent
    assert [type(one) for one in batch_outcomes(Lost("lost", left), count)] == [expected] * count
    assert isinstance(outcome_of(Lost("lost", left)), expected)


def test_codes_written_as_text_are_codes() -> None:
    refusal = refusal_of({"error": {"code": "190", "error_subcode": "460"}}, 400)
    assert refusal is not None
    assert (refusal.code, refusal.subcode) == (190, 460)
