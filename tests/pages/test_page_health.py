"""The health check: each failing point has its mend, and what was learned is stored."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

import pytest

from broadcaster.clock import SystemClock
from broadcaster.graph.client import GraphClient
from broadcaster.pages import listing
from broadcaster.pages.connect import ConnectedPage
from broadcaster.pages.health import HealthReport, check_page
from broadcaster.sandbox import Fault, Sandbox
from broadcaster.states import PageState
from broadcaster.store import Store

Check = Callable[[], HealthReport]


@pytest.fixture
def check(connect: Callable[..., ConnectedPage], sqlite_store: Store, client: GraphClient) -> Check:
    connected = connect()

    def run() -> HealthReport:
        return check_page(sqlite_store, client, SystemClock(), connected.id)

    return run


def state(store: Store) -> tuple[PageState, str | None]:
    with store.read() as conn:
        page = listing.pages(conn)[0]
    return page.state, page.state_text


def failing(report: HealthReport) -> dict[str, str]:
    points = {point.name: point for point in report.points if not point.ok}
    assert all(point.mend for point in points.values())
    return {name: point.text for name, point in points.items()}


def test_a_connected_page_is_healthy(check: Check, sqlite_store: Store) -> None:
    report = check()
    assert report.healthy, failing(report)
    names = {point.name for point in report.points}
    assert names >= {"address", "version", "token", "page", "permissions", "webhooks", "routing", "clock"}
    assert state(sqlite_store) == (PageState.READY, None)


def test_a_dead_token_stops_the_page_and_says_how_to_mend_it(
    check: Check, sandbox: Sandbox, sqlite_store: Store
) -> None:
    sandbox.revoke_token()
    assert set(failing(check())) == {"token"}
    found, text = state(sqlite_store)
    assert found is PageState.TOKEN_INVALID
    assert text is not None
    assert text.endswith("connect the Page again.")


def test_missing_permissions_are_named(check: Check, sandbox: Sandbox, sqlite_store: Store) -> None:
    def narrow() -> None:
        for token in sandbox.page.world.tokens.values():
            token.scopes = ("pages_show_list", "pages_manage_metadata", "pages_read_engagement")

    sandbox.run(narrow)
    assert failing(check())["permissions"] == "Permissions are missing: pages_messaging."
    assert state(sqlite_store)[0] is PageState.PERMISSION_MISSING
    with sqlite_store.read() as conn:
        assert listing.pages(conn)[0].features["utility"] == "missing"


def test_a_page_that_is_not_subscribed_is_told(check: Check, sandbox: Sandbox, client: GraphClient) -> None:
    client.unsubscribe()
    assert "not subscribed" in failing(check())["webhooks"]


def test_a_wrong_clock_is_told(check: Check, sandbox: Sandbox) -> None:
    sandbox.clock.move(timedelta(minutes=3))
    assert failing(check())["clock"] == "This computer's clock is 180 s behind the platform's."


def test_a_passing_trouble_of_the_platform_does_not_stop_the_page(
    check: Check, sandbox: Sandbox, sqlite_store: Store
) -> None:
    sandbox.faults.order(Fault("http_error", target="any", status=500))
    assert not check().healthy
    assert state(sqlite_store)[0] is PageState.READY


def test_a_check_does_not_lift_a_restriction(check: Check, sqlite_store: Store) -> None:
    from broadcaster.pages.state import set_state

    with sqlite_store.write() as conn:
        set_state(conn, 1, PageState.RESTRICTED, "Meta stopped this Page.", SystemClock().now())
    assert failing(check())["restriction"] == "Meta stopped this Page."
    assert state(sqlite_store)[0] is PageState.RESTRICTED
