"""Sends over HTTP: windows, tags, limits of content, errors with the platform's numbers."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import requests

from broadcaster.sandbox import Behaviour, Sandbox
from tests.sandbox.sandbox_http import Caller, refused


def psid(sandbox: Sandbox, index: int = 0) -> str:
    return sandbox.person(index).psid


def test_an_accepted_message_is_answered_and_in_the_ledger(sandbox: Sandbox, caller: Caller) -> None:
    answer = caller.send(psid(sandbox), message={"text": "Grüße", "metadata": "install.7.2"})

    [entry] = sandbox.ledger()
    assert answer.json() == {"recipient_id": psid(sandbox), "message_id": entry.mid}
    assert entry.mid.startswith("m_")
    assert (entry.text, entry.metadata, entry.attempt) == ("Grüße", "install.7.2", 2)


def test_form_fields_with_json_strings_are_taken(sandbox: Sandbox) -> None:
    form = {
        "recipient": json.dumps({"id": psid(sandbox)}),
        "message": json.dumps({"text": "as a form"}),
        "messaging_type": "RESPONSE",
        "access_token": sandbox.page_token,
    }
    answer = requests.post(f"{sandbox.url}/me/messages", data=form, timeout=10)

    assert answer.status_code == 200
    assert sandbox.ledger()[0].text == "as a form"


def test_a_local_file_may_come_along_and_be_kept(sandbox: Sandbox, caller: Caller) -> None:
    message = {"attachment": {"type": "image", "payload": {"is_reusable": True}}}
    answer = requests.post(
        f"{sandbox.url}/v26.0/{sandbox.page_id}/messages",
        data={"recipient": json.dumps({"id": psid(sandbox)}), "message": json.dumps(message)},
        files={"filedata": ("a.png", b"x" * 2_000_000, "image/png")},
        headers={"Authorization": f"Bearer {sandbox.page_token}"},
        timeout=10,
    )
    kept = answer.json()["attachment_id"]
    again = {"attachment": {"type": "image", "payload": {"attachment_id": kept}}}

    assert caller.send(psid(sandbox), message=again).status_code == 200
    sandbox.clock.move(timedelta(days=91))
    sandbox.run(lambda: setattr(sandbox.people.at(0), "last_interaction_ms", sandbox.clock.ms()))
    assert refused(caller.send(psid(sandbox), message=again)) == (100, 2018074)


def test_the_window_closes_after_24_hours_and_opens_when_the_person_writes(
    sandbox: Sandbox, caller: Caller
) -> None:
    person = sandbox.person()
    sandbox.clock.set(datetime.fromtimestamp(person.last_interaction_ms / 1000 + 86_399, UTC))
    sandbox.clock.freeze()
    assert caller.send(person.psid).status_code == 200
    sandbox.clock.move(timedelta(seconds=1))
    answer = caller.send(person.psid)
    assert refused(answer) == (10, 2018278)
    assert "outside of allowed window" in answer.json()["error"]["message"]

    caller.control(f"people/{person.psid}/write", {"text": "Still there?"})
    assert caller.send(person.psid).status_code == 200


@pytest.mark.parametrize(
    ("act", "opens"),
    [
        ("postback", True),
        ("referral", True),
        ("react", True),
        ("optin", False),
        ("comment", False),
    ],
)
def test_which_acts_open_the_window(sandbox: Sandbox, caller: Caller, act: str, opens: bool) -> None:
    sandbox.clock.move(timedelta(hours=30))
    body = {"postback": {"payload": "P"}, "referral": {"ref": "r"}, "react": {"mid": "m_1"}}.get(act, {})
    caller.control(f"people/{psid(sandbox)}/{act}", body)

    assert (caller.send(psid(sandbox)).status_code == 200) is opens


def test_human_agent_reaches_seven_days(sandbox: Sandbox, caller: Caller) -> None:
    tagged = {"messaging_type": "MESSAGE_TAG", "tag": "HUMAN_AGENT"}
    sandbox.clock.move(timedelta(days=6))
    assert caller.send(psid(sandbox), **tagged).status_code == 200
    sandbox.clock.move(timedelta(days=1, hours=1))
    assert refused(caller.send(psid(sandbox), **tagged)) == (10, 2018278)


def test_human_agent_without_the_feature_is_a_permission_error(sandbox: Sandbox, caller: Caller) -> None:
    caller.control("page", {"features": []})
    answer = caller.send(psid(sandbox), messaging_type="MESSAGE_TAG", tag="HUMAN_AGENT")

    assert refused(answer) == (10, None)
    assert "does not have permission" in answer.json()["error"]["message"]


@pytest.mark.parametrize("tag", ["CONFIRMED_EVENT_UPDATE", "POST_PURCHASE_UPDATE", "ACCOUNT_UPDATE"])
def test_update_tags_die_on_27_april_2026_even_inside_the_window(tag: str) -> None:
    eve = datetime(2026, 4, 26, 12, tzinfo=UTC)
    with Sandbox(contacts=3, now=eve, behaviour=Behaviour.quiet()) as sandbox:
        caller = Caller(sandbox)
        caller.control(f"people/{psid(sandbox)}/change", {"last_interaction_ms": 1})
        tagged = {"messaging_type": "MESSAGE_TAG", "tag": tag}
        assert caller.send(psid(sandbox), **tagged).status_code == 200
        sandbox.clock.move(timedelta(hours=12))
        caller.control(f"people/{psid(sandbox)}/write", {})
        assert refused(caller.send(psid(sandbox), **tagged)) == (100, 1893061)
        caller.http.close()


@pytest.mark.parametrize(
    "request_words",
    [
        {"messaging_type": "MESSAGE_TAG"},
        {"messaging_type": "UPDATE", "tag": "HUMAN_AGENT"},
        {"messaging_type": "MESSAGE_TAG", "tag": "SHIPPING_UPDATE"},
        {"messaging_type": "PROMOTION"},
    ],
)
def test_type_and_tag_must_fit(sandbox: Sandbox, caller: Caller, request_words: dict[str, Any]) -> None:
    assert refused(caller.send(psid(sandbox), **request_words)) == (100, None)


def test_feedback_tag_carries_the_feedback_template_only(sandbox: Sandbox, caller: Caller) -> None:
    payload = {
        "template_type": "customer_feedback",
        "title": "How was it?",
        "subtitle": "One tap",
        "button_title": "Rate",
        "feedback_screens": [{"questions": [{"id": "q1", "type": "csat", "title": "Happy with us?"}]}],
        "business_privacy": {"url": "https://example.org/privacy"},
    }
    tagged = {"messaging_type": "MESSAGE_TAG", "tag": "CUSTOMER_FEEDBACK"}
    form = {"attachment": {"type": "template", "payload": payload}}
    sandbox.clock.move(timedelta(days=3))

    assert caller.send(psid(sandbox), message=form, **tagged).status_code == 200
    assert refused(caller.send(psid(sandbox), **tagged)) == (100, None)


def test_people_who_blocked_vanished_or_never_were(sandbox: Sandbox, caller: Caller) -> None:
    caller.control(f"people/{psid(sandbox, 0)}/block", {})
    caller.control(f"people/{psid(sandbox, 1)}/vanish", {})

    assert refused(caller.send(psid(sandbox, 0))) == (551, 1545041)
    assert refused(caller.send(psid(sandbox, 1))) == (551, 1545041)
    assert refused(caller.send("1234567890123456")) == (100, 2018001)
    caller.control(f"people/{psid(sandbox, 0)}/unblock", {})
    assert caller.send(psid(sandbox, 0)).status_code == 200


def buttons(*rows: dict[str, Any]) -> dict[str, Any]:
    payload = {"template_type": "button", "text": "Choose", "buttons": list(rows)}
    return {"attachment": {"type": "template", "payload": payload}}


def replies(*rows: dict[str, Any]) -> dict[str, Any]:
    return {"text": "Choose", "quick_replies": [{"content_type": "text"} | row for row in rows]}


@pytest.mark.parametrize(
    ("message", "expected"),
    [
        ({"text": "x" * 2000}, (100, None)),
        ({"text": "  "}, (100, 2018034)),
        ({"text": "x", "metadata": "y" * 1000}, (100, None)),
        (replies(*[{"title": "a", "payload": "b"}] * 14), (100, None)),
        (replies({"payload": "b"}), (100, 2018098)),
        (replies({"title": "a"}), (100, 2018099)),
        (replies({"title": "a" * 21, "payload": "b"}), (100, None)),
        ({"text": "x", "quick_replies": []}, (194, None)),
        (buttons(*[{"type": "postback", "title": "a", "payload": "b"}] * 4), (100, None)),
        (buttons({"type": "postback", "title": "a"}), (100, 2018040)),
        (buttons({"type": "web_url", "title": "a"}), (100, 2018041)),
        (buttons({"type": "web_url", "url": "https://example.org"}), (100, 2018053)),
        ({"attachment": {"type": "image", "payload": {"attachment_id": "1"}}}, (100, 2018074)),
        (
            {"attachment": {"type": "image", "payload": {"url": "https://nowhere.invalid/a.png"}}},
            (100, 2018008),
        ),
        ({"attachment": {"type": "image", "payload": {}}}, (100, 2018047)),
        (
            {
                "attachment": {
                    "type": "template",
                    "payload": {"template_type": "generic", "elements": [{"title": "a"}]},
                }
            },
            (100, 2018035),
        ),
        ({"attachment": {"type": "template", "payload": {"template_type": "utility"}}}, (100, None)),
        ({"metadata": "only"}, (100, 2018034)),
    ],
)
def test_messages_the_platform_would_not_take(
    sandbox: Sandbox, caller: Caller, message: dict[str, Any], expected: tuple[int, int | None]
) -> None:
    assert refused(caller.send(psid(sandbox), message=message)) == expected
    assert sandbox.ledger() == []


@pytest.mark.parametrize(
    "message",
    [
        {"text": "x" * 1999},
        replies(*[{"title": "a" * 20, "payload": "b"}] * 13),
        buttons(*[{"type": "web_url", "title": "a" * 20, "url": "https://example.org"}] * 3),
        {"attachment": {"type": "image", "payload": {"url": "https://example.org/a.png"}}},
        {"attachments": [{"type": "image", "payload": {"url": "https://example.org/a.png"}}] * 2},
    ],
)
def test_messages_at_the_edge_are_taken(sandbox: Sandbox, caller: Caller, message: dict[str, Any]) -> None:
    assert caller.send(psid(sandbox), message=message).status_code == 200


def test_actions_are_answered_with_the_recipient_alone(sandbox: Sandbox, caller: Caller) -> None:
    recipient = {"recipient": {"id": psid(sandbox)}}
    path = f"{sandbox.page_id}/messages"

    assert caller.post(path, recipient | {"sender_action": "typing_on"}).json() == {
        "recipient_id": psid(sandbox)
    }
    assert refused(
        caller.post(path, recipient | {"sender_action": "typing_on", "message": {"text": "x"}})
    ) == (
        100,
        2018014,
    )
    assert refused(caller.post(path, recipient)) == (100, 2018015)
    assert sandbox.ledger() == []


def test_one_private_reply_to_a_comment(sandbox: Sandbox, caller: Caller) -> None:
    sandbox.clock.move(timedelta(days=3))
    comment = caller.control(f"people/{psid(sandbox)}/comment", {})["comment_id"]

    assert caller.send("", recipient={"comment_id": comment}).status_code == 200
    assert refused(caller.send("", recipient={"comment_id": comment}))[0] == 100


def test_the_ad_window_may_be_set_to_seven_days(sandbox: Sandbox, caller: Caller) -> None:
    caller.control(f"people/{psid(sandbox)}/write", {"text": "Hi", "ad_id": "99"})
    sandbox.clock.move(timedelta(days=5))
    assert refused(caller.send(psid(sandbox))) == (10, 2018278)
    caller.control("page", {"ad_window_hours": 168})
    assert caller.send(psid(sandbox)).status_code == 200


def test_an_error_has_the_whole_shape(sandbox: Sandbox, caller: Caller) -> None:
    caller.control(f"people/{psid(sandbox)}/block", {})
    error = caller.send(psid(sandbox)).json()["error"]

    assert set(error) == {
        "message", "type", "code", "error_subcode", "is_transient", "fbtrace_id", "error_user_title", "error_user_msg",
    }  # fmt: skip
    assert error["is_transient"] is False


class TestInstagram:
    @pytest.fixture
    def sandbox(self) -> Any:
        with Sandbox(contacts=5, platform="instagram", behaviour=Behaviour.quiet()) as started:
            yield started

    def test_its_own_window_code(self, sandbox: Sandbox, caller: Caller) -> None:
        sandbox.clock.move(timedelta(hours=30))
        assert refused(caller.send(psid(sandbox))) == (10, 2534022)

    def test_text_counts_in_bytes(self, sandbox: Sandbox, caller: Caller) -> None:
        assert caller.send(psid(sandbox), "ü" * 500).status_code == 200
        assert refused(caller.send(psid(sandbox), "ü" * 501)) == (100, None)

    def test_no_utility_no_tag_but_human_agent_no_unknown_person(
        self, sandbox: Sandbox, caller: Caller
    ) -> None:
        utility = caller.send(psid(sandbox), messaging_type="UTILITY", message={"template": {"name": "x"}})
        assert refused(utility) == (100, 2534015)
        tagged = caller.send(psid(sandbox), messaging_type="MESSAGE_TAG", tag="CUSTOMER_FEEDBACK")
        assert refused(tagged) == (100, 2534015)
        assert refused(caller.send("123")) == (100, 2534014)


class TestTemplates:
    @pytest.fixture
    def template(self, sandbox: Sandbox, caller: Caller) -> str:
        components = [
            {
                "type": "BODY",
                "text": "Hello {{1}}, your bicycle can be collected from {{2}} on at our workshop.",
                "example": {"body_text": [["Ann", "noon"]]},
            },
            {"type": "BUTTONS", "buttons": [{"type": "POSTBACK", "text": "Thanks", "payload": "T"}]},
        ]
        body = {"name": "ready_1", "language": "en_US", "category": "UTILITY", "components": components}
        created = caller.post(f"{sandbox.page_id}/message_templates", body).json()
        assert created["status"] == "PENDING"
        sandbox.settle()
        return "ready_1"

    def utility(
        self, caller: Caller, template: str, *values: str, given_buttons: int = 1
    ) -> requests.Response:
        components: list[dict[str, Any]] = [
            {"type": "body", "parameters": [{"type": "text", "text": value} for value in values]},
            {"type": "buttons", "parameters": [{"type": "postback", "payload": "T"}] * given_buttons},
        ]
        message = {"template": {"name": template, "language": {"code": "en_US"}, "components": components}}
        return caller.send(psid(caller.sandbox), messaging_type="UTILITY", message=message)

    def test_an_approved_template_passes_any_window(
        self, sandbox: Sandbox, caller: Caller, template: str
    ) -> None:
        sandbox.clock.move(timedelta(days=80))
        assert self.utility(caller, template, "Ann", "noon").status_code == 200
        [entry] = sandbox.ledger()
        assert entry.text == "Hello Ann, your bicycle can be collected from noon on at our workshop."
        assert (entry.kind, entry.template) == ("utility", "ready_1")

    def test_parameters_and_buttons_must_be_complete(
        self, sandbox: Sandbox, caller: Caller, template: str
    ) -> None:
        assert refused(self.utility(caller, template, "Ann")) == (100, None)
        assert refused(self.utility(caller, template, "Ann", "noon", given_buttons=0)) == (100, 1893029)
        assert refused(self.utility(caller, "other", "Ann", "noon")) == (100, None)

    def test_list_filter_and_delete(self, sandbox: Sandbox, caller: Caller, template: str) -> None:
        path = f"{sandbox.page_id}/message_templates"
        assert [row["status"] for row in caller.get(path, name=template).json()["data"]] == ["APPROVED"]
        assert caller.get(path, status="REJECTED").json() == {"data": []}
        gone = requests.delete(
            f"{sandbox.url}/v26.0/{path}",
            params={"name": template, "access_token": sandbox.page_token},
            timeout=10,
        )
        assert gone.json() == {"success": True}
        assert refused(self.utility(caller, template, "Ann", "noon")) == (100, None)

    def test_marketing_words_are_rejected_in_review(self, sandbox: Sandbox, caller: Caller) -> None:
        components = [{"type": "BODY", "text": "Our big sale starts tomorrow at nine, come by."}]
        body = {"name": "sale", "language": "en_US", "category": "UTILITY", "components": components}
        caller.post(f"{sandbox.page_id}/message_templates", body)
        sandbox.settle()
        [row] = caller.get(f"{sandbox.page_id}/message_templates", name="sale").json()["data"]
        assert (row["status"], row["rejected_reason"]) == ("REJECTED", "TAG_SHOULD_BE_MARKETING")

    def test_the_library_can_be_searched_and_used(self, sandbox: Sandbox, caller: Caller) -> None:
        [row] = caller.get(
            "message_template_library", name_or_content="appointment", language="en_US"
        ).json()["data"]
        body = {
            "name": "mine",
            "language": "en_US",
            "category": "UTILITY",
            "library_template_name": row["name"],
        }
        assert caller.post(f"{sandbox.page_id}/message_templates", body).status_code == 200
