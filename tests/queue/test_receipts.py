"""Receipts in any order, late, twice, or before our own result: the same end state."""

from __future__ import annotations

import itertools
from datetime import timedelta

from sqlalchemy import select, update

from broadcaster.queue import counting, ledger, receipts
from broadcaster.queue.facts import DeliveredFact, EchoFact, ReadFact, ReceiptFact
from broadcaster.queue.install import install_id
from broadcaster.queue.ledger import ROWS, Taken
from broadcaster.states import DeliveryState
from broadcaster.store import Store
from broadcaster.store.tables import Audience, Campaign, Contact, Delivery, Page
from tests.conftest import NOW

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
