"""Conversations, people and tokens, read from the platform."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest

from broadcaster.errors import Unreachable
from broadcaster.graph.client import WEBHOOK_FIELDS, GraphClient
from broadcaster.graph.outcomes import Accepted, CallRefused, Outcome
from broadcaster.graph.reading import ConversationRead, ReadMessage
from broadcaster.sandbox import Fault, Sandbox

AT = datetime(2026, 11, 20, 12, 0, 0, 500_000, tzinfo=UTC)


def test_a_sent_message_stands_in_the_conversation(
    sandbox: Sandbox, client: GraphClient, say: Callable[..., Outcome]
) -> None:
    outcome = say(text="Where are you?")
    assert isinstance(outcome, Accepted)
    read = client.conversation_messages(sandbox.person(0).psid)
    newest = read.messages[0]
    assert (newest.id, newest.text, newest.from_page) == (outcome.message_id, "Where are you?", True)
    assert read.found


def test_a_person_without_a_conversation_is_not_found(client: GraphClient) -> None:
    assert client.conversation_messages("123") == ConversationRead(False)


@pytest.mark.parametrize(
    ("read", "covered"),
    [
        (ConversationRead(False), False),
        (ConversationRead(True, (), True), True),
        (ConversationRead(True, (ReadMessage("m", AT.replace(microsecond=0), True, ""),), False), False),
        (ConversationRead(True, (ReadMessage("m", AT - timedelta(seconds=1.5), True, ""),), False), True),
    ],
)
def test_absence_is_proven_only_when_older_messages_were_read(read: ConversationRead, covered: bool) -> None:
    assert read.covers(AT) is covered


def test_the_list_is_read_page_by_page(sandbox: Sandbox, client: GraphClient) -> None:
    seen, after, calls = set(), None, 0
    sandbox.page.limits.enforced = False
    while calls == 0 or after:
        page = client.conversations(after, limit=7)
        seen |= {row.psid for row in page.conversations}
        after, calls = page.after, calls + 1
    assert calls > 2
    assert sandbox.person(0).psid in seen


def test_the_last_inbound_time_is_the_persons(
    sandbox: Sandbox, client: GraphClient, say: Callable[..., Outcome]
) -> None:
    say()
    page = client.conversations(limit=50)
    row = next(row for row in page.conversations if row.psid == sandbox.person(0).psid)
    assert row.last_inbound_at is not None
    assert row.last_inbound_at < row.updated_at


def test_a_profile_has_a_name_and_an_offset(sandbox: Sandbox, client: GraphClient) -> None:
    person = sandbox.person(0)
    profile = client.profile(person.psid)
    assert (profile.first_name, profile.locale) == (person.first_name, person.locale)
    assert profile.timezone is not None
    assert profile.timezone[0] in "+-"


def test_debug_token_tells_type_and_scopes(sandbox: Sandbox, client: GraphClient) -> None:
    facts = client.debug_token()
    assert facts.is_valid
    assert (facts.type, facts.profile_id, facts.app_id) == ("PAGE", sandbox.page_id, sandbox.app_id)
    assert "pages_messaging" in facts.scopes


def test_a_dead_token_is_refused_with_the_way_out(sandbox: Sandbox, client: GraphClient) -> None:
    sandbox.revoke_token()
    with pytest.raises(CallRefused) as caught:
        client.debug_token()
    assert caught.value.refusal.code == 190
    assert "Connect the Page again" in caught.value.hint


def test_accounts_lists_the_pages_of_a_person(sandbox: Sandbox, connect: Callable[..., GraphClient]) -> None:
    accounts = connect(token=sandbox.user_token).accounts()
    assert [(row.id, row.name, row.token) for row in accounts] == [
        (sandbox.page_id, sandbox.page_name, sandbox.page_token)
    ]
    assert sandbox.page_token not in repr(accounts)


def test_subscribing_and_leaving(sandbox: Sandbox, client: GraphClient) -> None:
    client.subscribe()
    assert set(client.subscribed_fields()[sandbox.app_id]) == set(WEBHOOK_FIELDS)
    client.unsubscribe()
    assert client.subscribed_fields() == {}


def test_an_address_that_does_not_answer_is_named(connect: Callable[..., GraphClient]) -> None:
    with pytest.raises(Unreachable, match=r"http://127\.0\.0\.1:9 does not answer"):
        connect(base_url="http://127.0.0.1:9").me()


def test_an_answer_that_is_not_the_graph_api_is_said(sandbox: Sandbox, client: GraphClient) -> None:
    sandbox.faults.order(Fault("http_error", target="any", status=503, count=1))
    with pytest.raises(Unreachable, match="HTTP 503"):
        client.me()
