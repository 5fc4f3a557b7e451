"""Which Pages may send now, and for which running campaigns."""

from __future__ import annotations

from dataclasses import dataclass, fields
from datetime import datetime, timedelta
from itertools import groupby
from typing import Any

from sqlalchemy import Connection, bindparam, or_, select, type_coerce
from sqlalchemy.types import NULLTYPE

from broadcaster.campaigns.catalogue import CampaignRow
from broadcaster.clock import epoch_ms
from broadcaster.content.message import Message
from broadcaster.queue.canary import ramped
from broadcaster.queue.ledger import CAMPAIGNS
from broadcaster.queue.pacing import page_limit, slowed
from broadcaster.queue.prepared import PreparedQuery
from broadcaster.states import CampaignState, PageState
from broadcaster.store.tables import Page

PAGES = Page.__table__  # type: ignore[attr-defined]


@dataclass(frozen=True, slots=True)
class Plan:
    """A Page that may send, with its running campaigns by id."""

    page_id: int
    platform: str
    own_limit: float
    usage_percent: int
    campaigns: tuple[CampaignRow, ...]

    @property
    def key(self) -> str:
        """Names the Page's pace."""
        return f"page:{self.page_id}"

    @property
    def media(self) -> bool:
        """Would the next message count against the slower limit? (a guess before one is leased)"""
        return all(Message(campaign.message, self.platform).is_media for campaign in self.campaigns)

    def limit(self, at: datetime, usage_percent: int) -> float:
        """Messages a second for the Page in total, now."""
        limit = page_limit(self.own_limit, [ramped(campaign, at) for campaign in self.campaigns])
        return slowed(limit, max(usage_percent, 0))


_NAMES = [column.name for column in fields(CampaignRow)]
_COLUMNS = (
    *(CAMPAIGNS.c[name] for name in _NAMES),
    PAGES.c.platform,
    PAGES.c.throttle_per_second.label("own"),
    PAGES.c.usage_percent,
)
_MAY_SEND = (
    select(*_COLUMNS)
    .join(PAGES, PAGES.c.id == CAMPAIGNS.c.page_id)
    .where(
        CAMPAIGNS.c.state == CampaignState.RUNNING,
        PAGES.c.state == PageState.READY,
        or_(PAGES.c.blocked_until.is_(None), PAGES.c.blocked_until <= bindparam("b_at")),
    )
    .order_by(CAMPAIGNS.c.page_id, CAMPAIGNS.c.id)
)
_AS_STORED = PreparedQuery(
    _MAY_SEND.with_only_columns(*(type_coerce(column, NULLTYPE) for column in _COLUMNS))
)


class Plans:
    """Remembers how the rows were stored: read many times a second, they hardly ever change."""

    def __init__(self) -> None:
        self._stored: list[tuple[Any, ...]] = []
        self._plans: list[Plan] = []

    def now(self, conn: Connection, at: datetime) -> list[Plan]:
        """Pages that are ready, not told to wait, and have running campaigns."""
        stored = _AS_STORED.rows(conn, b_at=epoch_ms(at))
        if stored != self._stored:
            self._plans, self._stored = _plans(conn, at), stored
        return self._plans


def _plans(conn: Connection, at: datetime) -> list[Plan]:
    found = []
    for page_id, group in groupby(conn.execute(_MAY_SEND, {"b_at": at}), key=lambda row: row.page_id):
        rows = list(group)
        campaigns = tuple(CampaignRow(*row[: len(_NAMES)]) for row in rows)
        first = rows[0]
        found.append(Plan(page_id, first.platform, first.own, first.usage_percent, campaigns))
    return found


def first_call_at(campaign: CampaignRow) -> datetime | None:
    """When the undo countdown of a launched campaign is over; None before its launch."""
    if campaign.launched_at is None:
        return None
    return campaign.launched_at + timedelta(seconds=float(campaign.options.get("undo_seconds") or 0))
