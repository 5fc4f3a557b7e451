"""Campaigns that repeat: each one that falls due plans the next, until the end its author set.

Whatever becomes of it then (launched, held back, missed), the series goes on. Dates that passed while
nothing could start them are left out: they do not pile up.

An occurrence is a campaign of its own with the same approved content; the approval's seal is checked
again at its launch, so anything changed meanwhile holds it back.
"""

from __future__ import annotations

import calendar
from dataclasses import dataclass, fields
from datetime import UTC, date, datetime, timedelta
from itertools import chain, count
from typing import Any

from sqlalchemy import Connection, insert, select

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


def next_start(
    campaign: CampaignRow, after: datetime | None = None, day: int | None = None
) -> tuple[datetime, datetime] | None:
    """(instant, wall time) of the first occurrence after this one, and after ``after``, by its own zone.

    ``day`` of the month the series began with: one that began on the 31st comes back to it after February.
    None when it does not repeat.
    """
    zone, wall = zone_of(campaign.start_zone), _wall(campaign)
    if campaign.repeat is None or wall is None:
        return None
    day = day or wall.day
    while True:
        wall = _one_later(wall, campaign.repeat["every"], day)
        start = instant_of(wall, zone)
        if after is None or start > after:
            return start, wall


def plan_next(store: Store, clock: Clock, campaign_id: int) -> int | None:
    """Schedule the occurrence after one that fell due; returns its id, None when that was the last or the
    next is planned already."""
    with store.read() as conn:
        if get(conn, campaign_id).repeat is None:
            return None
    with store.write() as conn:
        # several workers may look at once: the second waits here and then finds what the first planned
        conn.execute(select(CAMPAIGNS.c.id).where(CAMPAIGNS.c.id == campaign_id).with_for_update())
        campaign = get(conn, campaign_id)
        series = _series(conn, campaign)
        following = next_start(campaign, clock.now(), series.day)
        if following is None or campaign.repeat is None:
            return None
        if not _goes_on(campaign.repeat, following[1].date(), series.number):
            return None
        children = select(CAMPAIGNS.c.repeat).where(CAMPAIGNS.c.parent_id == campaign.id)
        if any(repeat is not None for repeat in conn.execute(children).scalars()):
            return None
        return _insert(conn, campaign, series.root, series.number + 1, following, clock.now())


def _one_later(wall: datetime, every: str, day: int) -> datetime:
    if every != "month":
        return wall + timedelta(days=7 if every == "week" else 1)
    year, month = divmod(wall.year * 12 + wall.month, 12)
    last = calendar.monthrange(year, month + 1)[1]
    return wall.replace(year=year, month=month + 1, day=min(day, last))


@dataclass(frozen=True, slots=True)
class _Series:
    """The first one's name and day of the month, and the present one's number."""

    root: str
    day: int | None
    number: int


def _series(conn: Connection, campaign: CampaignRow) -> _Series:
    number, row = 1, campaign
    while row.parent_id is not None:
        parent = get(conn, row.parent_id)
        if parent.repeat is None:
            break
        number, row = number + 1, parent
    wall = _wall(row)
    return _Series(row.name, wall.day if wall else None, number)


def _wall(campaign: CampaignRow) -> datetime | None:
    if campaign.start_wall:
        return datetime.fromisoformat(campaign.start_wall).replace(tzinfo=None)
    if campaign.start_at is None:
        return None
    return campaign.start_at.astimezone(zone_of(campaign.start_zone)).replace(tzinfo=None)


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
    taken = set(conn.execute(select(CAMPAIGNS.c.name)).scalars())
    return next(free for free in chain([name], (f"{name} {n}" for n in count(2))) if free not in taken)
