"""What goes wrong on order, alone and in batches, and what the ledger holds afterwards."""

from __future__ import annotations

import json
import time
from typing import Any

import pytest
import requests

from broadcaster.sandbox import Fault, Sandbox
from tests.sandbox.sandbox_http import Caller, refused, until


def first(sandbox: Sandbox, count: int) -> list[str]:
    return [sandbox.person(index).psid for index in range(count)]


@pytest.mark.parametrize("accepted", [False, True])
def test_a_connection_lost_before_or_after_acceptance(
    sandbox: Sandbox, caller: Caller, accepted: bool
) -> None:
    [psid] = first(sandbox, 1)
    sandbox.faults.order(Fault("drop", psid=psid, accepted=accepted, count=1))

    with pytest.raises(requests.ConnectionError):
        caller.send(psid)
    assert len(sandbox.ledger()) == int(accepted)
    assert caller.send(psid).status_code == 200


@pytest.mark.parametrize("accepted", [False, True])
def test_a_server_error_without_an_error_object(sandbox: Sandbox, caller: Caller, accepted: bool) -> None:
    [psid] = first(sandbox, 1)
    sandbox.faults.order(Fault("http_error", status=502, accepted=accepted))
    answer = caller.send(psid)

    assert answer.status_code == 502
    assert "error" not in answer.headers["Content-Type"]
    assert answer.text.startswith("<!DOCTYPE html>")
    assert len(sandbox.ledger()) == int(accepted)


def test_a_slow_answer_is_processed_after_the_caller_gave_up(sandbox: Sandbox, caller: Caller) -> None:
    [psid] = first(sandbox, 1)
    sandbox.faults.order(Fault("slow", seconds=0.25, count=1))

    with pytest.raises(requests.ReadTimeout):
        caller.send(psid, timeout=0.05)
    assert sandbox.ledger() == []
    until(lambda: len(sandbox.ledger()) == 1)


def test_an_accepted_message_may_be_answered_late(sandbox: Sandbox, caller: Caller) -> None:
    [psid] = first(sandbox, 1)
    sandbox.faults.order(Fault("slow", seconds=0.1, accepted=True, count=1))
    started = time.monotonic()

    assert caller.send(psid).status_code == 200
    assert time.monotonic() - started >= 0.1


def test_the_invalid_json_reply_hides_an_acceptance(sandbox: Sandbox, caller: Caller) -> None:
    sandbox.faults.order(Fault("invalid_json"))

    assert refused(caller.send(first(sandbox, 1)[0])) == (1, 1357046)
    assert len(sandbox.ledger()) == 1


def test_any_error_by_order(sandbox: Sandbox, caller: Caller) -> None:
    sandbox.faults.order(Fault("error", code=368, subcode=1390008, count=1))
    sandbox.faults.order(Fault("error", code=-1, count=1))
    psid = first(sandbox, 1)[0]

    assert refused(caller.send(psid)) == (368, 1390008)
    unexpected = caller.send(psid)
    assert refused(unexpected) == (-1, None)
    assert unexpected.json()["error"]["is_transient"] is True
    assert caller.send(psid).status_code == 200
    assert caller.control("ledger/summary")["refused_by_code"] == {"368/1390008": 1, "-1": 1}


@pytest.mark.parametrize(("code", "minutes"), [(613, 3), (80006, 0)])
def test_rate_limiting_for_some_calls_tells_when_to_come_back(
    sandbox: Sandbox, caller: Caller, code: int, minutes: int
) -> None:
    sandbox.faults.order(Fault("limit", code=code, minutes=minutes, count=2))
    psid = first(sandbox, 1)[0]

    answers = [caller.send(psid) for _ in range(3)]
    assert [refused(answer)[0] for answer in answers[:2]] == [code, code]
    usage = json.loads(answers[0].headers["X-Business-Use-Case-Usage"])[sandbox.page_id][0]
    assert (usage["type"], usage["estimated_time_to_regain_access"]) == ("messenger", minutes)
    assert answers[2].status_code == 200


def test_a_share_of_people_is_hit_the_same_way_each_time(sandbox: Sandbox, caller: Caller) -> None:
    def hit() -> list[int]:
        sandbox.faults.clear()
        sandbox.faults.order(Fault("http_error", rate=0.4))
        return [
            index for index, psid in enumerate(first(sandbox, 20)) if caller.send(psid).status_code == 500
        ]

    struck = hit()
    assert 2 < len(struck) < 16
    assert hit() == struck


def test_a_revoked_token_and_a_restricted_page(sandbox: Sandbox, caller: Caller) -> None:
    psid = first(sandbox, 1)[0]
    sandbox.restrict()
    assert refused(caller.send(psid)) == (10, 1893063)
    sandbox.restrict(False)
    assert caller.send(psid).status_code == 200
    sandbox.revoke_token()
    assert refused(caller.send(psid)) == (190, 460)
    caller.token = caller.control("token", {"renew": True})["page_token"]
    assert caller.send(psid).status_code == 200


class TestBatch:
    def codes(self, rows: list[Any]) -> list[Any]:
        return [row and row["code"] for row in rows]

    def test_parts_are_answered_in_order_with_json_as_text(self, sandbox: Sandbox, caller: Caller) -> None:
        people = first(sandbox, 3)
        caller.control(f"people/{people[1]}/block", {})
        rows = caller.batch([caller.part(psid) for psid in people]).json()

        assert self.codes(rows) == [200, 400, 200]
        assert json.loads(rows[0]["body"])["recipient_id"] == people[0]
        assert json.loads(rows[1]["body"])["error"]["code"] == 551
        assert {header["name"] for header in rows[0]["headers"]} >= {"Content-Type"}
        assert [entry.call for entry in sandbox.ledger()] == ["batch", "batch"]

    def test_headers_can_be_left_out(self, sandbox: Sandbox, caller: Caller) -> None:
        [row] = caller.batch([caller.part(first(sandbox, 1)[0])], include_headers="false").json()
        assert set(row) == {"code", "body"}

    def test_more_than_fifty_are_refused_whole(self, sandbox: Sandbox, caller: Caller) -> None:
        assert refused(caller.batch([caller.part(first(sandbox, 1)[0])] * 51))[0] == 100
        assert refused(caller.batch([]))[0] == 100
        assert sandbox.ledger() == []

    @pytest.mark.parametrize("accepted", [False, True])
    def test_null_parts(self, sandbox: Sandbox, caller: Caller, accepted: bool) -> None:
        people = first(sandbox, 3)
        sandbox.faults.order(Fault("null", psid=people[1], accepted=accepted))
        rows = caller.batch([caller.part(psid) for psid in people]).json()

        assert self.codes(rows) == [200, None, 200]
        assert len(sandbox.ledger()) == 2 + accepted

    @pytest.mark.parametrize("accepted", [False, True])
    def test_the_whole_batch_lost(self, sandbox: Sandbox, caller: Caller, accepted: bool) -> None:
        sandbox.faults.order(Fault("drop", target="batch", accepted=accepted, count=1))
        with pytest.raises(requests.ConnectionError):
            caller.batch([caller.part(psid) for psid in first(sandbox, 3)])
        assert len(sandbox.ledger()) == 3 * accepted

    def test_a_call_fault_meets_single_sends_and_batches(self, sandbox: Sandbox, caller: Caller) -> None:
        sandbox.faults.order(Fault("http_error", target="call", count=2))
        psid = first(sandbox, 1)[0]
        assert caller.send(psid).status_code == 500
        assert caller.batch([caller.part(psid)]).status_code == 500
        assert caller.batch([caller.part(psid)]).status_code == 200

    def test_a_wrong_token_fails_the_batch(self, sandbox: Sandbox, caller: Caller) -> None:
        caller.token = "nonsense"
        assert refused(caller.batch([caller.part("1")])) == (190, None)
