"""What an approval covers: a hash over everything that decides who gets what, and what changed since."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection

from broadcaster.audiences import saved
from broadcaster.campaigns.catalogue import CampaignRow
from broadcaster.policy.active import active_pack


@dataclass(frozen=True, slots=True)
class Change:
    """One field that differs from what was approved."""

    field: str
    approved: Any
    now: Any


def content_of(conn: Connection, campaign: CampaignRow) -> dict[str, Any]:
    """Everything an approval covers, as plain JSON."""
    pack = active_pack(conn)
    return {
        "message": campaign.message,
        "permission": campaign.permission,
        "audience": _definition(saved.get_by_id(conn, campaign.audience_id)),
        "exclude": [_definition(saved.get(conn, name)) for name in campaign.exclude],
        "throttle_per_second": campaign.throttle_per_second,
        "quiet_hours": campaign.quiet_hours,
        "frequency_cap": campaign.frequency_cap,
        "options": campaign.options,
        "repeat": campaign.repeat,
        "late_policy": campaign.late_policy,
        "policy": f"{pack.name} {pack.version} {pack.checksum}",
    }


def seal_of(content: dict[str, Any]) -> str:
    """SHA-256 over the canonical JSON of ``content_of``."""
    return hashlib.sha256(json.dumps(content, sort_keys=True, ensure_ascii=False).encode()).hexdigest()


def changes_since_approval(conn: Connection, campaign: CampaignRow) -> list[Change]:
    """Fields that differ from the approval; empty when it still holds or there never was one."""
    if campaign.sealed is None:
        return []
    now = content_of(conn, campaign)
    return [
        Change(field, campaign.sealed.get(field), value)
        for field, value in now.items()
        if campaign.sealed.get(field) != value
    ]


def _definition(audience: saved.AudienceRow) -> dict[str, Any]:
    return {"name": audience.name, "kind": audience.kind, "filter": audience.filter}
