"""Campaigns in every state, for the tests of the pages that show them."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import select, update

from broadcaster.audiences import saved
from broadcaster.campaigns import catalogue, lifecycle
from broadcaster.campaigns.catalogue import CampaignRow
from broadcaster.campaigns.definition import parse_campaign
from broadcaster.queue.launch import launch
from broadcaster.store.tables import Delivery
from broadcaster.workspace import Workspace

ROWS = Delivery.__table__  # type: ignore[attr-defined]

AUDIENCE = "Everyone"


def audience(
    space: Workspace, page_id: int, name: str = AUDIENCE, given: dict[str, Any] | None = None
) -> int:
    with space.store.write() as conn:
        kept = saved.save(conn, page_id, name, given or {"all": []}, kind="dynamic", now=space.clock.now())
    return kept.id


def draft(space: Workspace, page_id: int, name: str = "Hello", **more: Any) -> int:
    audience(space, page_id)
    given = {
        "name": name,
        "page": "104",
        "audience": AUDIENCE,
        "permission": "standard",
        "message": {"text": "Hi {{first_name|there}}, we are open until 20:00."},
        **more,
    }
    with space.store.write() as conn:
        return catalogue.create(conn, parse_campaign(given), actor="anna", at=space.clock.now())


def submitted(space: Workspace, page_id: int, name: str = "Hello", **more: Any) -> int:
    made = draft(space, page_id, name, **more)
    with space.store.write() as conn:
        lifecycle.submit(conn, made, actor="anna", at=space.clock.now())
    return made


def approved(space: Workspace, page_id: int, name: str = "Hello", **more: Any) -> int:
    made = submitted(space, page_id, name, **more)
    with space.store.write() as conn:
        lifecycle.approve(conn, made, actor="boris", at=space.clock.now(), note="Looks right")
    return made


def scheduled(
    space: Workspace, page_id: int, name: str = "Hello", at: datetime | None = None, **more: Any
) -> int:
    made = approved(space, page_id, name, **more)
    start = at or space.clock.now() + timedelta(hours=3)
    with space.store.write() as conn:
        lifecycle.schedule(conn, made, start, actor="anna", at=space.clock.now())
    return made


def running(space: Workspace, page_id: int, name: str = "Hello", **more: Any) -> int:
    made = scheduled(space, page_id, name, **more)
    launch(space.store, space.clock, made, "anna")
    return made


def set_rows(space: Workspace, campaign_id: int, first: int, count: int, **values: Any) -> list[int]:
    """Let so many rows of the ledger, from the ``first`` on, be as ``values`` say."""
    with space.store.write() as conn:
        query = select(ROWS.c.id).where(ROWS.c.campaign_id == campaign_id).order_by(ROWS.c.id)
        ids = list(conn.execute(query).scalars())[first : first + count]
        conn.execute(update(ROWS).where(ROWS.c.id.in_(ids)).values(**values))
    return ids


def get(space: Workspace, name_or_id: str | int) -> CampaignRow:
    with space.store.read() as conn:
        return catalogue.get(conn, name_or_id)
