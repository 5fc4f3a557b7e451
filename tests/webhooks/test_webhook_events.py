"""Reading POSTs: every documented kind, ids as text or number, and a key that makes each count once."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from broadcaster.errors import BadInput
from broadcaster.webhooks.events import EventKind, InboundEvent, parse

RECEIVED = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)
AT = datetime(2026, 11, 20, 11, 59, 58, 123_000, tzinfo=UTC)
MS = 1_795_175_998_123
assert int(AT.timestamp() * 1000) == MS


def post(*bodies: Any, channel: str = "messaging", page: Any = "1") -> list[InboundEvent]:
    raw = {"object": "page", "entry": [{"id": page, "time": MS + 5, channel: list(bodies)}]}
    return parse(json.dumps(raw).encode(), RECEIVED)


def event(key: str, content: Any, sender: Any = "77", recipient: Any = "1", at: Any = MS) -> dict[str, Any]:
    return {"sender": {"id": sender}, "recipient": {"id": recipient}, "timestamp": at, key: content}


@pytest.mark.parametrize(
    ("key", "content", "kind"),
    [
        ("message", {"mid": "m_1", "text": "Hello"}, EventKind.MESSAGE),
        ("message", {"mid": "m_1", "attachments": [{"type": "image", "payload": {}}]}, EventKind.MESSAGE),
        ("delivery", {"mids": ["m_1"], "watermark": MS}, EventKind.DELIVERY),
        ("delivery", {"watermark": MS}, EventKind.DELIVERY),
        ("read", {"watermark": MS}, EventKind.READ),
        ("read", {"mid": "m_1"}, EventKind.READ),
        ("postback", {"mid": "m_2", "title": "Start", "payload": "GO"}, EventKind.POSTBACK),
        ("postback", {"title": "Start"}, EventKind.POSTBACK),
        ("referral", {"ref": "spring", "source": "SHORTLINK", "type": "OPEN_THREAD"}, EventKind.REFERRAL),
        ("reaction", {"mid": "m_1", "action": "react", "emoji": "❤"}, EventKind.REACTION),
        ("optin", {"type": "notification_messages", "payload": "x"}, EventKind.OPTIN),
        ("message", {"mid": "m_1", "is_deleted": True}, EventKind.OTHER),
        ("message_edit", {"mid": "m_1", "text": "Hi", "num_edit": 1}, EventKind.OTHER),
        ("messaging_feedback", {"feedback_screens": []}, EventKind.OTHER),
        ("pass_thread_control", {"new_owner_app_id": "9"}, EventKind.OTHER),
    ],
)
def test_every_kind_is_known(key: str, content: dict[str, Any], kind: EventKind) -> None:
    found = post(event(key, content))[0]
    assert (found.kind, found.graph_page_id, found.at) == (kind, "1", AT)


def test_an_echo_is_about_its_recipient() -> None:
    echo = event("message", {"mid": "m_9", "is_echo": True, "metadata": "i.1.1"}, sender="1", recipient="77")
    found = post(echo)[0]
    assert (found.kind, found.psid) == (EventKind.ECHO, "77")


@pytest.mark.parametrize("name", ["policy_enforcement", "policy-enforcement"])
def test_a_policy_notice_has_no_sender(name: str) -> None:
    found = post({"recipient": {"id": "1"}, "timestamp": MS, name: {"action": "block", "reason": "spam"}})[0]
    assert (found.kind, found.psid) == (EventKind.POLICY, None)


def test_a_template_status_comes_as_a_change() -> None:
    change = {"field": "message_template_status_update", "value": {"event": "APPROVED"}}
    assert post(change, channel="changes")[0].kind is EventKind.TEMPLATE


def test_a_plugin_opt_in_without_an_id_is_kept() -> None:
    body = {"recipient": {"id": "1"}, "timestamp": MS, "optin": {"ref": "web", "user_ref": "u1"}}
    assert (post(body)[0].kind, post(body)[0].psid) == (EventKind.OPTIN, None)


def test_standby_events_are_the_same_events() -> None:
    body = event("message", {"mid": "m_1", "text": "Hello"})
    assert post(body, channel="standby")[0].key == post(body)[0].key


def test_ids_as_numbers_are_the_same_ids() -> None:
    numbers = post(event("message", {"mid": "m_1"}, sender=77, recipient=1), page=1)[0]
    text = post(event("message", {"mid": "m_1"}))[0]
    assert (numbers.psid, numbers.key) == (text.psid, text.key)


def test_several_entries_and_events_keep_their_order() -> None:
    raw = {
        "object": "page",
        "entry": [
            {"id": "1", "time": MS, "messaging": [event("message", {"mid": f"m_{n}"}) for n in (1, 2)]},
            {"id": "2", "time": MS, "messaging": [event("message", {"mid": "m_3"}, recipient="2")]},
        ],
    }
    found = parse(json.dumps(raw).encode(), RECEIVED)
    assert [(one.graph_page_id, one.body["message"]["mid"]) for one in found] == [
        ("1", "m_1"),
        ("1", "m_2"),
        ("2", "m_3"),
    ]


@pytest.mark.parametrize(
    ("first", "second", "same"),
    [
        (event("message", {"mid": "m_1"}), event("message", {"mid": "m_1"}, at=MS + 9), True),
        (event("message", {"mid": "m_1"}), event("message", {"mid": "m_2"}), False),
        (event("message", {"mid": "m_1"}), event("postback", {"mid": "m_1"}), False),
        (event("delivery", {"mids": ["a", "b"], "watermark": 5_000_000_000}),
         event("delivery", {"mids": ["b", "a"], "watermark": 5_000_000_000}), True),
        (event("delivery", {"mids": ["a"], "watermark": 5_000_000_000}),
         event("delivery", {"mids": ["b"], "watermark": 5_000_000_000}), False),
        (event("read", {"watermark": MS}), event("read", {"watermark": MS}, at=MS + 9), True),
        (event("read", {"watermark": MS}), event("read", {"watermark": MS}, sender="78"), False),
        (event("reaction", {"mid": "m", "action": "react"}),
         event("reaction", {"mid": "m", "action": "unreact"}), False),
        (event("referral", {"ref": "a"}), event("referral", {"ref": "b"}), False),
        (event("referral", {"ref": "a"}), event("referral", {"ref": "a"}), True),
    ],
)  # fmt: skip
def test_the_key_tells_repeats_from_news(first: dict[str, Any], second: dict[str, Any], same: bool) -> None:
    assert (post(first)[0].key == post(second)[0].key) is same


@pytest.mark.parametrize(
    "body",
    [
        "text",
        17,
        event("message", "text"),
        event("message", {"text": "no id"}),
        event("message", {"mid": "m_1"}, sender=None),
        event("message", {"mid": "m_1"}, sender={}),
        event("message", {"mid": "m_1"}, sender="7\x007"),
        event("message", {"mid": "m_1"}, sender="7" * 65),
        event("delivery", {}),
        event("delivery", {"mids": 5, "watermark": 1}),
        event("read", {}),
    ],
)
def test_what_cannot_be_read_is_kept_as_such(body: Any) -> None:
    found = post(body)[0]
    assert found.kind is EventKind.UNREADABLE
    assert found.key == post(body)[0].key


@pytest.mark.parametrize("at", [None, "soon", -5, 10**30, {}])
def test_an_event_without_a_time_takes_its_entrys(at: Any) -> None:
    assert post(event("message", {"mid": "m_1"}, at=at))[0].at.timestamp() * 1000 == MS + 5


def test_times_in_seconds_and_as_text_are_understood() -> None:
    assert post(event("message", {"mid": "m_1"}, at=str(MS)))[0].at == AT
    assert post(event("message", {"mid": "m_1"}, at=MS // 1000))[0].at == AT.replace(microsecond=0)


@pytest.mark.parametrize("raw", [b"", b"{", b"[]", b'{"object":"page"}', b"\xff", b'{"entry": 5}'])
def test_what_is_not_the_envelope_is_bad_input(raw: bytes) -> None:
    with pytest.raises(BadInput):
        parse(raw)


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=8,
)
keys = st.sampled_from(
    [
        "message",
        "delivery",
        "read",
        "postback",
        "referral",
        "reaction",
        "optin",
        "policy_enforcement",
        "other",
    ]
)


@given(
    body=json_values
    | st.fixed_dictionaries(
        {"sender": json_values, "recipient": json_values, "timestamp": json_values},
    ).flatmap(lambda base: st.builds(lambda key, content: {**base, key: content}, keys, json_values)),
    channel=st.sampled_from(["messaging", "standby", "changes"]),
)
def test_nothing_inside_an_envelope_breaks_reading(body: Any, channel: str) -> None:
    for found in post(body, channel=channel):
        assert 0 < len(found.key) <= 200
        assert found.key.isprintable() and found.key.isascii()
        assert found.at.tzinfo is not None
