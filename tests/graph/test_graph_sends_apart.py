"""Requests are prepared once and used again: each send still carries its own body, from any thread."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

from broadcaster.graph.client import GraphClient
from broadcaster.graph.outcomes import Accepted, Outcome
from broadcaster.sandbox import Sandbox


def test_every_send_carries_its_own_text_and_key(sandbox: Sandbox, client: GraphClient) -> None:
    people = [sandbox.person(index).psid for index in range(8)]

    def send(number: int) -> Outcome:
        text = "long " * number + str(number)
        return client.send(people[number], {"text": text}, messaging_type="UPDATE", metadata=f"i.{number}.1")

    with ThreadPoolExecutor(4) as pool:
        outcomes = list(pool.map(send, range(8)))
    assert all(isinstance(one, Accepted) for one in outcomes)
    taken = {entry.psid: (entry.text, entry.metadata) for entry in sandbox.ledger()}
    assert taken == {people[n]: ("long " * n + str(n), f"i.{n}.1") for n in range(8)}


def test_a_send_after_another_call_is_whole(sandbox: Sandbox, client: GraphClient) -> None:
    psid = sandbox.person(0).psid
    client.send(psid, {"text": "one"}, messaging_type="UPDATE", metadata="i.1.1")
    client.me()
    client.conversation_messages(psid)
    client.send(psid, {"text": "Grüße"}, messaging_type="UPDATE", metadata="i.2.1")
    assert [entry.text for entry in sandbox.ledger()] == ["one", "Grüße"]
