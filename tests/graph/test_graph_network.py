"""Company networks: proxies, certificate authorities, TLS that breaks; and what never leaves the machine."""

from __future__ import annotations

import logging
import re
import socket
import ssl
import threading
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from broadcaster.clock import SystemClock
from broadcaster.errors import BroadcasterError
from broadcaster.graph.calls import SendRequest
from broadcaster.graph.client import GraphClient
from broadcaster.graph.outcomes import Accepted, NotSent, Outcome, Unknown
from broadcaster.graph.wire import Surroundings
from broadcaster.sandbox import Sandbox

CERTIFICATE = Path(__file__).with_name("localhost.pem")
"""For localhost, signed by itself, with its key: made for these tests and good for nothing else."""

Handler = Callable[[socket.socket], None]
Serve = Callable[[Handler], int]


@pytest.fixture
def serve() -> Iterator[Serve]:
    """A TCP server that hands each connection to a function; its port."""
    running: list[tuple[socket.socket, threading.Thread]] = []

    def start(handler: Handler) -> int:
        server = socket.create_server(("127.0.0.1", 0))

        def loop() -> None:
            while True:
                try:
                    peer, _ = server.accept()
                except OSError:
                    return
                with peer, suppress(OSError):
                    handler(peer)

        thread = threading.Thread(target=loop)
        thread.start()
        running.append((server, thread))
        return int(server.getsockname()[1])

    yield start
    for server, thread in running:
        server.shutdown(socket.SHUT_RDWR)
        server.close()
        thread.join()


def client(url: str, surroundings: Surroundings | None = None, timeout: float = 3.0) -> GraphClient:
    return GraphClient(
        url,
        "v26.0",
        token="EAAsecret",
        page_graph_id="1",
        app_secret="app secret",
        timeout=timeout,
        clock=SystemClock(),
        surroundings=surroundings,
    )


def send(one: GraphClient) -> Outcome:
    return one.send("7", {"text": "Hi"}, messaging_type="UPDATE", metadata="i.1.1")


def test_a_dead_proxy_is_surely_not_sent() -> None:
    around = Surroundings({"http": "http://127.0.0.1:9"}, True)
    assert send(client("http://graph.example", around)) == NotSent("the proxy does not answer")


def test_a_proxy_that_refuses_the_tunnel_is_surely_not_sent(serve: Serve) -> None:
    def refuse(peer: socket.socket) -> None:
        peer.recv(65536)
        peer.sendall(b"HTTP/1.1 407 Proxy Authentication Required\r\nContent-Length: 0\r\n\r\n")

    around = Surroundings({"https": f"http://127.0.0.1:{serve(refuse)}"}, True)
    assert isinstance(send(client("https://graph.example", around)), NotSent)


def test_an_answer_through_a_proxy_counts(serve: Serve) -> None:
    seen: list[bytes] = []

    def forward(peer: socket.socket) -> None:
        seen.append(peer.recv(65536))
        body = b'{"message_id":"m_1","recipient_id":"7"}'
        peer.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%s" % (len(body), body))

    around = Surroundings({"http": f"http://127.0.0.1:{serve(forward)}"}, True)
    assert send(client("http://graph.example", around)) == Accepted("m_1", "7")
    assert seen[0].startswith(b"POST http://graph.example/v26.0/1/messages ")


def test_this_machine_is_never_asked_through_a_proxy(sandbox: Sandbox) -> None:
    around = Surroundings({"http": "http://127.0.0.1:9"}, True)
    one = GraphClient(
        sandbox.url,
        "v26.0",
        token=sandbox.page_token,
        page_graph_id=sandbox.page_id,
        clock=SystemClock(),
        surroundings=around,
    )
    assert one.me()["id"] == sandbox.page_id


def test_the_machines_proxies_and_authorities_are_read_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTPS_PROXY", "http://proxy.example:3128")
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", "/etc/company.pem")
    around = Surroundings.read()
    assert around.proxies["https"] == "http://proxy.example:3128"
    assert around.ca_bundle == "/etc/company.pem"


def secure(then: Callable[[ssl.SSLSocket], None]) -> Handler:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(CERTIFICATE)

    def handle(peer: socket.socket) -> None:
        with context.wrap_socket(peer, server_side=True) as safe:
            then(safe)

    return handle


def read_request(peer: socket.socket) -> bytes:
    """A whole request, however many pieces it comes in: closing on unread bytes would reset the answer."""
    taken = b""
    while b"\r\n\r\n" not in taken:
        taken += peer.recv(65536)
    head, _, body = taken.partition(b"\r\n\r\n")
    length = int(re.search(rb"(?i)content-length: (\d+)", head)[1])  # type: ignore[index]
    while len(body) < length:
        body += peer.recv(65536)
    return head + body


def test_an_unknown_authority_is_surely_not_sent(serve: Serve) -> None:
    port = serve(secure(lambda _safe: None))
    outcome = send(client(f"https://localhost:{port}"))
    assert outcome == NotSent("the secure connection could not be made")


@pytest.mark.parametrize("answer", [b"", b"HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\n{"])
def test_tls_that_breaks_after_the_request_is_unknown(serve: Serve, answer: bytes) -> None:
    def cut(safe: ssl.SSLSocket) -> None:
        safe.recv(65536)
        safe.sendall(answer)
        safe.shutdown(socket.SHUT_RDWR)  # no closing words: an end in violation of the protocol

    around = Surroundings({}, str(CERTIFICATE))
    assert isinstance(send(client(f"https://localhost:{serve(secure(cut))}", around)), Unknown)


def test_an_authority_of_the_company_is_trusted(serve: Serve) -> None:
    def good(safe: ssl.SSLSocket) -> None:
        read_request(safe)
        safe.sendall(b'HTTP/1.1 200 OK\r\nContent-Length: 20\r\n\r\n{"message_id":"m_1"}')

    around = Surroundings({}, str(CERTIFICATE))
    port = serve(secure(good))
    assert send(client(f"https://localhost:{port}", around)) == Accepted("m_1", None)


def test_the_token_is_in_no_address_and_no_log(serve: Serve, caplog: pytest.LogCaptureFixture) -> None:
    lines: list[bytes] = []

    def refuse(peer: socket.socket) -> None:
        lines.append(peer.recv(65536).split(b"\r\n", 1)[0])
        peer.sendall(b"HTTP/1.1 404 No\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")

    one = client(f"http://127.0.0.1:{serve(refuse)}")
    calls: list[Callable[[], object]] = [
        lambda: send(one),
        lambda: one.send_batch([SendRequest("7", {"text": "Hi"}, "UPDATE", None, "i.1.1")]),
        one.debug_token,
        one.me,
        one.accounts,
        one.subscribe,
        one.subscribed_fields,
        one.conversations,
        lambda: one.conversation_messages("7"),
        lambda: one.profile("7"),
    ]
    with caplog.at_level(logging.DEBUG):
        for call in calls:
            with suppress(BroadcasterError):
                call()
    assert len(lines) == len(calls)
    assert not any(b"EAAsecret" in line for line in lines)
    assert "EAAsecret" not in caplog.text
    assert "app secret" not in caplog.text
