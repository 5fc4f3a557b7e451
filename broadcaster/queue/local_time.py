"""Campaigns that arrive at the same wall time everywhere: each person's row waits for their own zone."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone

from sqlalchemy import Connection, select, update

from broadcaster.campaigns.catalogue import CampaignRow
from broadcaster.queue.ledger import CONTACTS, ROWS
from broadcaster.zones import instant_of, zone_of

_FIRST_ZONE = timezone(timedelta(hours=14))
"""Where every day begins first."""


def wall_of(campaign: CampaignRow) -> datetime | None:
    """The wall time at which everybody shall get it, None where the campaign does not ask for that."""
    if not campaign.options.get("recipient_local") or campaign.start_at is None:
        return None
    if campaign.start_wall:
        return datetime.fromisoformat(campaign.start_wall).replace(tzinfo=None)
    return campaign.start_at.astimezone(zone_of(campaign.start_zone)).replace(tzinfo=None)


def first_start(campaign: CampaignRow) -> datetime | None:
    """When a scheduled campaign must be launched: in local time before its first zone gets there."""
    wall = wall_of(campaign)
    if wall is None or campaign.start_at is None:
        return campaign.start_at
    return min(campaign.start_at, instant_of(wall, _FIRST_ZONE))


def spread_by_local_time(conn: Connection, campaign: CampaignRow, at: datetime) -> None:
    """Let the campaign's rows wait until the wall time has come where each person lives."""
    wall = wall_of(campaign)
    if wall is None:
        return
    of_campaign = ROWS.c.campaign_id == campaign.id
    people = select(ROWS.c.contact_id).where(of_campaign)
    zones = (
        conn.execute(select(CONTACTS.c.timezone).where(CONTACTS.c.id.in_(people)).distinct()).scalars().all()
    )
    for zone in zones:
        due = instant_of(wall, zone_of(zone, campaign.start_zone or "UTC"))
        if due <= at.astimezone(UTC):
            continue
        here = CONTACTS.c.timezone.is_(None) if zone is None else CONTACTS.c.timezone == zone
        there = select(CONTACTS.c.id).where(CONTACTS.c.page_id == campaign.page_id, here)
        conn.execute(update(ROWS).where(of_campaign, ROWS.c.contact_id.in_(there)).values(due_at=due))
