"""Single sends: each outcome as the wire shows it."""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest

from broadcaster.graph.client import GraphClient
from broadcaster.graph.outcomes import Accepted, NotSent, Outcome, Refused, Unknown
from broadcaster.sandbox import Fault, Sandbox

Say = Callable[..., Outcome]


def test_an_accepted_message_has_the_platforms_id(sandbox: Sandbox, say: Say) -> None:
    outcome = say(metadata="install.7.1")
    entry = sandbox.ledger()[0]
    assert outcome == Accepted(entry.mid, sandbox.person(0).psid)
    assert (entry.metadata, entry.text, entry.messaging_type) == ("install.7.1", "Hello", "UPDATE")


def test_a_refusal_is_a_value_with_code_and_subcode(sandbox: Sandbox, say: Say) -> None:
    sandbox.clock.move(timedelta(days=30))
    outcome = say()
    assert isinstance(outcome, Refused)
    assert (outcome.refusal.code, outcome.refusal.subcode) == (10, 2018278)
    assert outcome.refusal.is_transient is False
    assert outcome.refusal.fbtrace_id


@pytest.mark.parametrize("accepted", [True, False])
def test_a_connection_lost_after_the_request_left_is_unknown(
    sandbox: Sandbox, say: Say, accepted: bool
) -> None:
    sandbox.faults.order(Fault("drop", accepted=accepted, count=1))
    assert isinstance(say(), Unknown)
    assert len(sandbox.ledger()) == accepted


def test_a_connection_lost_on_a_kept_connection_is_not_repeated(sandbox: Sandbox, say: Say) -> None:
    say()
    fault = sandbox.faults.order(Fault("drop", accepted=True))
    assert isinstance(say(), Unknown)
    assert fault.met == 1
    assert len(sandbox.ledger()) == 2


def test_no_answer_in_time_is_unknown(sandbox: Sandbox, connect: Callable[..., GraphClient]) -> None:
    sandbox.faults.order(Fault("slow", seconds=1.0, accepted=True, count=1))
    outcome = connect(timeout=0.2).send(
        sandbox.person(0).psid, {"text": "Hi"}, messaging_type="UPDATE", metadata="i.1.1"
    )
    assert outcome == Unknown("no answer within 0.2 s")
    assert len(sandbox.ledger()) == 1


def test_a_server_error_without_a_reason_is_unknown(sandbox: Sandbox, say: Say) -> None:
    sandbox.faults.order(Fault("http_error", status=502, accepted=True, count=1))
    assert say() == Unknown("HTTP 502 without a reason")


def test_the_platforms_unreadable_answer_is_unknown(sandbox: Sandbox, say: Say) -> None:
    sandbox.faults.order(Fault("invalid_json", count=1))
    assert isinstance(say(), Unknown)
    assert len(sandbox.ledger()) == 1


def test_a_refused_connection_is_surely_not_sent(connect: Callable[..., GraphClient]) -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        client = connect(base_url=f"http://127.0.0.1:{free.getsockname()[1]}")
        outcome = client.send("1", {"text": "Hi"}, messaging_type="UPDATE", metadata="i.1.1")
    assert isinstance(outcome, NotSent)


def test_an_unknown_host_is_surely_not_sent(connect: Callable[..., GraphClient]) -> None:
    client = connect(base_url="http://graph.invalid")
    outcome = client.send("1", {"text": "Hi"}, messaging_type="UPDATE", metadata="i.1.1")
    assert isinstance(outcome, NotSent)


def test_a_failed_tls_handshake_is_surely_not_sent(
    sandbox: Sandbox, connect: Callable[..., GraphClient]
) -> None:
    client = connect(base_url=sandbox.url.replace("http:", "https:"))
    outcome = client.send("1", {"text": "Hi"}, messaging_type="UPDATE", metadata="i.1.1")
    assert outcome == NotSent("the secure connection could not be made")


@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        (b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n<html", Unknown("an answer without a message id")),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}", Unknown("an answer without a message id")),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\n{", Unknown),
        (b"HTTP/1.1 302 Found\r\nLocation: /login\r\nContent-Length: 0\r\n\r\n", NotSent),
        (b"HTTP/1.1 407 No\r\nContent-Length: 0\r\n\r\n", NotSent),
        (b"HTTP/1.1 408 Slow\r\nContent-Length: 0\r\n\r\n", Unknown),
        (b"garbage\r\n\r\n", Unknown),
    ],
)
def test_answers_of_something_else(
    connect: Callable[..., GraphClient], answer: bytes, expected: Outcome | type[Outcome]
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:

        def serve() -> None:
            peer, _ = server.accept()
            with peer:
                peer.recv(65536)
                peer.sendall(answer)

        thread = threading.Thread(target=serve)
        thread.start()
        client = connect(base_url=f"http://127.0.0.1:{server.getsockname()[1]}")
        outcome = client.send("1", {"text": "Hi"}, messaging_type="UPDATE", metadata="i.1.1")
        thread.join()
    assert isinstance(outcome, expected) if isinstance(expected, type) else outcome == expected


def test_a_tag_travels_with_its_messaging_type(sandbox: Sandbox, client: GraphClient) -> None:
    sandbox.clock.move(timedelta(days=2))
    client.send(
        sandbox.person(0).psid,
        {"text": "Hi"},
        messaging_type="MESSAGE_TAG",
        tag="HUMAN_AGENT",
        metadata="i.1.1",
    )
    assert (sandbox.ledger()[0].messaging_type, sandbox.ledger()[0].tag) == ("MESSAGE_TAG", "HUMAN_AGENT")


def test_many_threads_share_one_client(sandbox: Sandbox, client: GraphClient) -> None:
    psids = [sandbox.person(n).psid for n in range(20)]

    def send(psid: str) -> Outcome:
        return client.send(psid, {"text": "Hi"}, messaging_type="UPDATE", metadata=psid)

    with ThreadPoolExecutor(8) as pool:
        outcomes = list(pool.map(send, psids))
    accepted = [outcome for outcome in outcomes if isinstance(outcome, Accepted)]
    assert len({outcome.message_id for outcome in accepted}) == len(accepted) == len(sandbox.ledger())
    assert all(
        outcome.recipient_id == psid
        for psid, outcome in zip(psids, outcomes, strict=True)
        if isinstance(outcome, Accepted)
    )


def test_the_app_secret_proof_is_accepted_and_a_wrong_one_refused(
    sandbox: Sandbox, connect: Callable[..., GraphClient]
) -> None:
    psid = sandbox.person(0).psid
    good = connect(app_secret=sandbox.app_secret).send(
        psid, {"text": "Hi"}, messaging_type="UPDATE", metadata="i.1.1"
    )
    bad = connect(app_secret="other").send(psid, {"text": "Hi"}, messaging_type="UPDATE", metadata="i.1.2")
    assert isinstance(good, Accepted)
    assert isinstance(bad, Refused)
    assert bad.refusal.code == 104


def test_usage_and_clock_difference_are_read_from_the_answer(
    sandbox: Sandbox, client: GraphClient, say: Say
) -> None:
    sandbox.faults.order(Fault("limit", code=80006, minutes=7, count=1))
    say()
    assert (client.last_usage.percent, client.last_usage.regain_minutes) == (100, 7)
    sandbox.clock.move(timedelta(minutes=5))
    say()
    assert client.skew_ms is not None
    assert abs(client.skew_ms - 300_000) < 2_000
