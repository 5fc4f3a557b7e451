"""What stored events do: to people, to the Page, to templates; in any order; bad ones alone stay behind."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import Row, func, select

from broadcaster.audit import log as audit
from broadcaster.clock import ManualClock, SystemClock, from_epoch_ms
from broadcaster.errors import EnvironmentFault
from broadcaster.events import Changed, EventHub
from broadcaster.graph.client import GraphClient
from broadcaster.pages import listing, templates
from broadcaster.sandbox import Sandbox
from broadcaster.sandbox.acts import enforce_policy, postback, react, refer, write
from broadcaster.states import PageState, TemplateStatus
from broadcaster.store import Store
from broadcaster.store.tables import Contact, Interaction
from broadcaster.webhooks import applying
from broadcaster.webhooks.applying import apply_pending
from broadcaster.webhooks.events import parse
from broadcaster.webhooks.inbox import EVENTS, KEPT, KEPT_FAILED, state, store_events, tidy
from broadcaster.webhooks.receiver import Receiver
from tests.webhooks.webhook_posting import MS, add_page, envelope, event

CONTACTS = Contact.__table__  # type: ignore[attr-defined]
INTERACTIONS = Interaction.__table__  # type: ignore[attr-defined]
AT = from_epoch_ms(MS)

Apply = Callable[..., int]


@pytest.fixture
def take(store: Store, clock: ManualClock, hub: EventHub) -> Apply:
    """Store events and apply what waits."""
    add_page(store)

    def run(*bodies: Any, channel: str = "messaging", page: str = "1") -> int:
        with store.write() as conn:
            store_events(conn, parse(envelope(*bodies, channel=channel, page=page)), clock.now())
        return apply_pending(store, clock, hub)

    return run


def person(store: Store, psid: str = "77") -> Row[Any]:
    with store.read() as conn:
        return conn.execute(select(CONTACTS).where(CONTACTS.c.psid == psid)).one()


def kinds(store: Store) -> list[str]:
    with store.read() as conn:
        return list(conn.execute(select(INTERACTIONS.c.kind).order_by(INTERACTIONS.c.id)).scalars())


def errors(store: Store) -> list[str | None]:
    with store.read() as conn:
        return list(conn.execute(select(EVENTS.c.error).order_by(EVENTS.c.id)).scalars())


@pytest.mark.parametrize(
    ("key", "content", "kind", "opens"),
    [
        ("message", {"mid": "m", "text": "Hi"}, "message", True),
        (
            "message",
            {"mid": "m", "referral": {"ref": "s", "ad_id": "9", "source": "ADS"}},
            "ad_message",
            True,
        ),
        ("postback", {"mid": "m", "title": "Start", "payload": "GO"}, "postback", True),
        ("referral", {"ref": "s", "source": "SHORTLINK"}, "referral", True),
        ("reaction", {"mid": "m", "action": "react", "emoji": "❤"}, "reaction", True),
        ("optin", {"ref": "web"}, "plugin_message", True),
        ("optin", {"type": "notification_messages"}, "opt_in", False),
    ],
)
def test_what_a_person_does_is_kept_and_opens_the_window_or_not(
    sqlite_store: Store,
    clock: ManualClock,
    hub: EventHub,
    key: str,
    content: dict[str, Any],
    kind: str,
    opens: bool,
) -> None:
    add_page(sqlite_store)
    with sqlite_store.write() as conn:
        store_events(conn, parse(envelope(event(key, content))), clock.now())
    apply_pending(sqlite_store, clock, hub)
    assert kinds(sqlite_store) == [kind]
    assert person(sqlite_store).last_interaction_at == (AT if opens else None)


@pytest.mark.parametrize(
    "body",
    [
        event("reaction", {"mid": "m", "action": "unreact"}),
        event("delivery", {"watermark": MS}),
        event("read", {"watermark": MS}),
        event("message_edit", {"mid": "m", "text": "x"}),
        {"recipient": {"id": "1"}, "timestamp": MS, "optin": {"ref": "web", "user_ref": "u"}},
        {**event("message", {"mid": "m", "is_echo": True}), "sender": {"id": "1"}, "recipient": {"id": "77"}},
    ],
)
def test_what_is_not_a_persons_act_opens_nothing(
    sqlite_store: Store, clock: ManualClock, hub: EventHub, body: dict[str, Any]
) -> None:
    add_page(sqlite_store)
    with sqlite_store.write() as conn:
        store_events(conn, parse(envelope(body)), clock.now())
    apply_pending(sqlite_store, clock, hub)
    assert kinds(sqlite_store) == []
    assert errors(sqlite_store) == [None]


def test_events_in_any_order_and_twice_end_the_same(store: Store, take: Apply) -> None:
    early, late = event("message", {"mid": "a"}), event("message", {"mid": "b"}, at=MS + 60_000)
    take(late)
    take(early, late)
    take(early)
    assert person(store).last_interaction_at == AT + timedelta(minutes=1)
    assert len(kinds(store)) == 2


def test_a_word_that_ends_messages_opts_out_at_once(store: Store, take: Apply) -> None:
    take(event("message", {"mid": "a", "text": "STOP"}), event("message", {"mid": "b"}, psid="78"))
    assert person(store).opted_out
    assert not person(store, "78").opted_out


def test_stopping_notifications_in_messenger_opts_out(store: Store, take: Apply) -> None:
    take(event("message", {"mid": "a", "text": "Hi"}))
    stopping = {"type": "notification_messages", "notification_messages_status": "STOP_NOTIFICATIONS"}
    take(event("optin", stopping))
    assert person(store).opted_out


def test_standby_events_count_too(store: Store, take: Apply) -> None:
    take(event("postback", {"title": "Start"}), channel="standby")
    assert person(store).last_interaction_at == AT


def test_a_blocked_page_stops_with_a_sentence_and_is_freed_again(store: Store, take: Apply) -> None:
    notice = {"recipient": {"id": "1"}, "timestamp": MS}
    take({**notice, "policy_enforcement": {"action": "block", "reason": "spam"}})
    with store.read() as conn:
        page = listing.pages(conn)[0]
    assert page.state is PageState.RESTRICTED
    assert page.state_text is not None
    assert "spam" in page.state_text
    take({**notice, "timestamp": MS + 9, "policy-enforcement": {"action": "unblock"}})
    with store.read() as conn:
        assert listing.pages(conn)[0].state is PageState.READY
        assert [entry.action for entry in audit.entries(conn)] == ["page.policy_block", "page.policy_unblock"]


def test_only_the_platforms_newest_word_about_a_page_counts(store: Store, take: Apply) -> None:
    notice = {"recipient": {"id": "1"}}
    take({**notice, "timestamp": MS + 60_000, "policy_enforcement": {"action": "unblock"}})
    take({**notice, "timestamp": MS, "policy_enforcement": {"action": "block", "reason": "spam"}})
    with store.read() as conn:
        assert listing.pages(conn)[0].state is PageState.READY


def test_two_processes_share_the_inbox(postgres_store: Store, clock: ManualClock, hub: EventHub) -> None:
    add_page(postgres_store)
    bodies = [event("message", {"mid": f"m{n}", "text": "Hi"}, psid=str(n % 40 + 100)) for n in range(400)]
    for start in range(0, 400, 40):
        with postgres_store.write() as conn:
            store_events(conn, parse(envelope(*bodies[start : start + 40])), clock.now())

    def work() -> int:
        done = 0
        for _ in range(60):
            try:
                done += apply_pending(postgres_store, clock, hub, limit=25)
            except EnvironmentFault:
                continue  # the two met; the applier's thread would rest and try again
        return done

    with ThreadPoolExecutor(2) as pool:
        assert sum(pool.map(lambda _: work(), range(2))) == 400
    assert len(kinds(postgres_store)) == 400
    assert set(errors(postgres_store)) == {None}


def test_a_warning_leaves_the_page_sending(store: Store, take: Apply) -> None:
    take({"recipient": {"id": "1"}, "timestamp": MS, "policy_enforcement": {"action": "warning"}})
    with store.read() as conn:
        assert listing.pages(conn)[0].state is PageState.READY


def test_instagrams_own_account_id_finds_the_page(store: Store, clock: ManualClock, hub: EventHub) -> None:
    add_page(store, "1", platform="instagram", instagram_id="17841")
    body = event("message", {"mid": "a"}, page="17841")
    with store.write() as conn:
        store_events(conn, parse(envelope(body, page="17841")), clock.now())
    apply_pending(store, clock, hub)
    assert person(store).last_interaction_at == AT


def test_a_bad_event_stays_with_its_reason_and_blocks_nobody(store: Store, take: Apply) -> None:
    bodies = [event("message", {"mid": f"m{n}"}, psid=str(100 + n)) for n in range(9)]
    bodies[4] = event("message", "not an object")
    take(*bodies)
    assert len(kinds(store)) == 8
    assert [error is None for error in errors(store)] == [n != 4 for n in range(9)]
    with store.read() as conn:
        assert (state(conn).waiting, state(conn).failed) == (0, 1)


def test_an_event_of_an_unknown_page_stays_with_its_reason(store: Store, take: Apply) -> None:
    take(event("message", {"mid": "a"}, page="55"), page="55")
    assert errors(store) == ["The Page of this event is not connected."]


def test_a_bug_while_applying_keeps_the_event(
    sqlite_store: Store, clock: ManualClock, hub: EventHub, monkeypatch: pytest.MonkeyPatch
) -> None:
    add_page(sqlite_store)
    with sqlite_store.write() as conn:
        store_events(conn, parse(envelope(event("read", {"watermark": MS}))), clock.now())

    def broken(*_args: object) -> None:
        raise KeyError("psid")

    monkeypatch.setattr(applying.receipts, "apply", broken)
    assert apply_pending(sqlite_store, clock, hub) == 1
    assert errors(sqlite_store) == ["KeyError: 'psid'"]


def test_a_full_disk_leaves_events_waiting(
    sqlite_store: Store, clock: ManualClock, hub: EventHub, monkeypatch: pytest.MonkeyPatch
) -> None:
    add_page(sqlite_store)
    with sqlite_store.write() as conn:
        store_events(conn, parse(envelope(event("message", {"mid": "a"}))), clock.now())

    def full(*_args: object) -> None:
        raise EnvironmentFault("The disk is full.")

    with monkeypatch.context() as patch:
        patch.setattr(applying.receipts, "apply", full)
        with pytest.raises(EnvironmentFault):
            apply_pending(sqlite_store, clock, hub)
    assert apply_pending(sqlite_store, clock, hub) == 1
    assert errors(sqlite_store) == [None]


def test_a_limit_leaves_the_rest_for_later(store: Store, clock: ManualClock, hub: EventHub) -> None:
    add_page(store)
    bodies = [event("message", {"mid": f"m{n}"}) for n in range(5)]
    with store.write() as conn:
        store_events(conn, parse(envelope(*bodies)), clock.now())
    assert apply_pending(store, clock, hub, limit=3) == 3
    assert len(kinds(store)) == 3
    assert apply_pending(store, clock, hub) == 2


def test_listeners_hear_what_changed(take: Apply, hub: EventHub) -> None:
    heard: list[Changed] = []
    hub.subscribe(heard.append)
    take(event("message", {"mid": "a"}))
    assert {"webhook", "contact", "delivery"} <= {change.kind for change in heard}
    heard.clear()
    take()
    assert heard == []


def test_old_events_go_and_failed_ones_stay_longer(
    store: Store, take: Apply, clock: ManualClock, now: datetime
) -> None:
    take(event("message", {"mid": "a"}), event("message", "bad"))
    for moment, left in (
        (now + KEPT - timedelta(seconds=1), 2),
        (now + KEPT + timedelta(seconds=1), 1),
        (now + KEPT_FAILED + timedelta(seconds=1), 0),
    ):
        with store.write() as conn:
            tidy(conn, moment)
            assert conn.execute(select(func.count()).select_from(EVENTS)).scalar_one() == left


def test_the_sandboxs_people_arrive(
    sandbox: Sandbox, practice: tuple[int, Receiver], sqlite_store: Store
) -> None:
    people = [sandbox.person(n) for n in range(5)]

    def act() -> None:
        write(sandbox.page, people[0], "Hello", ad_id="77", ref="spring")
        write(sandbox.page, people[1], "Stop!")
        postback(sandbox.page, people[2], "GO", ref="door")
        react(sandbox.page, people[3], "m_1")
        refer(sandbox.page, people[4], "window")

    sandbox.delivery.duplicate = 1.0
    sandbox.delivery.shuffle = True
    sandbox.run(act)
    assert sandbox.flush()
    assert practice[1].settle()
    assert sorted(kinds(sqlite_store)) == ["ad_message", "message", "postback", "reaction", "referral"]
    assert [person(sqlite_store, one.psid).opted_out for one in people[:2]] == [False, True]
    assert person(sqlite_store, people[0].psid).entry_ref == "spring"
    with sqlite_store.read() as conn:
        assert (state(conn).waiting, state(conn).failed) == (0, 0)
        assert listing.page(conn, practice[0]).last_webhook_at is not None


def test_the_sandboxs_page_is_stopped_by_its_platform(
    sandbox: Sandbox, practice: tuple[int, Receiver], sqlite_store: Store
) -> None:
    sandbox.run(lambda: enforce_policy(sandbox.page, "block", "too many complaints"))
    assert sandbox.flush()
    assert practice[1].settle()
    with sqlite_store.read() as conn:
        assert listing.page(conn, practice[0]).state is PageState.RESTRICTED


def test_a_templates_approval_arrives(
    sandbox: Sandbox, practice: tuple[int, Receiver], sqlite_store: Store
) -> None:
    client = GraphClient(
        sandbox.url, "v26.0", token=sandbox.page_token, page_graph_id=sandbox.page_id, clock=SystemClock()
    )
    definition = {
        "name": "order_ready",
        "language": "en",
        "components": [{"type": "BODY", "text": "Your order is ready."}],
    }
    templates.create(sqlite_store, client, SystemClock(), practice[0], definition)
    assert sandbox.settle()
    assert practice[1].settle()
    with sqlite_store.read() as conn:
        assert templates.listing(conn, practice[0])[0].status is TemplateStatus.APPROVED
