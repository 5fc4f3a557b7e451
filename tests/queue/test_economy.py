"""What the sender saves must change nothing: people leased ahead, answers gathered, statements made once."""

from __future__ import annotations

from datetime import timedelta

import pytest
from sqlalchemy import bindparam, event, select, update

from broadcaster.graph.outcomes import Accepted
from broadcaster.graph.usage import Usage
from broadcaster.queue.engine import _Back, _telling
from broadcaster.queue.lane import LEASED_AHEAD, MOST_LANES, PageLane
from broadcaster.queue.ledger import ROWS
from broadcaster.queue.pacing import MEDIA_CEILING
from broadcaster.queue.prepared import Prepared, PreparedQuery
from broadcaster.queue.sender import GATHER_SECONDS
from broadcaster.queue.wire import Answers, Outgoing
from broadcaster.states import CampaignState, DeliveryState
from tests.queue.floor import Floor, Held


def outgoing(number: int, campaign: int = 1, media: bool = False) -> Outgoing:
    return Outgoing(
        id=number, campaign_id=campaign, contact_id=number, psid=str(number), attempt=1, retries=0,
        wire_key=f"i.{number}.1", body={"text": "Hi"}, messaging_type="UPDATE", tag=None, text_hash="",
        shown_hash="", media=media,
    )  # fmt: skip


# -- one update for many rows


def test_a_prepared_update_changes_each_row_with_its_own_values(any_floor: Floor) -> None:
    made = any_floor.campaign()
    prepared = Prepared(
        update(ROWS)
        .where(ROWS.c.id == bindparam("b_id"), ROWS.c.state == DeliveryState.WAITING)
        .values(
            state=DeliveryState.LEASED, owner=bindparam("b_owner"), wire_key=bindparam("b_key"), reason=None
        ),
        "b_owner", "b_id",
    )  # fmt: skip
    ids = [row.id for row in any_floor.rows(made)]
    with any_floor.store.write() as conn:
        changed = prepared.run(conn, [(f"o{id_}", id_) for id_ in [*ids[:3], 999_999]], b_key="k")
        again = prepared.run(conn, [("late", ids[0])], b_key="l")
    assert (changed, again) == (3, 0)
    rows = any_floor.rows(made)
    assert [row.owner for row in rows] == [f"o{id_}" for id_ in ids[:3]] + [None] * (len(ids) - 3)
    assert {row.state for row in rows[:3]} == {DeliveryState.LEASED}
    assert [row.wire_key for row in rows[:4]] == ["k", "k", "k", None]


def test_a_prepared_question_answers_with_what_is_stored_now(any_floor: Floor) -> None:
    made = any_floor.campaign()
    query = PreparedQuery(
        select(ROWS.c.id, ROWS.c.state)
        .where(ROWS.c.campaign_id == bindparam("b_campaign"), ROWS.c.state != DeliveryState.SENT)
        .order_by(ROWS.c.id)
        .limit(2)
    )
    first, second, third = any_floor.rows(made)[:3]
    with any_floor.store.read() as conn:
        assert query.rows(conn, b_campaign=made) == [(first.id, "waiting"), (second.id, "waiting")]
        assert query.rows(conn, b_campaign=made + 1) == []
    with any_floor.store.write() as conn:
        conn.execute(update(ROWS).where(ROWS.c.id == second.id).values(state=DeliveryState.SENT))
        assert [row[0] for row in query.rows(conn, b_campaign=made)] == [first.id, third.id]


# -- leasing ahead


@pytest.mark.parametrize("limit", [0.5, 10, 40, 300])
def test_people_are_leased_for_a_second_at_most(limit: float) -> None:
    lane = PageLane(1)
    assert lane.wanting(limit, media=False) == max(lane.wave(limit, False), round(limit * LEASED_AHEAD))


def test_nobody_is_leased_while_a_whole_wave_is_at_hand() -> None:
    lane = PageLane(1)
    lane.leased.extend(outgoing(number) for number in range(lane.wave(300, False)))
    assert lane.wanting(300, media=False) == 0


@pytest.mark.parametrize(
    ("limit", "batch", "calls"),
    [
        (300, 50, [50, 50]),
        (240, 50, [50, 50]),
        (200, 50, [50]),
        (100, 50, [34]),
        (300, 25, [25] * 4),
        (41, 50, [14]),
    ],
)
def test_a_wave_is_a_third_of_a_second_in_full_batches(limit: float, batch: int, calls: list[int]) -> None:
    lane = PageLane(1, batch=batch, latency=2.0)
    wave = [outgoing(number) for number in range(lane.ready_for(limit, media=False))]
    assert [len(call) for call in lane.calls_of(wave, limit)] == calls


def test_no_more_goes_than_calls_are_free_and_files_and_slow_paces_go_one_by_one() -> None:
    lane = PageLane(1, latency=2.0)
    lane.calls = MOST_LANES - 1
    assert lane.ready_for(300, media=False) == lane.batch
    lane.calls = 0
    assert [len(call) for call in lane.calls_of([outgoing(1), outgoing(2)], 40)] == [1, 1]
    file = outgoing(3)._replace(media=True)
    assert [len(call) for call in lane.calls_of([file, file], 300)] == [1, 1]
    assert lane.calls_of([], 300) == []


def test_files_are_leased_at_their_own_slower_pace() -> None:
    assert PageLane(1).wanting(300, media=True) == MEDIA_CEILING * LEASED_AHEAD


def test_people_leased_ahead_who_stop_messages_get_none(floor: Floor) -> None:
    made = floor.campaign(throttle_per_second=10)
    floor.turns(1, timedelta())
    last = len(floor.rows(made)) - 1
    leased = [row.psid for row in floor.rows(made) if row.state == DeliveryState.LEASED]
    assert leased, "nobody was leased ahead"
    stopped = [index for index in range(last + 1) if floor.psid(index) in leased]
    floor.change_people(stopped, opted_out=True)
    floor.finish(made)
    assert not set(leased) & set(floor.reached())


def test_a_campaign_ends_while_another_of_its_page_goes_on(floor: Floor) -> None:
    small = floor.campaign("Small", throttle_per_second=10)
    floor.turns(2)
    large = floor.campaign("Large", throttle_per_second=0.2)
    floor.until(lambda: floor.get(small).state == CampaignState.FINISHED, 20)
    assert floor.get(large).state == CampaignState.RUNNING


# -- answers written together


def test_answers_that_come_together_are_written_in_one_transaction(floor: Floor) -> None:
    made = floor.campaign(throttle_per_second=40)
    floor.lanes = Held()
    floor.turns(1, timedelta())
    on_the_wire = floor.engine.on_the_wire
    assert on_the_wire > 1
    commits: list[object] = []

    def note(connection: object) -> None:
        commits.append(connection)

    event.listen(floor.store.engine, "commit", note)
    floor.lanes.go()
    floor.engine.drain()
    event.remove(floor.store.engine, "commit", note)
    assert len(commits) == 1
    assert floor.counts(made).sent == on_the_wire


def test_the_sender_gathers_answers_a_moment_and_then_only_writes(floor: Floor) -> None:
    floor.campaign(throttle_per_second=10)
    floor.lanes = Held()
    sender = floor.sender()
    sender.engine.tick()
    began = floor.clock.monotonic()
    sender._answered(last=False)
    sender._answered(last=False)
    assert sender._sleep(began + 10) is False
    assert floor.clock.monotonic() - began == pytest.approx(GATHER_SECONDS)
    began = floor.clock.monotonic()
    sender._answered(last=False)
    sender._answered(last=True)
    assert sender._sleep(began + 10) is False
    assert floor.clock.monotonic() == began


def test_only_the_last_call_under_way_says_so(floor: Floor) -> None:
    floor.campaign(throttle_per_second=40)
    floor.lanes = Held()
    sender = floor.sender()
    said: list[bool] = []
    sender.engine._wake = said.append
    sender.engine.tick()
    floor.lanes.go()
    assert said == [False] * (len(said) - 1) + [True]
    assert len(said) > 1


def test_the_sender_looks_for_more_when_only_an_answer_can_bring_it(floor: Floor) -> None:
    floor.campaign(throttle_per_second=300)
    floor.lanes = Held()
    sender = floor.sender()
    sender.engine.tick()  # everybody is on the wire: what comes next depends on the answers
    while not sender.engine.starved:
        floor.move(timedelta(seconds=0.1))
        sender.engine.tick()
    sender._answered(last=True)
    assert sender._sleep(floor.clock.monotonic() + 10) is True


def test_a_kick_is_heeded_at_once(floor: Floor) -> None:
    sender = floor.sender()
    sender.kick()
    began = floor.clock.monotonic()
    assert sender._sleep(began + 10) is True
    assert floor.clock.monotonic() == began


# -- what the headers told


def back(answers: Answers, page: int = 1) -> _Back:
    return _Back(page, [outgoing(1)], answers, 0.1)


def test_of_many_answers_the_one_that_asks_for_most_is_heard() -> None:
    accepted = [Accepted("m", None)]
    calm, busy = Answers(list(accepted), Usage(10)), Answers(list(accepted), Usage(85))
    wait, fault = Answers(list(accepted), Usage(50, 5)), Answers(list(accepted), fault="no token")
    assert _telling([back(busy), back(calm)]) == {1: busy}
    assert _telling([back(wait), back(busy)]) == {1: wait}
    assert _telling([back(fault), back(wait), back(busy, page=2)]) == {1: fault, 2: busy}
