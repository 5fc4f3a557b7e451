"""Whatever a program sends, the platform answers with an error of the request, never with one of its own."""

from __future__ import annotations

import copy
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from broadcaster.sandbox import Behaviour, Sandbox
from tests.sandbox.sandbox_http import Caller

JUNK = st.sampled_from([None, True, 7, "", "x", "{", [], ["x"], [None], {}, {"x": 1}, [{}], [[]], "1e9", -1])


def _template(kind: str, **payload: Any) -> dict[str, Any]:
    return {"attachment": {"type": "template", "payload": {"template_type": kind} | payload}}


VALID: list[dict[str, Any]] = [
    {"text": "x", "quick_replies": [{"content_type": "text", "title": "a", "payload": "b"}]},
    {"attachment": {"type": "image", "payload": {"url": "https://example.org/a.png", "is_reusable": True}}},
    {"attachments": [{"type": "image", "payload": {"url": "https://example.org/a.png"}}]},
    _template("button", text="x", buttons=[{"type": "postback", "title": "a", "payload": "b"}]),
    _template("generic", elements=[{"title": "a", "subtitle": "b", "buttons": [{"type": "web_url"}]}]),
    _template("media", elements=[{"media_type": "image", "attachment_id": "1"}]),
    _template("image_grid", elements=[{"images": [1, 2], "title": "a", "subtitle": "b"}]),
    _template(
        "customer_feedback",
        title="a",
        subtitle="b",
        button_title="c",
        feedback_screens=[{"questions": [{"id": "q", "type": "csat"}]}],
        business_privacy={"url": "https://example.org"},
        expires_in_days=2,
    ),
    {
        "template": {
            "name": "t",
            "language": {"code": "en_US"},
            "components": [{"type": "body", "parameters": [{"type": "text", "text": "x"}]}],
        }
    },
]


@st.composite
def broken(draw: st.DrawFn, value: Any) -> Any:
    """A copy of ``value`` in which one part, somewhere, is something else."""
    if isinstance(value, dict) and value and draw(st.integers(0, 4)):
        key = draw(st.sampled_from(sorted(value)))
        return copy.deepcopy(value) | {key: draw(broken(value[key]))}
    if isinstance(value, list) and value and draw(st.integers(0, 4)):
        return [draw(broken(value[0])), *value[1:]]
    return draw(JUNK)


@pytest.fixture(scope="module")
def rough() -> Iterator[Caller]:
    with Sandbox(contacts=5, behaviour=Behaviour.quiet()) as sandbox:
        caller = Caller(sandbox)
        caller.control("page", {"limits": {"enforced": False}})
        body = {"name": "t", "language": "en_US", "library_template_name": "appointment_reminder_1"}
        caller.post(f"{sandbox.page_id}/message_templates", body)
        sandbox.settle()
        yield caller
        caller.http.close()


def sensible(answer: Any) -> bool:
    return answer.status_code == 200 or (
        answer.status_code in (400, 403) and answer.json()["error"]["code"] != 1
    )


@settings(max_examples=400)
@given(message=st.sampled_from(VALID).flatmap(broken), kind=st.sampled_from(["UPDATE", "UTILITY"]))
def test_any_message(rough: Caller, message: Any, kind: str) -> None:
    assert sensible(rough.send(rough.sandbox.person().psid, message=message, messaging_type=kind))


COMPONENTS = [
    {"type": "BODY", "text": "Hello {{1}} there", "example": {"body_text": [["x"]]}},
    {"type": "BUTTONS", "buttons": [{"type": "URL", "text": "a", "url": "https://example.org"}]},
]


@settings(max_examples=100)
@given(junk=JUNK, components=broken(COMPONENTS))
def test_any_call_or_batch(rough: Caller, junk: Any, components: Any) -> None:
    page = rough.page_id
    body = {"name": "other", "language": "en", "components": components}
    answers = [
        rough.batch([{"method": "POST", "relative_url": junk, "body": junk}]),
        rough.batch([junk]),
        rough.post(f"{page}/messages", {"recipient": junk, "message": {"text": "x"}}),
        rough.post(f"{page}/messages", {"recipient": {"id": junk}, "message": {"text": "x"}, "tag": junk}),
        rough.post(f"{page}/message_attachments", {"message": junk}),
        rough.post(f"{page}/message_templates", body),
        rough.get(
            f"{page}/conversations", limit=str(junk), after=str(junk), fields=str(junk), user_id=str(junk)
        ),
        rough.get("me", appsecret_proof=str(junk), fields=str(junk)),
    ]
    rough.sandbox.settle()
    assert all(sensible(answer) for answer in answers)
