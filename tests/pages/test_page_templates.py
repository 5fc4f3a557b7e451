"""Utility templates: checked before they leave, created, synced, deleted."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from broadcaster.clock import SystemClock
from broadcaster.errors import BadInput, NotFound
from broadcaster.graph import templates as remote
from broadcaster.graph.client import GraphClient
from broadcaster.pages import templates
from broadcaster.pages.connect import ConnectedPage
from broadcaster.sandbox import Sandbox
from broadcaster.states import TemplateStatus
from broadcaster.store import Store

GOOD: dict[str, Any] = {
    "name": "order_ready",
    "language": "en",
    "components": [
        {
            "type": "BODY",
            "text": "Hello {{1}}, your order {{2}} is ready to be picked up at our workshop.",
            "example": {"body_text": [["Ada", "1001"]]},
        },
        {"type": "BUTTONS", "buttons": [{"type": "POSTBACK", "text": "Thanks", "payload": "OK"}]},
    ],
}


def body(text: str, **more: Any) -> dict[str, Any]:
    return {**GOOD, "components": [{"type": "BODY", "text": text, "example": {"body_text": [["x"]]}, **more}]}


@pytest.fixture
def page_id(connect: Callable[..., ConnectedPage]) -> int:
    return connect().id


def test_a_template_goes_from_pending_to_approved(
    sqlite_store: Store, client: GraphClient, sandbox: Sandbox, page_id: int
) -> None:
    made = templates.create(sqlite_store, client, SystemClock(), page_id, GOOD)
    assert (made.name, made.status) == ("order_ready", TemplateStatus.PENDING)
    sandbox.settle()
    assert templates.sync(sqlite_store, client, SystemClock(), page_id) == 1
    with sqlite_store.read() as conn:
        row = templates.listing(conn, page_id)[0]
    assert (row.status, row.rejected_reason, len(row.components)) == (TemplateStatus.APPROVED, None, 2)


def test_a_rejected_template_keeps_the_reason(
    sqlite_store: Store, client: GraphClient, sandbox: Sandbox, page_id: int
) -> None:
    definition = {
        "name": "big_sale",
        "language": "en",
        "components": [{"type": "BODY", "text": "Our sale is on."}],
    }
    templates.create(sqlite_store, client, SystemClock(), page_id, definition)
    sandbox.settle()
    templates.sync(sqlite_store, client, SystemClock(), page_id)
    with sqlite_store.read() as conn:
        row = templates.listing(conn, page_id)[0]
    assert (row.status, row.rejected_reason) == (TemplateStatus.REJECTED, "TAG_SHOULD_BE_MARKETING")


def test_deleting_one_language_leaves_the_other(
    sqlite_store: Store, client: GraphClient, page_id: int
) -> None:
    for language in ("en", "de"):
        templates.create(sqlite_store, client, SystemClock(), page_id, {**GOOD, "language": language})
    templates.delete(sqlite_store, client, page_id, "order_ready", "de")
    with sqlite_store.read() as conn:
        assert [row.language for row in templates.listing(conn, page_id)] == ["en"]
    assert [row.language for row in remote.fetch(client)] == ["en"]


def test_what_the_platform_no_longer_has_is_gone_after_a_sync(
    sqlite_store: Store, client: GraphClient, page_id: int
) -> None:
    templates.create(sqlite_store, client, SystemClock(), page_id, GOOD)
    remote.delete(client, "order_ready")
    templates.sync(sqlite_store, client, SystemClock(), page_id)
    with sqlite_store.read() as conn:
        assert templates.listing(conn, page_id) == []


def test_deleting_an_unknown_language_is_not_found(
    sqlite_store: Store, client: GraphClient, page_id: int
) -> None:
    with pytest.raises(NotFound):
        templates.delete(sqlite_store, client, page_id, "order_ready", "fr")


def test_metas_library_can_be_searched(client: GraphClient) -> None:
    rows = remote.library(client)
    assert rows
    assert all(row["name"] and row["body"] for row in rows)


@pytest.mark.parametrize(
    ("definition", "words"),
    [
        ("text", "object with name"),
        ({**GOOD, "name": "Order Ready"}, "lower-case"),
        ({**GOOD, "language": "english"}, "language"),
        ({**GOOD, "category": "MARKETING"}, "category UTILITY"),
        ({**GOOD, "parameter_format": "FREE"}, "POSITIONAL or NAMED"),
        ({**GOOD, "extra": 1}, "no field 'extra'"),
        ({**GOOD, "components": None}, "list of objects"),
        ({**GOOD, "components": []}, "exactly one component of type BODY"),
        ({**GOOD, "components": [*GOOD["components"], {"type": "FOOTER"}]}, "no component 'FOOTER'"),
        (body("x" * 1025), "1 to 1024"),
        (body("  "), "1 to 1024"),
        (body("{{1}} is ready"), "begin or end"),
        (body("Ready: {{1}}"), "begin or end"),
        (body("Your order {{2}} of {{1}} is ready"), "in order"),
        (body("Your order {{a#}} is ready"), "not allowed"),
        (body("Your order {{1}} is ready", example=None), "no example"),
        ({**GOOD, "components": [GOOD["components"][0], {"type": "BUTTONS", "buttons": []}]}, "1 to 3"),
        (
            {
                **GOOD,
                "components": [
                    GOOD["components"][0],
                    {"type": "BUTTONS", "buttons": [{"type": "QUICK_REPLY", "text": "Yes"}]},
                ],
            },
            "cannot be 'QUICK_REPLY'",
        ),
        (
            {
                **GOOD,
                "components": [
                    GOOD["components"][0],
                    {"type": "BUTTONS", "buttons": [{"type": "POSTBACK", "text": "y" * 21}]},
                ],
            },
            "not 1 to 20",
        ),
    ],
)
def test_what_meta_would_refuse_is_refused_here(definition: object, words: str) -> None:
    with pytest.raises(BadInput, match=words):
        remote.draft(definition)


def test_named_placeholders_need_no_order() -> None:
    named = {**body("Your order {{order}} of {{day}} is ready"), "parameter_format": "NAMED"}
    assert remote.draft(named).parameter_format == "NAMED"
