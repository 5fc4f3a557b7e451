"""Too fast: calls per second, the daily budget, the frozen inbox, the usage headers."""

from __future__ import annotations

import json
from collections.abc import Iterator

import pytest

from broadcaster.sandbox import Behaviour, Sandbox
from tests.sandbox.sandbox_http import Caller, refused


@pytest.fixture
def sandbox() -> Iterator[Sandbox]:
    """One whose seconds stand still, so that a slow machine changes nothing."""
    with Sandbox(contacts=30, seed=5, behaviour=Behaviour.quiet()) as started:
        started.page.limits.seconds = lambda: 100.0
        yield started


def test_more_calls_than_a_second_holds_are_refused(sandbox: Sandbox, caller: Caller) -> None:
    caller.control("page", {"limits": {"per_second": {"text": 10}, "regain_minutes": 2}})
    answers = [caller.send(person.psid) for person in list(sandbox.people)[:15]]

    assert [answer.status_code for answer in answers[:11]] == [200] * 11
    assert {refused(answer) for answer in answers[11:]} == {(613, None)}
    usage = json.loads(answers[-1].headers["X-Business-Use-Case-Usage"])[sandbox.page_id][0]
    assert usage["estimated_time_to_regain_access"] == 2
    assert caller.control("ledger/summary")["peak_per_second"]["accepted"] == 11


def test_a_batch_counts_each_of_its_parts(sandbox: Sandbox, caller: Caller) -> None:
    caller.control("page", {"limits": {"per_second": {"text": 10}}})
    rows = caller.batch([caller.part(person.psid) for person in list(sandbox.people)[:20]]).json()

    assert [row["code"] for row in rows] == [200] * 11 + [400] * 9


def test_audio_and_video_have_the_small_limit(sandbox: Sandbox, caller: Caller) -> None:
    message = {"attachment": {"type": "video", "payload": {"url": "https://example.org/a.mp4"}}}
    answers = [caller.send(person.psid, message=message) for person in list(sandbox.people)[:13]]

    assert [answer.status_code for answer in answers].count(200) == 11


def test_conversations_may_be_asked_twice_a_second(sandbox: Sandbox, caller: Caller) -> None:
    path = f"{sandbox.page_id}/conversations"
    answers = [caller.get(path) for _ in range(4)]

    assert [answer.status_code for answer in answers] == [200, 200, 200, 400]
    assert refused(answers[3])[0] == 613


def test_the_inbox_freezes_above_forty_a_second_but_single_conversations_work(
    sandbox: Sandbox, caller: Caller
) -> None:
    psid = sandbox.person().psid
    caller.batch([caller.part(psid) for _ in range(45)])
    path = f"{sandbox.page_id}/conversations"

    assert refused(caller.get(path)) == (2, None)
    assert len(caller.get(path, user_id=psid).json()["data"]) == 1


def test_the_day_has_a_budget_by_people(sandbox: Sandbox, caller: Caller) -> None:
    sandbox.run(lambda: sandbox.page.limits._hours.update({sandbox.clock.ms() // 3_600_000: 200 * 30}))

    assert caller.send(sandbox.person().psid).status_code == 200
    sandbox.run(lambda: sandbox.page.limits._hours.update({sandbox.clock.ms() // 3_600_000: 202 * 30}))
    assert refused(caller.send(sandbox.person().psid)) == (80006, None)


def test_usage_can_be_set_and_is_silent_before(sandbox: Sandbox, caller: Caller) -> None:
    psid = sandbox.person().psid
    assert "X-App-Usage" not in caller.send(psid).headers
    caller.control(
        "page", {"app_usage": {"call_count": 85}, "page_usage": {"call_count": 91, "total_time": 3}}
    )
    headers = caller.send(psid).headers

    assert json.loads(headers["X-App-Usage"]) == {"call_count": 85, "total_cputime": 0, "total_time": 0}
    assert json.loads(headers["X-Business-Use-Case-Usage"])[sandbox.page_id][0]["call_count"] == 91


def test_limits_can_be_switched_off(sandbox: Sandbox, caller: Caller) -> None:
    caller.control("page", {"limits": {"enforced": False}})
    path = f"{sandbox.page_id}/conversations"

    assert [caller.get(path).status_code for _ in range(6)] == [200] * 6
