"""Receipts in any order, late, twice, or before our own result: the same end state."""

from __future__ import annotations

import itertools
import random
from datetime import timedelta

import pytest
from sqlalchemy import select, update

from broadcaster.queue import counting, ledger, receipts
from broadcaster.queue.facts import DeliveredFact, EchoFact, ReadFact, ReceiptFact
from broadcaster.queue.install import install_id
from broadcaster.queue.ledger import ROWS, Taken
from broadcaster.reports.figures import status
from broadcaster.states import DeliveryState
from broadcaster.store import Store
from broadcaster.store.tables import Audience, Campaign, Contact, Delivery, Page
from tests.conftest import NOW
from tests.queue.conftest import PEOPLE
from tests.queue.floor import Floor, Held

SECOND = timedelta(seconds=1)


def on_the_wire(store: Store) -> tuple[str, int, int]:
    """One message under way: (wire key, row id, contact id)."""
    with store.session() as session:
        page = Page(
            graph_id="1", name="P", platform="messenger", graph_url="http://x", graph_version="v26.0",
            connected_at=NOW,
        )  # fmt: skip
        session.add(page)
        session.flush()
        contact = Contact(page_id=page.id, psid="11", created_at=NOW, updated_at=NOW)
        audience = Audience(page_id=page.id, name="A", created_at=NOW, updated_at=NOW)
        session.add_all([contact, audience])
        session.flush()
        campaign = Campaign(
            name="C", page_id=page.id, audience_id=audience.id, permission="standard", message={"text": "x"},
            state="running", created_at=NOW, created_by="t", updated_at=NOW, eligible_at_launch=1,
        )  # fmt: skip
        session.add(campaign)
        session.flush()
        row = Delivery(
            campaign_id=campaign.id, contact_id=contact.id, state="sending", attempt=1, owner="me",
            intent_at=NOW,
        )  # fmt: skip
        session.add(row)
        session.flush()
        return f"{install_id(session.connection())}.{row.id}.1", row.id, contact.id


def test_any_order_gives_the_same_end(store: Store) -> None:
    key, row_id, contact_id = on_the_wire(store)
    facts: list[ReceiptFact | Taken] = [
        EchoFact(key, "m_1", NOW + SECOND, "11"),
        DeliveredFact("11", ("m_1",), NOW + 2 * SECOND),
        ReadFact("11", mid="m_1", at=NOW + 3 * SECOND),
        Taken(row_id, 1, contact_id, "m_1"),
    ]
    start = {"state": "sending", "owner": "me", "message_id": None, "sent_at": None}
    for order in itertools.permutations(facts):
        with store.write() as conn:
            conn.execute(update(ROWS).values(**start, delivered_at=None, read_at=None))
        for fact in order * 2:
            with store.write() as conn:
                if isinstance(fact, Taken):
                    ledger.take(conn, [fact], NOW + SECOND)
                    receipts.early.catch_up(conn, [fact.message_id])
                else:
                    receipts.apply(conn, 1, [fact])
        with store.read() as conn:
            found = conn.execute(select(ROWS.c.state, ROWS.c.message_id, ROWS.c.owner)).one()
            assert tuple(found) == (DeliveryState.READ, "m_1", None), order
            assert counting.counts(conn, 1).adds_up


def test_foreign_messages_change_nothing(store: Store) -> None:
    on_the_wire(store)
    with store.write() as conn:
        receipts.apply(conn, 1, [EchoFact("other.1.1", "m_9", NOW, "11"), EchoFact(None, "m_8", NOW, "11")])
        receipts.apply(conn, 1, [DeliveredFact("99", ("m_9",), NOW)])
    with store.read() as conn:
        assert conn.execute(select(ROWS.c.state)).scalar_one() == DeliveryState.SENDING


def test_a_late_receipt_lifts_a_doubt_and_a_failure(store: Store) -> None:
    on_the_wire(store)
    for state in (DeliveryState.UNCONFIRMED, DeliveryState.FAILED):
        with store.write() as conn:
            conn.execute(update(ROWS).values(state=state, message_id="m_1", error_code=2))
            receipts.apply(conn, 1, [DeliveredFact("11", ("m_1",), NOW + SECOND)])
        with store.read() as conn:
            found = conn.execute(select(ROWS.c.state, ROWS.c.error_code)).one()
            assert tuple(found) == (DeliveryState.DELIVERED, 2)


def receipts_of(floor: Floor, page: int = 1) -> list[ReceiptFact]:
    """What the platform would tell of everything it took: echo, delivery and reading, two minutes later."""
    later, facts = floor.clock.now() + timedelta(minutes=2), list[ReceiptFact]()
    with floor.store.read() as conn:
        graph_id = conn.execute(
            select(Page.__table__.c.graph_id).where(Page.__table__.c.id == page)
        ).scalar_one()  # type: ignore[attr-defined]
    for entry in floor.sandbox._world.pages[graph_id].ledger.entries:
        facts.append(EchoFact(entry.metadata, entry.mid, entry.accepted_at, entry.psid))
        facts.append(DeliveredFact(entry.psid, (entry.mid,), later))
        facts.append(ReadFact(entry.psid, watermark=later, at=later))
    return facts


@pytest.mark.parametrize("seed", range(4))
def test_shuffled_doubled_and_before_our_own_result(any_floor: Floor, seed: int) -> None:
    chance = random.Random(seed)
    any_floor.lanes = held = Held()
    made = any_floor.campaign()
    any_floor.until(lambda: len(held.jobs) == PEOPLE, each=timedelta(milliseconds=100))
    held.go()  # the platform has them, our own result is not written yet
    facts = receipts_of(any_floor) * 2
    chance.shuffle(facts)
    early = chance.randrange(len(facts))
    for part in (facts[:early], None, facts[early:]):
        if part is None:
            any_floor.turns(1)
            continue
        with any_floor.store.write() as conn:
            receipts.apply(conn, 1, part)
    any_floor.finish(made)
    counts = any_floor.counts(made)
    assert (counts.sent, counts.delivered, counts.read) == (PEOPLE, PEOPLE, PEOPLE)
    assert {row.owner for row in any_floor.rows(made)} == {None}


def test_a_watermark_says_nothing_about_what_was_sent_after_it(any_floor: Floor) -> None:
    first = any_floor.campaign("First")
    any_floor.finish(first)
    mark = any_floor.clock.now()
    any_floor.move(timedelta(minutes=1))
    second = any_floor.campaign("Second")
    any_floor.finish(second)
    with any_floor.store.write() as conn:
        receipts.apply(conn, 1, [ReadFact(any_floor.psid(0), watermark=mark, at=mark)])
        receipts.apply(conn, 1, [ReadFact(any_floor.psid(0), watermark=mark - timedelta(hours=2))])
    assert (any_floor.counts(first).read, any_floor.counts(second).read) == (1, 0)


def test_instagram_tells_of_no_delivery_and_the_report_says_so(any_floor: Floor) -> None:
    any_floor.add_page(2, 3, "instagram")
    made = any_floor.campaign(page=2)
    any_floor.finish(made)
    entry = any_floor.sandbox._world.pages[any_floor.page(2).graph_id].ledger.entries[0]
    with any_floor.store.write() as conn:
        receipts.apply(conn, 2, [ReadFact(entry.psid, mid=entry.mid, at=any_floor.clock.now())])
    with any_floor.store.read() as conn:
        found = status(conn, any_floor.get(made), any_floor.clock.now())
    assert (found.counts.sent, found.counts.read) == (3, 1)
    assert "Instagram reports no delivery: a message goes from sent to read." in found.blind_spots
    assert found.adds_up
