"""The figures of one campaign: every one counted from rows, and checked to add up."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, select

from broadcaster.campaigns.catalogue import CampaignRow
from broadcaster.campaigns.question import question_for
from broadcaster.clock import iso
from broadcaster.policy import decide
from broadcaster.queue import counting
from broadcaster.queue.counting import Counts, ErrorCount
from broadcaster.states import Platform
from broadcaster.store.tables import Page

PAGES = Page.__table__  # type: ignore[attr-defined]


@dataclass(frozen=True, slots=True)
class CampaignStatus:
    """``audience``, ``eligible``, ``blocked`` are of the launch, or of now when it has not started."""

    campaign: CampaignRow
    audience: int
    eligible: int
    blocked: int
    reasons: dict[str, int]
    skipped_reasons: dict[str, int]
    counts: Counts
    errors: tuple[ErrorCount, ...]
    platform: str
    as_of: datetime

    @property
    def adds_up(self) -> bool:
        """intended = sent + failed + skipped + unconfirmed + cancelled + waiting + sending"""
        launched = self.campaign.launched_at is not None
        return not launched or (self.counts.adds_up and self.counts.intended == self.eligible)

    @property
    def since_approval(self) -> int | None:
        """How many more (or fewer, below zero) can be reached than when it was approved; None: it is not."""
        approved = self.campaign.eligible_at_approval if self.campaign.seal else None
        return None if approved is None else self.eligible - approved

    @property
    def blind_spots(self) -> tuple[str, ...]:
        """What this channel cannot tell, in words."""
        told = ["Delivered and read come by webhook only; without it they stay at zero."]
        if self.platform == Platform.INSTAGRAM:
            told.append("Instagram reports no delivery: a message goes from sent to read.")
        return tuple(told)

    def as_json(self) -> dict[str, Any]:
        """The contract of ``campaign status --json``."""
        counts = self.counts
        names = (
            "waiting",
            "sending",
            "sent",
            "delivered",
            "read",
            "failed",
            "skipped",
            "unconfirmed",
            "cancelled",
        )
        return {
            "name": self.campaign.name,
            "state": self.campaign.state,
            "audience": self.audience,
            "eligible": self.eligible,
            "blocked": self.blocked,
            "eligible_at_approval": self.campaign.eligible_at_approval,
            "since_approval": self.since_approval,
            **{name: getattr(counts, name) for name in names},
            "reasons": self.reasons,
            "skipped_reasons": self.skipped_reasons,
            "errors": [
                {"code": e.code, "subcode": e.subcode, "count": e.count, "title": e.title, "advice": e.advice}
                for e in self.errors
            ],
            "adds_up": self.adds_up,
            "pause": self.campaign.pause_text,
            "start_at": iso(self.campaign.start_at) if self.campaign.start_at else None,
            "as_of": iso(self.as_of),
        }


def status(conn: Connection, campaign: CampaignRow, at: datetime) -> CampaignStatus:
    """Where a campaign stands at ``at``."""
    counts = counting.counts(conn, campaign.id)
    if campaign.launched_at is None:
        reach = decide.check(conn, question_for(conn, campaign, campaign.start_at or at))
        audience, eligible = reach.audience, reach.eligible
        reasons = {str(reason): count for reason, count in reach.reasons.items()}
    else:
        audience, eligible = campaign.audience_at_launch or 0, campaign.eligible_at_launch or 0
        reasons = dict(campaign.reasons_at_launch)
    return CampaignStatus(
        campaign=campaign,
        audience=audience,
        eligible=eligible,
        blocked=audience - eligible,
        reasons=reasons,
        skipped_reasons=counting.reasons(conn, campaign.id),
        counts=counts,
        errors=tuple(counting.errors(conn, campaign.id)),
        platform=conn.execute(select(PAGES.c.platform).where(PAGES.c.id == campaign.page_id)).scalar_one(),
        as_of=at,
    )
