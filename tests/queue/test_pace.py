"""The pace as the platform sees it, and the surroundings the calls go through."""

from __future__ import annotations

from collections import deque
from datetime import timedelta

import pytest

from broadcaster.campaigns.definition import parse_campaign
from broadcaster.errors import BadInput
from broadcaster.queue.pacing import MEDIA_CEILING, TEXT_CEILING
from tests.queue.conftest import PEOPLE
from tests.queue.floor import Floor

IMAGE = {"attachment": {"type": "image", "url": "https://example.org/a.png"}}
STEP = timedelta(milliseconds=20)


def busiest_second(floor: Floor, kind: str | None = None) -> int:
    """The most messages that the platform took within any second of its clock."""
    most, last = 0, deque[int]()
    for entry in floor.sandbox.ledger():
        if kind is None or entry.kind == kind:
            last.append(entry.accepted_ms)
            while last[0] <= entry.accepted_ms - 1000:
                last.popleft()
            most = max(most, len(last))
    return most


@pytest.mark.parametrize("throttle", [3, 5])
def test_no_second_holds_more_than_the_campaign_may_send(floor: Floor, throttle: int) -> None:
    made = floor.campaign(throttle_per_second=throttle)
    floor.until(lambda: len(floor.reached()) == PEOPLE, each=STEP)
    assert busiest_second(floor) <= throttle
    floor.finish(made)


def test_senders_killed_one_after_another_do_not_add_up(floor: Floor) -> None:
    """Each new one counts what the one before it sent in the last second."""
    made = floor.campaign(throttle_per_second=5)
    while len(sent := floor.reached()) < PEOPLE:
        floor.until(lambda sent=sent: len(floor.reached()) > len(sent), each=STEP)  # type: ignore[misc]
        floor.crash()
    assert busiest_second(floor) <= 5
    floor.finish(made)


def test_all_campaigns_of_a_page_share_its_pace(floor: Floor) -> None:
    floor.change_page(throttle_per_second=4)
    made = [floor.campaign(f"C{number}", throttle_per_second=200) for number in range(3)]
    floor.until(lambda: len(floor.reached()) == 3 * PEOPLE, most=1000, each=STEP)
    assert busiest_second(floor) <= 4
    floor.finish(*made)


def test_a_slow_campaign_beside_a_fast_one_keeps_its_own_pace(floor: Floor) -> None:
    slow, fast = floor.campaign("Slow", throttle_per_second=1), floor.campaign("Fast", throttle_per_second=30)
    floor.turns(100, STEP)
    assert floor.counts(fast).sent == PEOPLE
    assert floor.counts(slow).sent + floor.counts(slow).sending <= 3


def test_images_go_at_most_ten_a_second(floor: Floor) -> None:
    first, second = (floor.campaign(name, message=IMAGE, throttle_per_second=300) for name in ("One", "Two"))
    floor.until(lambda: len(floor.reached()) == 2 * PEOPLE, most=1000, each=STEP)
    assert busiest_second(floor, "image") <= MEDIA_CEILING == 10
    assert {entry.call for entry in floor.sandbox.ledger()} == {"single"}
    floor.finish(first, second)


def test_above_forty_a_second_messages_go_in_batches(floor: Floor) -> None:
    single, batch = floor.campaign("Single", throttle_per_second=40), None
    floor.finish(single)
    assert {entry.call for entry in floor.sandbox.ledger()} == {"single"}
    batch = floor.campaign("Batch", throttle_per_second=41)
    floor.finish(batch)
    assert {entry.call for entry in floor.sandbox.ledger()} == {"single", "batch"}


def test_nobody_can_ask_for_more_than_the_platform_takes() -> None:
    given = {"name": "C", "page": "1", "audience": "A", "permission": "standard", "message": {"text": "x"}}
    assert parse_campaign({**given, "throttle_per_second": TEXT_CEILING}).throttle_per_second == 300
    with pytest.raises(BadInput, match="at most 300"):
        parse_campaign({**given, "throttle_per_second": 301})


def test_a_proxy_of_this_machine_does_not_stand_between_it_and_itself(
    floor: Floor, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("HTTP_PROXY", "http_proxy", "HTTPS_PROXY", "ALL_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    made = floor.campaign()
    floor.finish(made)
    assert floor.counts(made).sent == PEOPLE


def test_the_surroundings_are_read_once_and_not_again_by_each_call(
    floor: Floor, monkeypatch: pytest.MonkeyPatch
) -> None:
    wire = floor.client()._wire
    before = wire._session().verify
    assert wire._session().trust_env is False
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", "/nowhere.pem")
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:9")
    assert wire._session().verify == before
    made = floor.campaign()
    floor.finish(made)


def test_a_pace_slowed_by_the_platform_becomes_whole_again(floor: Floor) -> None:
    floor.sandbox.page.limits.page_usage.call_count = 95
    made = floor.campaign(throttle_per_second=10)
    floor.turns(2)
    assert floor.page().usage_percent == 95
    floor.sandbox.page.limits.page_usage.call_count = 0
    floor.finish(made)
    assert floor.page().usage_percent == 0
