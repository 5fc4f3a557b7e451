"""What is different on Instagram."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from broadcaster.clock import SystemClock
from broadcaster.graph.client import INSTAGRAM_WEBHOOK_FIELDS, GraphClient
from broadcaster.graph.outcomes import Accepted, Refused
from broadcaster.graph.reading import conversation
from broadcaster.sandbox import Behaviour, Sandbox


@pytest.fixture
def sandbox() -> Iterator[Sandbox]:
    with Sandbox(contacts=10, seed=3, platform="instagram", behaviour=Behaviour.quiet()) as running:
        yield running


@pytest.fixture
def client(sandbox: Sandbox) -> Iterator[GraphClient]:
    one = GraphClient(
        sandbox.url,
        "v26.0",
        token=sandbox.page_token,
        page_graph_id=sandbox.page_id,
        platform="instagram",
        clock=SystemClock(),
    )
    yield one
    one.close()


def test_a_message_goes_out_and_stands_in_the_conversation(sandbox: Sandbox, client: GraphClient) -> None:
    person = sandbox.person(0)
    outcome = client.send(person.psid, {"text": "Hi"}, messaging_type="UPDATE", metadata="i.1.1")
    assert isinstance(outcome, Accepted)
    read = client.conversation_messages(person.psid)
    assert (read.messages[0].text, read.messages[0].from_page) == ("Hi", True)


def test_a_person_of_another_page_is_refused_with_instagrams_own_number(client: GraphClient) -> None:
    outcome = client.send("123", {"text": "Hi"}, messaging_type="UPDATE", metadata="i.1.1")
    assert isinstance(outcome, Refused)
    assert (outcome.refusal.code, outcome.refusal.subcode) == (100, 2534014)


def test_a_profile_has_a_name(sandbox: Sandbox, client: GraphClient) -> None:
    assert client.profile(sandbox.person(0).psid).name == sandbox.person(0).name


def test_the_fields_instagram_knows_are_subscribed(sandbox: Sandbox, client: GraphClient) -> None:
    client.subscribe()
    assert set(client.subscribed_fields()[sandbox.app_id]) == set(INSTAGRAM_WEBHOOK_FIELDS)


def test_the_accounts_own_id_is_the_page_too() -> None:
    row = {
        "id": "t_1",
        "updated_time": "2026-11-20T10:00:00+0000",
        "participants": {"data": [{"username": "shop", "id": "17841"}, {"username": "ada", "id": "77"}]},
        "messages": {
            "data": [
                {"id": "m_2", "created_time": "2026-11-20T10:00:00+0000", "from": {"id": "17841"}},
                {
                    "id": "m_1",
                    "created_time": "2026-11-20T09:00:00+0000",
                    "from": {"id": "77"},
                    "message": "Hi",
                },
            ]
        },
    }
    found = conversation(row, {"1", "17841"})
    assert found is not None
    assert (found.psid, found.name) == ("77", "ada")
    assert [message.from_page for message in found.read.messages] == [True, False]
    assert found.last_inbound_at == found.read.messages[1].at
