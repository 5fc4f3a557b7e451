"""A campaign that is not stored (or is being changed), as a row: what the composer asks its questions of."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, update

from broadcaster.campaigns.catalogue import CAMPAIGNS, CampaignRow
from broadcaster.errors import IllegalMove
from broadcaster.states import CampaignState, LatePolicy

NOBODY = 0
"""Id of a campaign that is not stored: nobody has its message."""


def sketch(
    page_id: int, audience_id: int, permission: str, message: Mapping[str, Any], at: datetime, **more: Any
) -> CampaignRow:
    """A draft's row without storing it. ``message`` may be unfinished: only reach and text are asked of it."""
    blank: dict[str, Any] = {field.name: None for field in fields(CampaignRow)}
    given = {
        "id": NOBODY,
        "name": "",
        "page_id": page_id,
        "audience_id": audience_id,
        "permission": permission,
        "message": dict(message),
        "exclude": [],
        "throttle_per_second": 10.0,
        "options": {},
        "late_policy": LatePolicy.ASK.value,
        "state": CampaignState.DRAFT.value,
        "revision": 1,
        "created_at": at,
        "created_by": "",
        "updated_at": at,
        "reasons_at_launch": {},
    }
    return CampaignRow(**{**blank, **given, **more})


def plan(
    conn: Connection, campaign_id: int, start: datetime | None, *, wall: str | None, zone: str | None
) -> None:
    """Note when a campaign is meant to start. It starts only once it is approved and scheduled.

    Raises IllegalMove for one that is scheduled (``lifecycle.schedule`` moves it) or has run.
    """
    planned = conn.execute(
        update(CAMPAIGNS)
        .where(
            CAMPAIGNS.c.id == campaign_id,
            CAMPAIGNS.c.state.in_((CampaignState.DRAFT, CampaignState.SUBMITTED, CampaignState.APPROVED)),
        )
        .values(start_at=start, start_wall=wall, start_zone=zone)
    )
    if planned.rowcount == 0:
        raise IllegalMove("Its start can no longer be planned.", "Schedule it anew, or make a copy of it.")
