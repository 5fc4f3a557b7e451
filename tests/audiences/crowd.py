"""People drawn by a fixed seed, written to the database and kept in Python beside it."""

from __future__ import annotations

import random
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import insert

from broadcaster.contacts.attributes import AttributeDef, define
from broadcaster.states import AttributeType, DeliveryState
from broadcaster.store import Store
from broadcaster.store.tables import (
    Audience,
    Campaign,
    Contact,
    ContactAttributes,
    ContactLabel,
    Delivery,
    Interaction,
    Label,
    Page,
    ReceiptMark,
)
from tests.conftest import NOW

NAMES = ("Ada", "ada", "Bob", "Ünal", "O'Brien", "100%", "a_b", "", None)
CITIES = ("Berlin", "berlin", "Rome", "São Paulo", "", None)
LABELS = ("vip", "new", "Old")
KINDS = ("message", "referral", "import")
CAMPAIGN = "Spring"


@dataclass(slots=True)
class Someone:
    """What is true of one person: fields of the row, labels, attributes, what they did, what they were sent."""

    id: int
    row: dict[str, Any]
    labels: set[str]
    attributes: dict[str, Any]
    did: list[tuple[str, datetime]]
    delivery: dict[str, Any] | None = None
    mark: dict[str, Any] = field(default_factory=dict)


@dataclass(slots=True)
class Crowd:
    page_id: int
    people: list[Someone]
    definitions: dict[str, AttributeDef]
    campaign_id: int


def settle(store: Store, count: int = 60) -> Crowd:
    draw = random.Random(5)
    with store.write() as conn:
        page = {
            "name": "P",
            "platform": "messenger",
            "graph_url": "x",
            "graph_version": "v",
            "connected_at": NOW,
        }
        page_id = _key(conn, insert(Page).values(graph_id="1", **page))
        loose = {f"f{n}": AttributeType.TEXT for n in range(10)}
        kinds = {
            "city": AttributeType.TEXT, "score": AttributeType.NUMBER, "since": AttributeType.DATE,
            "member": AttributeType.YES_NO, **loose, "far": AttributeType.TEXT,
        }  # fmt: skip
        definitions = define(conn, page_id, kinds)
        label_ids = {name: _key(conn, insert(Label).values(page_id=page_id, name=name)) for name in LABELS}
        when = {"created_at": NOW, "updated_at": NOW}
        audience = _key(
            conn, insert(Audience).values(page_id=page_id, name="All", filter={"all": []}, **when)
        )
        campaign_id = _key(
            conn,
            insert(Campaign).values(
                name=CAMPAIGN, page_id=page_id, audience_id=audience, permission="standard", message={},
                created_by="x", **when,
            ),
        )  # fmt: skip
        people = [_someone(draw, n) for n in range(1, count + 1)]
        for one in people:
            _write(conn, one, page_id, definitions, label_ids, campaign_id)
    return Crowd(page_id, people, definitions, campaign_id)


def _someone(draw: random.Random, number: int) -> Someone:
    def ago(most: int) -> datetime | None:
        return None if draw.random() < 0.2 else NOW - timedelta(hours=draw.randrange(most))

    row = {
        "psid": str(1000 + number), "first_name": draw.choice(NAMES), "last_name": draw.choice(NAMES),
        "locale": draw.choice(("en_US", "de_DE", None)), "timezone": draw.choice(("Europe/Berlin", None)),
        "opted_out": draw.random() < 0.3, "unreachable": draw.random() < 0.2,
        "last_interaction_at": ago(400), "last_message_at": ago(400),
        "entry_ref": draw.choice(("spring", None)),
    }  # fmt: skip
    attributes = {
        "city": draw.choice(CITIES), "score": draw.choice((None, 0.0, 1.5, 10.0, -3.0)),
        "since": draw.choice((None, "2026-11-01", "2026-11-19", "2025-01-01")),
        "member": draw.choice((None, True, False)), "far": draw.choice((None, "yes", "No")),
    }  # fmt: skip
    did = [(draw.choice(KINDS), NOW - timedelta(hours=draw.randrange(400))) for _ in range(draw.randrange(3))]
    someone = Someone(number, row, {name for name in LABELS if draw.random() < 0.4}, attributes, did)
    if draw.random() < 0.7:
        sent = NOW - timedelta(hours=10)
        state = draw.choice(list(DeliveryState))
        someone.delivery = {
            "state": state, "intent_at": sent, "sent_at": sent,
            "replied_at": NOW if draw.random() < 0.3 else None,
        }  # fmt: skip
    if draw.random() < 0.5:
        someone.mark = {"delivered_until": ago(20), "read_until": ago(20)}
    return someone


def _write(
    conn: Any,
    one: Someone,
    page_id: int,
    definitions: dict[str, AttributeDef],
    label_ids: dict[str, int],
    campaign_id: int,
) -> None:
    slots = {}
    for name, value in one.attributes.items():
        slot = definitions[name].slot
        if slot:
            slots[slot] = str(value).lower() if isinstance(value, bool) else value
    when = {"created_at": NOW, "updated_at": NOW}
    conn.execute(insert(Contact).values(id=one.id, page_id=page_id, **one.row, **slots, **when))
    if one.attributes["far"] is not None:
        conn.execute(
            insert(ContactAttributes).values(contact_id=one.id, values={"far": one.attributes["far"]})
        )
    for name in one.labels:
        conn.execute(insert(ContactLabel).values(label_id=label_ids[name], contact_id=one.id))
    for kind, at in one.did:
        conn.execute(
            insert(Interaction).values(page_id=page_id, contact_id=one.id, kind=kind, at=at, source="sync")
        )
    if one.delivery:
        conn.execute(insert(Delivery).values(campaign_id=campaign_id, contact_id=one.id, **one.delivery))
    if one.mark:
        conn.execute(insert(ReceiptMark).values(contact_id=one.id, **one.mark))


def _key(conn: Any, statement: Any) -> int:
    return int(conn.execute(statement).inserted_primary_key[0])
