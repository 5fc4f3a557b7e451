"""Campaigns that repeat: each launch plans the next one, until the end its author set.

An occurrence is a campaign of its own with the same approved content; the approval's seal is checked
again at its launch, so anything changed meanwhile holds it back.
"""

from __future__ import annotations

import calendar
from dataclasses import fields
from datetime import UTC, date, datetime, timedelta
from typing import Any

from sqlalchemy import Connection, func, insert, select

from broadcaster.audit.log import record
from broadcaster.campaigns.catalogue import CampaignRow, get
from broadcaster.clock import Clock, iso
from broadcaster.queue.breaker import SENDER
from broadcaster.queue.ledger import CAMPAIGNS
from broadcaster.states import CampaignState
from broadcaster.store import Store
from broadcaster.zones import instant_of, zone_of

_FRESH: dict[str, Any] = {
    "launched_at": None, "finished_at": None, "canary_passed_at": None, "policy_pack": None,
    "audience_at_launch": None, "eligible_at_launch": None, "reasons_at_launch": {},
    "pause_cause": None, "pause_text": None,
}  # fmt: skip


def next_start(campaign: CampaignRow) -> tuple[datetime, datetime] | None:
    """(instant, wall time) of the occurrence after this one by its own zone; None when it does not repeat."""
    if campaign.repeat is None or campaign.start_at is None:
        return None
    zone = zone_of(campaign.start_zone)
    wall = (
        datetime.fromisoformat(campaign.start_wall).replace(tzinfo=None)
        if campaign.start_wall
        else campaign.start_at.astimezone(zone).replace(tzinfo=None)
    )
    every = campaign.repeat["every"]
    if every == "month":
        following = _next_month(wall)
    else:
        following = wall + timedelta(days=7 if every == "week" else 1)
    return instant_of(following, zone), following


def plan_next(store: Store, clock: Clock, campaign_id: int) -> int | None:
    """Schedule the occurrence after a launched one; returns its id, None when that was the last."""
    with store.write() as conn:
        campaign = get(conn, campaign_id)
        following = next_start(campaign)
        if following is None or campaign.repeat is None:
            return None
        root, number = _series(conn, campaign)
        if not _goes_on(campaign.repeat, following[1].date(), number):
            return None
        already = select(CAMPAIGNS.c.id).where(
            CAMPAIGNS.c.parent_id == campaign.id, CAMPAIGNS.c.start_at == following[0]
        )
        if conn.execute(already).first() is not None:
            return None
        return _insert(conn, campaign, root, number + 1, following, clock.now())


def _next_month(wall: datetime) -> datetime:
    year, month = divmod(wall.year * 12 + wall.month, 12)
    last = calendar.monthrange(year, month + 1)[1]
    return wall.replace(year=year, month=month + 1, day=min(wall.day, last))


def _series(conn: Connection, campaign: CampaignRow) -> tuple[str, int]:
    """The first one's name, and this one's number in the series."""
    number, row = 1, campaign
    while row.parent_id is not None:
        parent = get(conn, row.parent_id)
        if parent.repeat is None:
            break
        number, row = number + 1, parent
    return row.name, number


def _goes_on(repeat: dict[str, Any], day: date, number: int) -> bool:
    if "times" in repeat:
        return number < int(repeat["times"])
    return day <= date.fromisoformat(str(repeat["until"])[:10])


def _insert(
    conn: Connection,
    campaign: CampaignRow,
    root: str,
    number: int,
    following: tuple[datetime, datetime],
    at: datetime,
) -> int:
    start, wall = following
    values = {column.name: getattr(campaign, column.name) for column in fields(CampaignRow)}
    del values["id"]
    name = _free_name(conn, f"{root} ({number})")
    values |= _FRESH | {
        "name": name,
        "parent_id": campaign.id,
        "state": CampaignState.SCHEDULED,
        "start_at": start,
        "start_wall": wall.isoformat(timespec="minutes"),
        "start_zone": campaign.start_zone or "UTC",
        "created_at": at,
        "updated_at": at,
    }
    made = conn.execute(insert(CAMPAIGNS).values(**values))
    record(
        conn,
        at=at,
        actor=SENDER,
        action="scheduled",
        subject_kind="campaign",
        subject=name,
        detail={"start": iso(start.astimezone(UTC)), "repeats": root},
    )
    return int((made.inserted_primary_key or (0,))[0])


def _free_name(conn: Connection, name: str) -> str:
    taken = conn.execute(select(func.count()).where(CAMPAIGNS.c.name.like(f"{name}%"))).scalar_one()
    return name if not taken else f"{name} {taken + 1}"
