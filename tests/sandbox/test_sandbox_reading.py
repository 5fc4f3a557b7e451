"""Conversations, profiles, tokens and Pages as a program reads them."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from typing import Any

import pytest
import requests

from broadcaster.sandbox import Behaviour, Fault, Sandbox
from tests.sandbox.sandbox_http import Caller, refused

NESTED = "participants,updated_time,can_reply,messages.limit(5){id,created_time,from,to,message}"


def pages_of(caller: Caller, limit: int, **params: Any) -> list[dict[str, Any]]:
    caller.control("page", {"limits": {"enforced": False}})
    answer = caller.get(f"{caller.page_id}/conversations", limit=limit, **params).json()
    rows = list(answer["data"])
    while "next" in answer.get("paging", {}):
        answer = caller.http.get(answer["paging"]["next"], headers=caller._headers(), timeout=10).json()
        rows += answer["data"]
    return rows


def test_every_conversation_once_newest_first(sandbox: Sandbox, caller: Caller) -> None:
    for person in list(sandbox.people)[10:14]:
        caller.send(person.psid)
    rows = pages_of(caller, 7, fields="updated_time,participants")

    assert len({row["id"] for row in rows}) == len(rows) == 30
    assert [row["updated_time"] for row in rows] == sorted(
        (row["updated_time"] for row in rows), reverse=True
    )
    assert {row["participants"]["data"][0]["id"] for row in rows[:4]} == {
        person.psid for person in list(sandbox.people)[10:14]
    }


def test_messages_nested_in_the_listing_tell_when_the_person_wrote(sandbox: Sandbox, caller: Caller) -> None:
    person = sandbox.person(3)
    caller.send(person.psid, "From the Page")
    [row] = caller.get(f"{sandbox.page_id}/conversations", user_id=person.psid, fields=NESTED).json()["data"]
    ours, theirs = row["messages"]["data"]

    assert (ours["message"], ours["from"]["id"], ours["to"]["data"][0]["id"]) == (
        "From the Page",
        sandbox.page_id,
        person.psid,
    )
    assert theirs["from"]["id"] == person.psid
    wrote = datetime.strptime(theirs["created_time"], "%Y-%m-%dT%H:%M:%S%z")
    assert wrote == datetime.fromtimestamp(person.last_interaction_ms // 1000, UTC)
    assert row["can_reply"] is True


def test_only_the_twenty_newest_can_be_read(sandbox: Sandbox, caller: Caller) -> None:
    psid = sandbox.person().psid
    mids = [caller.send(psid, f"number {number}").json()["message_id"] for number in range(25)]
    [row] = caller.get(
        f"{sandbox.page_id}/conversations", user_id=psid, fields="message_count,messages.limit(50){message}"
    ).json()["data"]

    assert row["message_count"] == 26
    assert [message["id"] for message in row["messages"]["data"]] == mids[:4:-1]
    assert caller.get(mids[-1], fields="message").json()["message"] == "number 24"
    assert refused(caller.get(mids[0])) == (9000001, None)
    thread = caller.get(row["id"], fields="messages.limit(1){message}").json()
    assert thread["messages"]["data"][0]["message"] == "number 24"


def test_the_other_platform_and_unknown_people_have_no_conversations(
    sandbox: Sandbox, caller: Caller
) -> None:
    path = f"{sandbox.page_id}/conversations"
    assert caller.get(path, platform="instagram").json() == {"data": []}
    assert caller.get(path, user_id="99").json() == {"data": []}


@pytest.mark.parametrize("fields", ["messages{id", "a b c", "nonsense", "messages.limit(2){id}}"])
def test_fields_that_cannot_be_read(sandbox: Sandbox, caller: Caller, fields: str) -> None:
    assert refused(caller.get(f"{sandbox.page_id}/conversations", fields=fields))[0] == 100


def test_profiles_and_their_refusals(sandbox: Sandbox, caller: Caller) -> None:
    person = sandbox.person()
    profile = caller.get(person.psid, fields="first_name,last_name,locale,timezone").json()
    assert (profile["first_name"], profile["locale"]) == (person.first_name, person.locale)
    assert isinstance(profile["timezone"], float)

    caller.control(f"people/{sandbox.person(1).psid}/change", {"no_profile": "phone"})
    caller.control(f"people/{sandbox.person(2).psid}/change", {"no_profile": "consent"})
    assert refused(caller.get(sandbox.person(1).psid)) == (2018218, None)
    assert refused(caller.get(sandbox.person(2).psid)) == (100, 33)
    assert refused(caller.get("12345")) == (100, 33)


@pytest.mark.parametrize(
    ("path", "token", "expected"),
    [
        ("me/messages", "", (2500, None)),
        ("me/messages", "nonsense", (190, None)),
        ("v26.0/999/messages", "page", (100, 33)),
        ("v27.0/me", "page", (2500, None)),
        ("v26.0/me/messages", "user", (100, 33)),
    ],
)
def test_calls_without_the_right_token_or_path(
    sandbox: Sandbox, path: str, token: str, expected: tuple[int, int | None]
) -> None:
    text = {"page": sandbox.page_token, "user": sandbox.user_token}.get(token, token)
    assert (
        refused(requests.post(f"{sandbox.url}/{path}", data={"access_token": text}, timeout=10)) == expected
    )


def test_the_proof_is_checked_when_given(sandbox: Sandbox, caller: Caller) -> None:
    right = sandbox._world.proof(sandbox.page_token)
    assert caller.get("me", appsecret_proof=right).status_code == 200
    assert refused(caller.get("me", appsecret_proof="00")) == (104, None)


def test_debug_token_tells_of_life_and_death(sandbox: Sandbox, caller: Caller) -> None:
    def inspect() -> dict[str, Any]:
        app = f"{sandbox.app_id}|{sandbox.app_secret}"
        answer = requests.get(
            f"{sandbox.url}/v26.0/debug_token",
            params={"input_token": sandbox.page_token, "access_token": app},
            timeout=10,
        )
        data: dict[str, Any] = answer.json()["data"]
        return data

    alive = inspect()
    assert (alive["is_valid"], alive["type"], alive["profile_id"], alive["expires_at"]) == (
        True,
        "PAGE",
        sandbox.page_id,
        0,
    )
    assert "pages_messaging" in alive["scopes"]
    assert caller.get("debug_token", input_token=caller.token).json()["data"]["is_valid"] is True
    sandbox.revoke_token()
    dead = inspect()
    assert (dead["is_valid"], dead["error"]["code"], dead["error"]["subcode"]) == (False, 190, 460)


def test_accounts_list_every_page_with_its_token(sandbox: Sandbox) -> None:
    other = sandbox.add_page(3, "instagram", page_name="the.other")
    rows = requests.get(
        f"{sandbox.url}/v26.0/me/accounts", params={"access_token": sandbox.user_token}, timeout=10
    ).json()["data"]

    assert [row["id"] for row in rows] == [sandbox.page_id, other.id]
    assert rows[0]["access_token"] == sandbox.page_token
    assert "MESSAGING" in rows[0]["tasks"]


def test_accounts_are_paged(sandbox: Sandbox) -> None:
    sandbox.add_page(1)
    path, params = f"{sandbox.url}/v26.0/me/accounts", {"access_token": sandbox.user_token, "limit": "1"}
    first = requests.get(path, params=params, timeout=10).json()
    rest = requests.get(first["paging"]["next"], params=params, timeout=10).json()

    assert [row["id"] for row in first["data"] + rest["data"]] == list(sandbox._world.pages)
    assert "next" not in rest["paging"]


def test_a_reading_may_lag_behind(sandbox: Sandbox, caller: Caller) -> None:
    psid = sandbox.person().psid
    caller.control("page", {"reading_lag_seconds": 20})
    caller.send(psid, "just now")

    def texts() -> list[str]:
        query = {"user_id": psid, "fields": "messages{message}"}
        [row] = caller.get(f"{sandbox.page_id}/conversations", **query).json()["data"]
        return [message["message"] for message in row["messages"]["data"]]

    assert "just now" not in texts()
    sandbox.clock.move(timedelta(seconds=21))
    assert texts()[0] == "just now"


def test_reading_a_conversation_can_fail_by_order(sandbox: Sandbox, caller: Caller) -> None:
    psid = sandbox.person(2).psid
    sandbox.faults.order(Fault("error", target="conversations", psid=psid, code=-1, count=1))
    path = f"{sandbox.page_id}/conversations"

    assert caller.get(path, user_id=sandbox.person().psid).status_code == 200
    assert refused(caller.get(path, user_id=psid)) == (-1, None)


def test_two_pages_do_not_know_each_others_people(sandbox: Sandbox) -> None:
    other = Caller(sandbox, sandbox.add_page(3))

    assert refused(other.send(sandbox.person().psid)) == (100, 2018001)
    assert other.send(other.sandbox._world.pages[other.page_id].people.at(0).psid).status_code == 200
    assert other.control(f"ledger/summary?page={other.page_id}")["accepted"] == 1
    assert sandbox.ledger() == []
    other.http.close()


def test_subscribing_needs_known_fields(sandbox: Sandbox, caller: Caller) -> None:
    path = f"{sandbox.page_id}/subscribed_apps"
    assert caller.get(path).json() == {"data": []}
    assert caller.post(path, {"subscribed_fields": "messages,message_reads"}).json() == {"success": True}
    assert caller.get(path).json()["data"][0]["subscribed_fields"] == ["message_reads", "messages"]
    assert refused(caller.post(path, {"subscribed_fields": "gossip"})) == (100, None)


def test_a_file_is_uploaded_in_advance(sandbox: Sandbox, caller: Caller) -> None:
    message = {
        "attachment": {"type": "image", "payload": {"url": "https://example.org/a.png", "is_reusable": True}}
    }
    kept = caller.post(f"{sandbox.page_id}/message_attachments", {"message": message}).json()["attachment_id"]
    use = {"attachment": {"type": "image", "payload": {"attachment_id": kept}}}

    assert caller.send(sandbox.person().psid, message=use).status_code == 200


def test_another_app_may_hold_the_thread(sandbox: Sandbox, caller: Caller) -> None:
    psid = sandbox.person().psid
    owner = caller.get(f"{sandbox.page_id}/thread_owner", recipient=psid).json()["data"][0]["thread_owner"]
    assert owner == {"app_id": sandbox.app_id}
    caller.control(f"people/{psid}/change", {"controlled_by": "42"})
    assert refused(caller.send(psid)) == (2018300, None)


def test_answers_carry_the_worlds_date(sandbox: Sandbox, caller: Caller) -> None:
    sandbox.clock.move(timedelta(days=400))
    date = parsedate_to_datetime(caller.get("me").headers["Date"])

    assert abs(date - sandbox.clock.now()) < timedelta(seconds=3)


def test_the_same_seed_makes_the_same_people_and_another_does_not() -> None:
    def names(seed: int) -> list[tuple[str, str]]:
        return [(person.psid, person.name) for person in Sandbox(contacts=50, seed=seed).people]

    assert names(1) == names(1)
    assert names(1) != names(2)


def test_people_stand_where_the_behaviour_put_them() -> None:
    now = datetime(2026, 11, 20, tzinfo=UTC)
    sandbox = Sandbox(
        contacts=4000, now=now, behaviour=Behaviour(open_24h=0.5, open_7d=0.3, never=0.1, guests=0.1)
    )
    ages = [(sandbox.clock.ms() - person.last_interaction_ms) / 3_600_000 for person in sandbox.people]
    never = sum(not person.last_interaction_ms for person in sandbox.people)

    assert 0.46 < sum(age < 24 for age in ages) / 4000 < 0.54
    assert 0.26 < sum(24 <= age < 168 for age in ages) / 4000 < 0.34
    assert 0.08 < never / 4000 < 0.12
    assert 0.08 < sum(not person.name for person in sandbox.people) / 4000 < 0.12
