"""The sandbox as an object and as a process of its own: ports, control API, contacts file, accounts of duplicates."""

from __future__ import annotations

import csv
import io
import json
import signal
import subprocess
import sys
import time
from datetime import datetime, timedelta

import pytest
import requests

from broadcaster.sandbox import Fault, Sandbox, SandboxPortTaken
from tests.sandbox.sandbox_http import Caller


def test_a_taken_port_is_named(sandbox: Sandbox) -> None:
    with pytest.raises(SandboxPortTaken, match=str(sandbox.port)) as caught:
        Sandbox(port=sandbox.port).start()
    assert "\n" not in str(caught.value)
    assert isinstance(caught.value, OSError)


def test_it_can_be_started_again_after_a_stop() -> None:
    with Sandbox(contacts=1) as first:
        port = first.port
        requests.get(f"{first.url}/sandbox/state", timeout=10)
    with Sandbox(contacts=1, port=port) as second:
        assert requests.get(f"{second.url}/sandbox/state", timeout=10).status_code == 200


def test_it_stops_at_once_even_while_a_caller_waits() -> None:
    with Sandbox(contacts=1) as sandbox:
        sandbox.faults.order(Fault("slow", target="any", seconds=60))
        with pytest.raises(requests.ReadTimeout):
            requests.get(f"{sandbox.url}/v26.0/me", timeout=0.05)
        started = time.monotonic()
    assert time.monotonic() - started < 5


def test_as_a_process_it_prints_one_line_and_ends_when_told() -> None:
    command = [
        sys.executable,
        "-W",
        "error",
        "-m",
        "broadcaster.sandbox.serve",
        "--contacts",
        "3",
        "--seed",
        "9",
    ]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        told = json.loads(process.stdout.readline())
        answer = requests.get(
            f"{told['url']}/v26.0/{told['page_id']}", params={"access_token": told["page_token"]}, timeout=10
        )
        assert answer.json() == {"id": told["page_id"], "name": told["page_name"]}
        second = subprocess.run(
            [*command, "--port", told["url"].rpartition(":")[2]], capture_output=True, text=True, timeout=30
        )
        process.send_signal(signal.SIGTERM)
        assert process.wait(10) == 0
    assert second.returncode == 2
    assert second.stderr.count("\n") == 1
    assert {"page_token", "user_token", "app_id", "app_secret", "verify_token"} <= set(told)


def test_the_contacts_file_has_the_contracts_columns(sandbox: Sandbox) -> None:
    text = requests.get(f"{sandbox.url}/sandbox/contacts.csv", timeout=10).content.decode("utf-8")
    rows = list(csv.DictReader(io.StringIO(text)))

    assert len(rows) == 30
    assert list(rows[0])[:7] == [
        "psid", "first_name", "last_name", "locale", "timezone", "last_interaction_at", "labels",
    ]  # fmt: skip
    assert sandbox.people[rows[0]["psid"]].first_name == rows[0]["first_name"]
    when = datetime.fromisoformat(rows[0]["last_interaction_at"])
    assert timedelta() <= sandbox.clock.now() - when < timedelta(hours=24)


def test_repeats_are_counted_by_row_or_by_text(sandbox: Sandbox, caller: Caller) -> None:
    psid = sandbox.person().psid
    for metadata in ("i.1.1", "i.1.2", "i.2.1"):
        caller.send(psid, message={"text": "same", "metadata": metadata})
    caller.send(sandbox.person(1).psid, message={"text": "same", "metadata": "i.1.1"})
    assert caller.control("ledger/summary")["duplicates"] == 1
    for _ in range(2):
        caller.send(psid, message={"text": "plain"})

    summary = caller.control("ledger/summary")
    assert (summary["accepted"], summary["people"], summary["duplicates"]) == (6, 2, 2)
    assert [row["metadata"] for row in caller.control("ledger/duplicates")["data"]] == ["i.1.2", ""]


def test_the_ledger_is_paged(sandbox: Sandbox, caller: Caller) -> None:
    for number in range(5):
        caller.send(sandbox.person().psid, str(number))
    page = caller.control("ledger?offset=3&limit=10")

    assert page["total"] == 5
    assert [row["text"] for row in page["data"]] == ["3", "4"]


def test_the_clock_moves_over_http(sandbox: Sandbox, caller: Caller) -> None:
    caller.control("clock", {"now": "2027-01-01T00:00:00Z", "frozen": True})
    moved = caller.control("clock", {"move_seconds": 90})

    assert moved == {"now": "2027-01-01T00:01:30Z", "frozen": True}
    assert caller.control("clock", {"frozen": False})["frozen"] is False


@pytest.mark.parametrize(
    ("path", "body", "status"),
    [
        ("faults", {"kind": "earthquake"}, 400),
        ("faults", {"kind": "drop", "size": 3}, 400),
        ("webhooks", {"colour": "red"}, 400),
        ("clock", {"now": "yesterday"}, 400),
        ("people/1/write", {}, 404),
        ("nothing", {}, 404),
        ("pages", {"page_id": "abc"}, 400),
    ],
)
def test_wrong_orders_are_named(sandbox: Sandbox, path: str, body: dict[str, object], status: int) -> None:
    answer = requests.post(f"{sandbox.url}/sandbox/{path}", json=body, timeout=10)

    assert answer.status_code == status
    assert answer.json()["error"]


def test_faults_are_ordered_and_cleared_over_http(sandbox: Sandbox, caller: Caller) -> None:
    caller.control("faults", {"kind": "error", "code": 2, "count": 1})
    assert caller.send(sandbox.person().psid).status_code == 500
    caller.control("faults", {"kind": "error", "code": 2})
    requests.delete(f"{sandbox.url}/sandbox/faults", timeout=10)
    assert caller.send(sandbox.person().psid).status_code == 200


def test_a_newcomer_is_outside_every_window_until_they_write(sandbox: Sandbox, caller: Caller) -> None:
    psid = caller.control("people", {})["psid"]
    assert caller.send(psid).status_code == 403
    caller.control(f"people/{psid}/write", {"text": "I am new"})
    assert caller.send(psid).status_code == 200
    assert caller.control(f"people/{psid}")["last_interaction_at"]


def test_a_hundred_thousand_people_are_ready_at_once() -> None:
    with Sandbox(contacts=100_000) as sandbox:
        caller = Caller(sandbox)
        rows = caller.get(f"{sandbox.page_id}/conversations", limit=100, fields="participants").json()["data"]
        assert len(rows) == 100
        caller.http.close()
