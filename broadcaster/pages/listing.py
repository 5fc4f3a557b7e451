"""The connected Pages as rows for screens and commands."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, func, select

from broadcaster.errors import NotFound
from broadcaster.states import PageState
from broadcaster.store.tables import Contact, Page

PAGES = Page.__table__  # type: ignore[attr-defined]
CONTACTS = Contact.__table__  # type: ignore[attr-defined]


@dataclass(frozen=True, slots=True)
class PageRow:
    """One Page. ``id`` is ours, ``graph_id`` Meta's; ``state_text`` says what to do when it may not send."""

    id: int
    graph_id: str
    name: str
    platform: str
    graph_url: str
    graph_version: str
    app_id: str | None
    instagram_id: str | None
    state: PageState
    state_text: str | None
    state_at: datetime | None
    features: Mapping[str, str]
    scopes: tuple[str, ...]
    token_expires_at: datetime | None
    webhook_subscribed: bool
    last_webhook_at: datetime | None
    last_sync_at: datetime | None
    clock_skew_ms: int | None
    blocked_until: datetime | None
    throttle_per_second: float
    usage_percent: int
    practice: bool
    connected_at: datetime
    people: int


def pages(conn: Connection) -> list[PageRow]:
    """All Pages by name, the disconnected ones too, with how many people each knows."""
    return [_row(row) for row in conn.execute(_select().order_by(PAGES.c.name, PAGES.c.id))]


def page(conn: Connection, page_id: int) -> PageRow:
    """One Page; NotFound."""
    row = conn.execute(_select().where(PAGES.c.id == page_id)).one_or_none()
    if row is None:
        raise NotFound("That Page is not connected.", "Connect it first: broadcaster page connect.")
    return _row(row)


def _select() -> Any:
    people = (
        select(func.count())
        .select_from(CONTACTS)
        .where(CONTACTS.c.page_id == PAGES.c.id)
        .scalar_subquery()
        .label("people")
    )
    return select(PAGES, people)


def _row(row: Row[Any]) -> PageRow:
    values = {name: getattr(row, name) for name in PageRow.__dataclass_fields__}
    return PageRow(**{**values, "state": PageState(row.state), "scopes": tuple(row.scopes)})
