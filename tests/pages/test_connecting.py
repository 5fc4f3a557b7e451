"""Connecting, connecting again and disconnecting a Page, against the sandbox."""

from __future__ import annotations

import http.server
import threading
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from sqlalchemy import insert

from broadcaster.audit import log as audit
from broadcaster.clock import SystemClock
from broadcaster.errors import BadInput, NotFound, Unreachable
from broadcaster.pages import listing
from broadcaster.pages.connect import ConnectedPage, disconnect_page, offered_pages
from broadcaster.pages.state import set_state
from broadcaster.sandbox import Sandbox
from broadcaster.secrets import FileSecrets
from broadcaster.settings import Settings
from broadcaster.states import PageState
from broadcaster.store import Store
from broadcaster.store.tables import Contact

Connect = Callable[..., ConnectedPage]


def test_a_page_is_stored_with_what_the_platform_tells(
    connect: Connect, sandbox: Sandbox, sqlite_store: Store
) -> None:
    connected = connect()
    with sqlite_store.read() as conn:
        page = listing.page(conn, connected.id)
    assert (page.name, page.graph_id, page.app_id) == (sandbox.page_name, sandbox.page_id, sandbox.app_id)
    assert (page.state, page.webhook_subscribed, page.graph_url) == (PageState.READY, True, sandbox.url)
    assert page.features == {"utility": "granted"}
    assert connected.verified


def test_secrets_are_kept_in_the_secret_store_only(
    connect: Connect, sandbox: Sandbox, secrets: FileSecrets, sqlite_store: Store
) -> None:
    connect(verify_token="shake")
    assert secrets.get(f"page:{sandbox.page_id}:token") == sandbox.page_token
    assert secrets.get(f"app:{sandbox.app_id}:secret") == sandbox.app_secret
    assert secrets.get(f"page:{sandbox.page_id}:verify_token") == "shake"
    with sqlite_store.read() as conn:
        dump = "\n".join(conn.connection.iterdump())  # type: ignore[attr-defined]
    assert sandbox.page_token not in dump
    assert sandbox.app_secret not in dump


def test_connecting_again_keeps_people_and_lifts_the_stop(
    connect: Connect, sandbox: Sandbox, sqlite_store: Store
) -> None:
    first = connect()
    now = datetime.now(UTC)
    with sqlite_store.write() as conn:
        conn.execute(
            insert(Contact).values(
                page_id=first.id, psid="7", created_at=now, updated_at=now, source="import"
            )
        )
        set_state(conn, first.id, PageState.RESTRICTED, "Stopped.", now)
    again = connect(token=sandbox.run(lambda: sandbox.page.world.renew(sandbox.page_id)), app_secret=None)
    with sqlite_store.read() as conn:
        page = listing.page(conn, again.id)
    assert (again.id, again.reconnected) == (first.id, True)
    assert (page.people, page.state, page.state_text) == (1, PageState.READY, None)


def test_a_persons_token_is_exchanged_for_the_pages_own(
    connect: Connect, sandbox: Sandbox, secrets: FileSecrets
) -> None:
    connect(token=sandbox.user_token)
    assert secrets.get(f"page:{sandbox.page_id}:token") == sandbox.page_token


def test_a_persons_token_without_this_page_names_their_pages(connect: Connect, sandbox: Sandbox) -> None:
    with pytest.raises(BadInput, match=f"not among their Pages: {sandbox.page_name}"):
        connect(token=sandbox.user_token, page_id="42")


def test_the_pages_of_a_person_can_be_chosen_from(sandbox: Sandbox, tmp_path: Path) -> None:
    settings = Settings(tmp_path, "sqlite://", graph_url=sandbox.url)
    assert [one.id for one in offered_pages(settings, SystemClock(), sandbox.user_token)] == [sandbox.page_id]
    with pytest.raises(BadInput, match="person's token"):
        offered_pages(settings, SystemClock(), sandbox.page_token)
    with pytest.raises(BadInput, match="refused"):
        offered_pages(settings, SystemClock(), "EAAwrong")


def test_a_wrong_token_is_bad_input_and_nothing_is_kept(
    connect: Connect, sandbox: Sandbox, secrets: FileSecrets, sqlite_store: Store
) -> None:
    with pytest.raises(BadInput, match=r"refused.*Make a new Page token"):
        connect(token="EAAwrong")
    assert secrets.get(f"page:{sandbox.page_id}:token") is None
    with sqlite_store.read() as conn:
        assert listing.pages(conn) == []


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"page_id": "42"}, "does not open Page 42"),
        ({"page_id": "my page"}, "is not a Page id"),
        ({"token": " \n"}, "token is empty"),
        ({"app_secret": "other"}, "app secret does not fit"),
    ],
)
def test_what_does_not_fit_is_named(connect: Connect, changes: dict[str, str], words: str) -> None:
    with pytest.raises(BadInput, match=words):
        connect(**changes)


def test_an_address_that_does_not_answer_is_named(connect: Connect) -> None:
    with pytest.raises(Unreachable, match=r"http://127\.0\.0\.1:9 does not answer"):
        connect(url="http://127.0.0.1:9")


def test_another_platform_for_the_same_id_is_refused(connect: Connect) -> None:
    connect()
    with pytest.raises(BadInput, match="connected as messenger"):
        connect(platform="instagram")


@pytest.fixture
def web_server() -> Iterator[Callable[[int], str]]:
    """Something that answers everything with one status and no JSON."""
    servers = []

    def serve(status: int) -> str:
        class Handler(http.server.BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
                self.send_response(status)
                self.send_header("Content-Length", "2")
                self.end_headers()
                self.wfile.write(b"no" if body is not None else b"")

            do_POST = do_GET  # noqa: N815

            def log_message(self, *_args: object) -> None:
                return

        server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        servers.append((server, thread))
        return f"http://127.0.0.1:{server.server_port}"

    yield serve
    for server, thread in servers:
        server.shutdown()
        thread.join()
        server.server_close()


def test_an_address_that_is_not_the_graph_api_is_said(
    connect: Connect, web_server: Callable[[int], str]
) -> None:
    with pytest.raises(Unreachable, match=r"not the Graph API \(HTTP 200\)"):
        connect(url=web_server(200))


def test_a_stand_in_without_these_calls_can_be_connected_unverified(
    connect: Connect, web_server: Callable[[int], str]
) -> None:
    connected = connect(url=web_server(404), name="Stand-in", app_secret=None)
    assert (connected.verified, connected.name) == (False, "Stand-in")


def test_disconnecting_forgets_the_secrets_and_stops_sending(
    connect: Connect, sandbox: Sandbox, secrets: FileSecrets, sqlite_store: Store
) -> None:
    connected = connect(verify_token="shake")
    disconnect_page(sqlite_store, secrets, SystemClock(), connected.id, actor="Ada")
    assert secrets.get(f"page:{sandbox.page_id}:token") is None
    assert secrets.get(f"app:{sandbox.app_id}:secret") is None
    with sqlite_store.read() as conn:
        assert listing.page(conn, connected.id).state is PageState.DISCONNECTED
        assert [entry.action for entry in audit.entries(conn)] == ["page.connected", "page.disconnected"]


def test_the_app_secret_stays_while_another_page_of_the_app_is_connected(
    connect: Connect, sandbox: Sandbox, secrets: FileSecrets, sqlite_store: Store
) -> None:
    other = sandbox.add_page(contacts=3)
    connect(page_id=other.id, token=sandbox.token_of(other))
    connected = connect()
    disconnect_page(sqlite_store, secrets, SystemClock(), connected.id, actor="Ada")
    assert secrets.get(f"app:{sandbox.app_id}:secret") == sandbox.app_secret


def test_a_page_that_was_never_connected_cannot_be_disconnected(
    sqlite_store: Store, secrets: FileSecrets
) -> None:
    with pytest.raises(NotFound):
        disconnect_page(sqlite_store, secrets, SystemClock(), 7, actor="Ada")


def test_a_state_that_does_not_change_is_not_noted_again(connect: Connect, sqlite_store: Store) -> None:
    page_id, later = connect().id, datetime(2026, 12, 1, tzinfo=UTC)
    with sqlite_store.write() as conn:
        assert set_state(conn, page_id, PageState.RESTRICTED, "Stopped.", later)
        assert not set_state(conn, page_id, PageState.RESTRICTED, "Stopped.", later)
        assert set_state(conn, page_id, PageState.RESTRICTED, "Stopped again.", later)
