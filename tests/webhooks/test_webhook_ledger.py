"""From the platform's POSTs to the ledger: twice, shuffled, and before our own result is written."""

from __future__ import annotations

from dataclasses import replace

from sqlalchemy import insert

from broadcaster.clock import SystemClock
from broadcaster.graph.calls import SendRequest
from broadcaster.graph.client import GraphClient
from broadcaster.graph.outcomes import Accepted
from broadcaster.queue.counting import counts
from broadcaster.queue.install import install_id
from broadcaster.queue.wire import wire_key
from broadcaster.sandbox import Behaviour, Sandbox
from broadcaster.states import DeliveryState
from broadcaster.store import Store
from broadcaster.store.tables import Audience, Campaign, Contact, Delivery
from broadcaster.webhooks.receiver import Receiver

PEOPLE = 30


def on_the_wire(store: Store, page_id: int, psids: list[str]) -> str:
    """A campaign whose messages have just left: intent written, no answer yet. The installation's id."""
    now = SystemClock().now()
    with store.write() as conn:
        people = [
            {"id": n, "page_id": page_id, "psid": psid, "created_at": now, "updated_at": now}
            for n, psid in enumerate(psids, start=1)
        ]
        conn.execute(insert(Contact), people)
        conn.execute(
            insert(Audience).values(
                id=1, page_id=page_id, name="A", filter={}, created_at=now, updated_at=now
            )
        )
        conn.execute(
            insert(Campaign).values(
                id=1, name="C", page_id=page_id, audience_id=1, permission="standard", message={"text": "Hi"},
                created_at=now, created_by="Ada", updated_at=now, state="running", eligible_at_launch=len(psids),
            )
        )  # fmt: skip
        row = {
            "campaign_id": 1,
            "state": DeliveryState.SENDING,
            "attempt": 1,
            "owner": "me",
            "intent_at": now,
        }
        conn.execute(insert(Delivery), [{**row, "id": n, "contact_id": n} for n in range(1, len(psids) + 1)])
        return install_id(conn)


def test_webhooks_alone_bring_every_message_to_its_end(
    sandbox: Sandbox, practice: tuple[int, Receiver], sqlite_store: Store
) -> None:
    sandbox.run(lambda: setattr(sandbox.page.people, "behaviour", replace(Behaviour.quiet(), reads=1.0)))
    sandbox.delivery.duplicate, sandbox.delivery.shuffle, sandbox.delivery.watermark_only = 1.0, True, 0.3
    people = [sandbox.person(n) for n in range(PEOPLE)]
    install = on_the_wire(sqlite_store, practice[0], [one.psid for one in people])
    client = GraphClient(
        sandbox.url, "v26.0", token=sandbox.page_token, page_graph_id=sandbox.page_id, clock=SystemClock()
    )
    outcomes = client.send_batch(
        [
            SendRequest(one.psid, {"text": "Hi"}, "UPDATE", None, wire_key(install, n, 1))
            for n, one in enumerate(people, start=1)
        ]
    )
    assert all(isinstance(outcome, Accepted) for outcome in outcomes)
    assert sandbox.settle()
    assert practice[1].settle()
    with sqlite_store.read() as conn:
        found = counts(conn, 1)
    assert (found.sent, found.delivered, found.read, found.sending) == (PEOPLE, PEOPLE, PEOPLE, 0)
    assert found.adds_up
