"""Batches of sends: one outcome per message, in order, whatever happens to the whole."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any
from urllib.parse import parse_qsl

import pytest
from hypothesis import given
from hypothesis import strategies as st

from broadcaster.graph.calls import SendRequest, batch_of, send_body
from broadcaster.graph.client import GraphClient
from broadcaster.graph.outcomes import Accepted, Refused, Unknown
from broadcaster.sandbox import Fault, Sandbox


def requests(sandbox: Sandbox, count: int) -> list[SendRequest]:
    return [
        SendRequest(sandbox.person(n).psid, {"text": f"Grüße & 100% {n} +"}, "UPDATE", None, f"i.{n}.1")
        for n in range(count)
    ]


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(st.characters(exclude_categories=["Cs"])),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text('abö"&=% ', max_size=3), inner, max_size=3)
    ),
    max_leaves=8,
)


@given(
    message=st.dictionaries(st.text('abö"&=% ', max_size=3), JSON, max_size=3), tag=st.none() | st.just("T")
)
def test_the_body_of_a_part_reads_back_as_the_single_send(message: dict[str, Any], tag: str | None) -> None:
    request = SendRequest("7", message, "UPDATE", tag, "i.1.1")
    parts = json.loads(batch_of([request], "messenger", "v1/2/messages"))
    form = dict(parse_qsl(parts[0]["body"], keep_blank_values=True, strict_parsing=True))
    body = send_body(request, "messenger")
    assert form == {
        name: value if isinstance(value, str) else json.dumps(value, separators=(",", ":"))
        for name, value in body.items()
    }


def test_every_message_has_its_outcome_in_order(sandbox: Sandbox, client: GraphClient) -> None:
    sandbox.faults.order(Fault("error", psid=sandbox.person(2).psid, code=551))
    asked = requests(sandbox, 5)
    outcomes = client.send_batch(asked)
    by_mid = {entry.mid: entry for entry in sandbox.ledger()}
    for request, outcome in zip(asked, outcomes, strict=True):
        if isinstance(outcome, Accepted):
            entry = by_mid[outcome.message_id]
            assert (entry.psid, entry.metadata) == (request.psid, request.metadata)
            assert entry.text == request.message["text"]
    assert isinstance(outcomes[2], Refused)
    assert outcomes[2].refusal.code == 551


def test_a_part_that_did_not_complete_is_unknown_alone(sandbox: Sandbox, client: GraphClient) -> None:
    sandbox.faults.order(Fault("null", psid=sandbox.person(1).psid, accepted=True))
    outcomes = client.send_batch(requests(sandbox, 3))
    assert [isinstance(outcome, Unknown) for outcome in outcomes] == [False, True, False]


@pytest.mark.parametrize("kind", ["drop", "http_error", "invalid_json"])
def test_a_lost_answer_leaves_every_message_unknown(sandbox: Sandbox, client: GraphClient, kind: str) -> None:
    sandbox.faults.order(Fault(kind, target="batch", accepted=True, count=1))
    outcomes = client.send_batch(requests(sandbox, 4))
    assert [type(outcome) for outcome in outcomes] == [Unknown] * 4
    assert len(sandbox.ledger()) == 4


def test_a_refused_batch_refuses_every_message(sandbox: Sandbox, client: GraphClient) -> None:
    sandbox.revoke_token()
    outcomes = client.send_batch(requests(sandbox, 3))
    assert [outcome.refusal.code for outcome in outcomes if isinstance(outcome, Refused)] == [190] * 3


def test_the_window_holds_for_each_part(sandbox: Sandbox, client: GraphClient) -> None:
    sandbox.clock.move(timedelta(days=30))
    outcomes = client.send_batch(requests(sandbox, 2))
    assert [outcome.refusal.code for outcome in outcomes if isinstance(outcome, Refused)] == [10, 10]


@pytest.mark.parametrize("count", [0, 51])
def test_a_batch_holds_one_to_fifty(sandbox: Sandbox, client: GraphClient, count: int) -> None:
    with pytest.raises(ValueError, match="1 to 50"):
        client.send_batch(requests(sandbox, 1) * count)


def test_the_proof_holds_for_the_batch(sandbox: Sandbox, connect) -> None:  # type: ignore[no-untyped-def]
    outcomes = connect(app_secret=sandbox.app_secret).send_batch(requests(sandbox, 2))
    assert all(isinstance(outcome, Accepted) for outcome in outcomes)
