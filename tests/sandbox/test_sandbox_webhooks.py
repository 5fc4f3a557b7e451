"""Events as a receiver gets them: signed, complete, and as untidy as ordered."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest

from broadcaster.sandbox import Behaviour, Sandbox
from tests.sandbox.sandbox_http import Caller, Receiver, until


def test_a_wrong_receiver_is_not_subscribed(sandbox: Sandbox) -> None:
    stranger = Receiver("another token", sandbox.app_secret)
    with pytest.raises(ValueError, match="did not return the challenge"):
        sandbox.subscribe(stranger.url)
    stranger.close()
    with pytest.raises(ValueError, match="cannot be reached"):
        sandbox.subscribe("http://127.0.0.1:9/")


def test_an_accepted_message_echoes_with_its_metadata(
    sandbox: Sandbox, caller: Caller, receiver: Receiver
) -> None:
    psid = sandbox.person().psid
    mid = caller.send(psid, message={"text": "Größe 🙂", "metadata": "i.4.1"}).json()["message_id"]
    sandbox.settle()

    [echo] = receiver.events("message")
    assert echo["sender"]["id"] == sandbox.page_id
    assert echo["recipient"]["id"] == psid
    assert echo["message"] == {
        "is_echo": True,
        "app_id": int(sandbox.app_id),
        "mid": mid,
        "metadata": "i.4.1",
        "text": "Größe 🙂",
    }
    assert receiver.badly_signed == 0
    assert b"Gr\\u00f6\\u00dfe \\ud83d\\ude42" in receiver.posts[0]


def test_delivered_and_read_come_with_watermarks(
    sandbox: Sandbox, caller: Caller, receiver: Receiver
) -> None:
    sandbox.people.behaviour = Behaviour(reads=1, answers=0, reacts=0, opts_out=0, blocks=0)
    psid = sandbox.person().psid
    mids = [caller.send(psid, f"number {number}").json()["message_id"] for number in range(2)]
    sandbox.settle()
    delivered = [mid for event in receiver.events("delivery") for mid in event["delivery"]["mids"]]
    last = sandbox.ledger()[-1].accepted_ms

    assert sorted(delivered) == sorted(mids)
    assert receiver.events("delivery")[-1]["sender"] == {"id": psid}
    assert receiver.events("delivery")[-1]["delivery"]["watermark"] == last
    assert receiver.events("read")[-1]["read"] == {"watermark": last}
    summary = caller.control("ledger/summary")
    assert (summary["delivered"], summary["read"]) == (2, 2)


def test_deliveries_may_come_without_mids(sandbox: Sandbox, caller: Caller, receiver: Receiver) -> None:
    sandbox.delivery.watermark_only = 1
    caller.send(sandbox.person().psid)
    sandbox.settle()

    assert set(receiver.events("delivery")[0]["delivery"]) == {"watermark"}


def test_what_people_do_is_told(sandbox: Sandbox, caller: Caller, receiver: Receiver) -> None:
    psid = sandbox.person().psid
    base = f"people/{psid}"
    caller.control(f"{base}/write", {"text": "yes", "quick_reply": "YES"})
    caller.control(f"{base}/write", {"text": "", "attachment": "image"})
    caller.control(f"{base}/postback", {"payload": "START", "title": "Get Started", "ref": "poster"})
    caller.control(f"{base}/referral", {"ref": "flyer", "ad_id": "77"})
    caller.control(f"{base}/react", {"mid": "m_x"})
    caller.control(f"{base}/react", {"mid": "m_x", "undo": True})
    caller.control(f"{base}/optin", {"ref": "news"})
    caller.control(f"{base}/stop", {})
    caller.control(f"{base}/answer", {"text": "by hand"})
    caller.control("policy", {"action": "warning", "reason": "too many reports"})
    sandbox.flush()
    events = receiver.events()

    assert [next(key for key in event if key not in ("sender", "recipient", "timestamp")) for event in events] == [
        "message", "message", "postback", "referral", "reaction", "reaction", "optin", "message", "message",
        "policy_enforcement",
    ]  # fmt: skip
    assert events[0]["message"]["quick_reply"] == {"payload": "YES"}
    assert events[1]["message"]["attachments"][0]["type"] == "image"
    assert events[2]["postback"]["referral"]["ref"] == "poster"
    assert events[3]["referral"]["ads_context_data"]["ad_title"]
    assert [event["reaction"]["action"] for event in events[4:6]] == ["react", "unreact"]
    assert "metadata" not in events[8]["message"]
    assert "sender" not in events[9]


def test_duplicated_shuffled_and_lost(sandbox: Sandbox, caller: Caller, receiver: Receiver) -> None:
    caller.control("webhooks", {"duplicate": 0.3, "shuffle": True, "drop": 0.1, "delay": [0, 0.02]})
    for number in range(60):
        caller.control(f"people/{sandbox.person().psid}/write", {"text": str(number)})
    sandbox.flush()
    texts = [int(event["message"]["text"]) for event in receiver.events("message")]
    times = Counter(texts)

    assert texts != sorted(texts)
    assert max(times.values()) == 2
    assert 40 <= len(times) < 60
    counts = caller.control("state")["webhooks"]["counts"]
    assert len(texts) == counts["events"] - counts["dropped"] + counts["duplicated"]


def test_echoes_alone_can_be_lost(sandbox: Sandbox, caller: Caller, receiver: Receiver) -> None:
    caller.control("webhooks", {"drop": 1, "only": ["message_echoes"]})
    caller.send(sandbox.person().psid)
    sandbox.settle()

    assert receiver.events("message") == []
    assert len(receiver.events("delivery")) == 1


def test_events_are_held_until_flushed(sandbox: Sandbox, caller: Caller, receiver: Receiver) -> None:
    caller.control("webhooks", {"held": True})
    caller.send(sandbox.person().psid)
    sandbox.run(sandbox._world.agenda.run_all)
    assert receiver.posts == []
    assert caller.control("webhooks/flush", {}) == {"delivered": True}
    assert len(receiver.events("message")) == 1


def test_the_echo_can_come_before_the_answer(sandbox: Sandbox, caller: Caller, receiver: Receiver) -> None:
    sandbox.delivery.echo_first = True
    caller.send(sandbox.person().psid)
    assert len(receiver.events("message")) == 1
    caller.batch([caller.part(sandbox.person(index).psid) for index in range(5)])
    assert len(receiver.events("message")) == 6


def test_several_events_share_a_post_and_an_entry(
    sandbox: Sandbox, caller: Caller, receiver: Receiver
) -> None:
    caller.control("webhooks", {"held": True, "events_per_post": 10, "events_per_entry": 4})
    for number in range(20):
        caller.control(f"people/{sandbox.person().psid}/write", {"text": str(number)})
    sandbox.flush()

    assert [len(json.loads(post)["entry"]) for post in receiver.posts] == [3, 3]
    assert [event["message"]["text"] for event in receiver.events()] == [str(number) for number in range(20)]


def test_a_failing_receiver_is_tried_again_and_given_up_after_an_hour(
    sandbox: Sandbox, caller: Caller, receiver: Receiver
) -> None:
    receiver.status = 500
    person = f"people/{sandbox.person().psid}/write"
    caller.control(person, {"text": "one"})
    until(lambda: caller.control("state")["webhooks"]["counts"]["failed_posts"] > 0)
    receiver.status = 200
    assert sandbox.flush()
    assert len(receiver.events()) == 1

    receiver.status = 500
    caller.control(person, {"text": "two"})
    until(lambda: caller.control("state")["webhooks"]["counts"]["failed_posts"] > 1)
    sandbox.clock.move(timedelta(hours=2))
    until(lambda: caller.control("state")["webhooks"]["disabled"])


def test_only_subscribed_fields_are_sent(sandbox: Sandbox, caller: Caller, receiver: Receiver) -> None:
    caller.post(f"{sandbox.page_id}/subscribed_apps", {"subscribed_fields": "message_deliveries"})
    caller.send(sandbox.person().psid)
    sandbox.settle()

    assert [set(event) - {"sender", "recipient", "timestamp"} for event in receiver.events()] == [
        {"delivery"}
    ]


def test_a_template_review_is_told_as_a_change(sandbox: Sandbox, caller: Caller, receiver: Receiver) -> None:
    body = {"name": "mine", "language": "en_US", "library_template_name": "appointment_reminder_1"}
    caller.post(f"{sandbox.page_id}/message_templates", body)
    sandbox.settle()
    [change] = json.loads(receiver.posts[-1])["entry"][0]["changes"]

    assert (change["field"], change["value"]["event"]) == ("message_template_status_update", "APPROVED")


def test_people_behave_by_their_shares(sandbox: Sandbox, caller: Caller, receiver: Receiver) -> None:
    sandbox.people.behaviour = Behaviour(reads=0.8, answers=0.3, reacts=0.2, opts_out=0.1, blocks=0.1)
    for index in range(30):
        for _ in range(3):
            caller.send(sandbox.person(index).psid)
    sandbox.settle()
    answers = [event for event in receiver.events("message") if "is_echo" not in event["message"]]
    summary = caller.control("ledger/summary")

    assert 0.5 * summary["accepted"] < summary["read"] <= summary["delivered"] == summary["accepted"]
    assert answers
    assert receiver.events("reaction")
    assert any(person.blocked for person in sandbox.people)
    assert any(person.opted_out for person in sandbox.people)


def test_receipts_come_by_themselves_on_the_sandbox_clock(
    sandbox: Sandbox, caller: Caller, receiver: Receiver
) -> None:
    sandbox.clock.freeze()
    caller.send(sandbox.person().psid)
    until(lambda: len(receiver.events("message")) == 1)
    assert receiver.events("delivery") == []
    sandbox.clock.move(timedelta(seconds=1))
    until(lambda: len(receiver.events("delivery")) == 1)


class TestInstagram:
    @pytest.fixture
    def sandbox(self) -> Iterator[Sandbox]:
        plan = Behaviour(open_24h=1, open_7d=0, never=0, blocked=0, vanished=0, never_delivered=0, reads=1)
        with Sandbox(contacts=5, platform="instagram", behaviour=plan) as started:
            yield started

    def test_reads_carry_a_mid_and_nothing_is_delivered(
        self, sandbox: Sandbox, caller: Caller, receiver: Receiver
    ) -> None:
        mid = caller.send(sandbox.person().psid).json()["message_id"]
        sandbox.settle()
        objects: set[Any] = {json.loads(post)["object"] for post in receiver.posts}

        assert objects == {"instagram"}
        assert receiver.events("delivery") == []
        assert receiver.events("read")[0]["read"] == {"mid": mid}
        assert receiver.events("message")[0]["message"]["is_echo"] is True
