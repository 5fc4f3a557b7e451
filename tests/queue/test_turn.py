"""A person's turn: whose window shuts soonest goes first, and every rule is asked again at that moment."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import update

from broadcaster.queue.ledger import CAMPAIGNS, ROWS
from broadcaster.states import CampaignState
from tests.queue.conftest import PEOPLE
from tests.queue.floor import NOW, Floor, Held

QUIET = {"from": "21:00", "to": "08:00", "timezone": "recipient"}


def skipped(floor: Floor, made: int) -> dict[str, str]:
    return {row.psid: row.reason for row in floor.rows(made) if row.state == "skipped"}


def seen(floor: Floor, index: int, at: datetime, **values: Any) -> None:
    floor.change_people([index], last_interaction_at=at, **values)
    floor.sandbox.person(index).last_interaction_ms = int(at.timestamp() * 1000)


def test_the_soonest_closing_window_goes_first(any_floor: Floor) -> None:
    for index in range(PEOPLE):
        seen(any_floor, index, NOW - timedelta(hours=(index * 5) % 12 + 1))
    made = any_floor.campaign(throttle_per_second=10)
    any_floor.finish(made)
    expected = sorted(range(PEOPLE), key=lambda index: -((index * 5) % 12))
    assert any_floor.reached() == [any_floor.psid(index) for index in expected]


def test_two_campaigns_share_the_page_in_turn(floor: Floor) -> None:
    one, two = floor.campaign("One", throttle_per_second=10), floor.campaign("Two", throttle_per_second=10)
    floor.until(lambda: len(floor.reached()) >= 8, each=timedelta(milliseconds=100))
    sent = [floor.counts(made).sent + floor.counts(made).sending for made in (one, two)]
    assert min(sent) >= 3


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"opted_out": True}, "opted_out"),
        ({"unreachable": True}, "unreachable"),
        ({"last_interaction_at": NOW - timedelta(days=2)}, "outside_24h"),
    ],
)
def test_who_may_not_be_written_to_any_more_is_skipped_with_the_rule(
    any_floor: Floor, change: dict[str, Any], reason: str
) -> None:
    made = any_floor.campaign()
    any_floor.change_people([4, 7], **change)
    any_floor.finish(made)
    assert skipped(any_floor, made) == {any_floor.psid(4): reason, any_floor.psid(7): reason}
    assert any_floor.counts(made).sent == PEOPLE - 2 == len(any_floor.reached())


def test_who_opts_out_between_lease_and_call_gets_nothing(floor: Floor) -> None:
    """The last look is taken in the transaction that notes the intent."""
    image = {"attachment": {"type": "image", "url": "https://example.org/a.png"}}
    text, made = floor.campaign("Text"), floor.campaign("Image", message=image)
    leased: set[str] = set()
    while not leased:
        floor.turns(1, timedelta(milliseconds=60))
        leased = {row.psid for row in floor.rows(made) if row.state == "leased"}
    already = {entry.psid for entry in floor.sandbox.ledger() if entry.kind == "image"}
    psid = min(leased - already)
    floor.change_people([index for index in range(PEOPLE) if floor.psid(index) == psid], opted_out=True)
    floor.finish(text, made)
    assert skipped(floor, made) == {psid: "opted_out"}
    assert psid not in [entry.psid for entry in floor.sandbox.ledger() if entry.kind == "image"]


def test_a_window_that_shuts_between_launch_and_turn(floor: Floor) -> None:
    for index in range(6):
        seen(floor, index, NOW - timedelta(hours=23, minutes=58))
    made = floor.campaign(throttle_per_second=1)
    floor.move(timedelta(minutes=2))
    floor.finish(made)
    assert skipped(floor, made) == {floor.psid(index): "outside_24h" for index in range(6)}


def test_the_reply_brake_takes_out_who_writes_meanwhile(any_floor: Floor) -> None:
    braked = any_floor.campaign("Braked", reply_brake=True)
    free = any_floor.campaign("Free")
    any_floor.change_people([5], last_message_at=NOW + timedelta(seconds=1))
    any_floor.change_people([6], last_message_at=NOW - timedelta(minutes=1))
    any_floor.finish(braked, free)
    assert skipped(any_floor, braked) == {any_floor.psid(5): "replied"}
    assert skipped(any_floor, free) == {}


# -- quiet hours


def test_quiet_hours_postpone_to_their_end_where_each_person_lives(any_floor: Floor) -> None:
    for index, zone in ((0, "Asia/Tokyo"), (1, "Europe/Berlin"), (2, "+05:30")):
        any_floor.change_people([index], timezone=zone)
    made = any_floor.campaign(quiet_hours=QUIET)
    assert any_floor.get(made).reasons_at_launch == {"quiet_hours": 1}  # 21:00 in Tokyo at the launch itself
    with any_floor.store.write() as conn:
        conn.execute(update(ROWS).values(due_at=NOW + timedelta(hours=4)))  # 16:00 UTC: 21:30 at +05:30
    any_floor.move(timedelta(hours=4))
    any_floor.until(lambda: any_floor.counts(made).sent == PEOPLE - 2, each=timedelta(milliseconds=100))
    any_floor.turns(3)
    waiting = [row for row in any_floor.rows(made) if row.state == "waiting"]
    assert [row.psid for row in waiting] == [any_floor.psid(2)]
    assert waiting[0].due_at == datetime(2026, 11, 21, 2, 30, tzinfo=UTC)  # 08:00 at +05:30
    any_floor.until(lambda: any_floor.get(made).state == CampaignState.FINISHED, each=timedelta(minutes=20))
    assert any_floor.counts(made).sent == PEOPLE - 1


def test_quiet_hours_skip_where_the_window_shuts_before_they_end(floor: Floor) -> None:
    made = floor.campaign(quiet_hours={"from": "12:01", "to": "12:30", "timezone": "UTC"})
    seen(floor, 3, NOW - timedelta(hours=23, minutes=45))
    with floor.store.write() as conn:
        person = next(row.id for row in floor.rows(made) if row.psid == floor.psid(3))
        soon = NOW + timedelta(minutes=15)
        conn.execute(update(ROWS).where(ROWS.c.id == person).values(window_closes_at=soon))
    floor.move(timedelta(minutes=5))
    floor.until(lambda: floor.get(made).state == CampaignState.FINISHED, each=timedelta(minutes=1))
    assert skipped(floor, made) == {floor.psid(3): "quiet_hours"}
    assert floor.counts(made).sent == PEOPLE - 1


# -- frequency cap


def test_the_cap_counts_what_was_sent_since_the_approval(any_floor: Floor) -> None:
    capped = any_floor.campaign("Capped", frequency_cap={"max": 1, "per": "7d"}, launched=True)
    first = any_floor.campaign("First", throttle_per_second=300)
    with any_floor.store.write() as conn:
        later = NOW + timedelta(seconds=40)
        conn.execute(update(ROWS).where(ROWS.c.campaign_id == capped).values(due_at=later))
    any_floor.finish(first)
    any_floor.finish(capped)
    assert set(skipped(any_floor, capped).values()) == {"frequency_cap"}
    assert any_floor.counts(capped).skipped == PEOPLE == len(any_floor.reached())


def test_the_cap_waits_for_what_is_on_its_way(any_floor: Floor) -> None:
    """Somebody whose other message is on the wire is not written to until it is known whether it arrived."""
    any_floor.lanes = held = Held()
    any_floor.campaign("First")
    any_floor.until(lambda: len(held.jobs) == PEOPLE, each=timedelta(milliseconds=100))
    capped = any_floor.campaign("Capped", frequency_cap={"max": 1, "per": "7d"})
    any_floor.turns(5)
    assert any_floor.counts(capped).waiting == PEOPLE
    held.go()
    any_floor.until(lambda: any_floor.get(capped).state == CampaignState.FINISHED)
    assert any_floor.counts(capped).skipped == PEOPLE


def test_the_cap_lets_in_after_its_span(floor: Floor) -> None:
    first = floor.campaign("First")
    floor.finish(first)
    floor.move(timedelta(hours=2))
    second = floor.campaign("Second", frequency_cap={"max": 1, "per": "1h"})
    floor.finish(second)
    assert floor.counts(second).sent == PEOPLE
    third = floor.campaign("Third", frequency_cap={"max": 2, "per": "1d"})
    assert floor.get(third).reasons_at_launch == {"frequency_cap": PEOPLE}


def test_a_campaign_that_cannot_be_decided_any_more_holds_up_no_other(any_floor: Floor) -> None:
    broken = any_floor.campaign("Broken", throttle_per_second=5)
    fine = any_floor.campaign("Fine")
    with any_floor.store.write() as conn:
        conn.execute(update(CAMPAIGNS).where(CAMPAIGNS.c.id == broken).values(exclude=["Gone"]))
    any_floor.finish(fine)
    row = any_floor.get(broken)
    assert (row.state, row.pause_cause) == ("paused", "changed")
    assert "Gone" in str(row.pause_text)
    assert any_floor.counts(broken).waiting == PEOPLE
