"""The receiver over real HTTP: handshake, signature, stored before answered, once each."""

from __future__ import annotations

import json
import socket
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import pytest
import requests
from sqlalchemy import func, select

from broadcaster.errors import EnvironmentFault
from broadcaster.secrets import FileSecrets
from broadcaster.store import Store
from broadcaster.webhooks.inbox import EVENTS, state
from broadcaster.webhooks.receiver import BODY_LIMIT, Receiver
from tests.webhooks.webhook_posting import MS, SECRET, add_page, envelope, event, post

Receiving = Callable[..., Receiver]


def stored(store: Store) -> int:
    with store.read() as conn:
        return int(conn.execute(select(func.count()).select_from(EVENTS)).scalar_one())


def message(number: int = 1) -> dict[str, object]:
    return event("message", {"mid": f"m_{number}", "text": "Hello"})


@pytest.fixture
def receiver(sqlite_store: Store, receiving: Receiving) -> Receiver:
    add_page(sqlite_store)
    return receiving(sqlite_store)


def test_the_handshake_returns_the_challenge(receiver: Receiver) -> None:
    query = {"hub.mode": "subscribe", "hub.verify_token": "shake", "hub.challenge": "12345"}
    answer = requests.get(receiver.url, params=query, timeout=5)
    assert (answer.status_code, answer.text) == (200, "12345")


@pytest.mark.parametrize(
    "query",
    [
        {},
        {"hub.mode": "subscribe", "hub.verify_token": "wrong", "hub.challenge": "1"},
        {"hub.mode": "unsubscribe", "hub.verify_token": "shake", "hub.challenge": "1"},
        {"hub.mode": "subscribe", "hub.challenge": "1"},
    ],
)
def test_a_wrong_handshake_is_refused(receiver: Receiver, query: dict[str, str]) -> None:
    assert requests.get(receiver.url, params=query, timeout=5).status_code == 403


def test_a_signed_post_is_stored_when_it_is_answered(sqlite_store: Store, receiver: Receiver) -> None:
    assert post(receiver, envelope(message(1), message(2))) == 200
    assert stored(sqlite_store) == 2


def test_the_same_event_is_stored_once(sqlite_store: Store, receiver: Receiver) -> None:
    for raw in (envelope(message(1), message(1)), envelope(message(1))):
        assert post(receiver, raw) == 200
    assert stored(sqlite_store) == 1


def test_a_wrong_signature_is_refused_and_nothing_is_stored(sqlite_store: Store, receiver: Receiver) -> None:
    raw = envelope(message())
    assert post(receiver, raw, secret="other") == 403
    assert requests.post(receiver.url, data=raw, timeout=5).status_code == 403
    assert stored(sqlite_store) == 0


def test_an_app_speaks_only_for_its_own_pages(
    sqlite_store: Store, receiver: Receiver, secrets: FileSecrets
) -> None:
    add_page(sqlite_store, "2", app_id="10")
    secrets.set("app:10:secret", "another secret")
    assert post(receiver, envelope(message(), page="1"), secret="another secret") in {200, 403}
    assert stored(sqlite_store) == 0


def test_a_page_connected_later_is_known_at_its_first_event(
    sqlite_store: Store, receiver: Receiver, secrets: FileSecrets
) -> None:
    assert post(receiver, envelope(message())) == 200
    add_page(sqlite_store, "2", app_id="10")
    secrets.set("app:10:secret", "new secret")
    receiver._keys._read_at = -10.0
    raw = envelope(event("message", {"mid": "m_5"}, page="2"), page="2")
    assert post(receiver, raw, secret="new secret") == 200
    assert stored(sqlite_store) == 2


@pytest.mark.parametrize("raw", [b"{", b"[]", b'{"object":"page"}'])
def test_a_signed_body_that_is_no_envelope_is_a_bad_request(receiver: Receiver, raw: bytes) -> None:
    assert post(receiver, raw) == 400


def test_a_body_without_events_is_fine(receiver: Receiver) -> None:
    assert post(receiver, b'{"object":"page","entry":[]}') == 200


def test_a_body_too_large_is_refused(receiver: Receiver) -> None:
    assert post(receiver, b" " * (BODY_LIMIT + 1)) == 413


def test_other_methods_are_refused(receiver: Receiver) -> None:
    assert requests.delete(receiver.url, timeout=5).status_code == 405


def test_a_taken_port_is_named(sqlite_store: Store, secrets: FileSecrets, receiving: Receiving) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(EnvironmentFault, match=f"Port {port} "):
            receiving(sqlite_store, port=port)


def test_many_posters_at_once_lose_and_double_nothing(store: Store, receiving: Receiving) -> None:
    add_page(store)
    receiver = receiving(store)

    def send(number: int) -> int:
        return post(receiver, envelope(message(number % 60)))

    with ThreadPoolExecutor(8) as pool:
        assert set(pool.map(send, range(120))) == {200}
    assert stored(store) == 60
    assert receiver.settle()
    with store.read() as conn:
        assert (state(conn).waiting, state(conn).failed) == (0, 0)


def test_a_post_is_turned_away_when_it_cannot_be_stored(
    sqlite_store: Store, receiver: Receiver, caplog: pytest.LogCaptureFixture
) -> None:
    with sqlite_store.write() as conn:
        conn.exec_driver_sql("ALTER TABLE webhook_event RENAME TO away")
    assert post(receiver, envelope(message())) == 503
    with sqlite_store.write() as conn:
        conn.exec_driver_sql("ALTER TABLE away RENAME TO webhook_event")
    assert post(receiver, envelope(message())) == 200


def test_no_thread_is_left_behind(sqlite_store: Store, secrets: FileSecrets, receiving: Receiving) -> None:
    before = threading.active_count()
    receiver = receiving(sqlite_store)
    assert threading.active_count() > before
    receiver.stop()
    assert threading.active_count() == before


def test_the_platforms_escapes_are_signed_as_sent(sqlite_store: Store, receiver: Receiver) -> None:
    raw = json.dumps(
        {"object": "page", "entry": [{"id": "1", "time": MS, "messaging": [
            event("message", {"mid": "m_ü", "text": "Grüße"})]}]}
    ).encode()  # fmt: skip
    assert rb"\u00fc" in raw
    assert post(receiver, raw, SECRET) == 200
    with sqlite_store.read() as conn:
        assert conn.execute(select(EVENTS.c.body)).scalar_one()["message"]["text"] == "Grüße"
