"""Everything that can be said about a campaign before it is sent: who is reached, and what it says."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, select

from broadcaster.campaigns.catalogue import CampaignRow
from broadcaster.campaigns.question import question_for
from broadcaster.clock import iso
from broadcaster.content.message import Message
from broadcaster.content.promotional import Finding, Severity, TextCheck, default_checker
from broadcaster.policy import decide
from broadcaster.policy.decide import Waterfall
from broadcaster.policy.question import Question
from broadcaster.policy.skew import warning as skew_warning
from broadcaster.states import FeatureState, Reason
from broadcaster.store.tables import FindingVerdict, Page

VERDICTS = FindingVerdict.__table__  # type: ignore[attr-defined]
PAGES = Page.__table__  # type: ignore[attr-defined]


@dataclass(frozen=True, slots=True)
class CampaignCheck:
    """``reach`` counts people; ``text`` holds the findings; ``notices`` are about the way to send."""

    reach: Waterfall
    text: TextCheck
    notices: tuple[Finding, ...]
    at: datetime
    pack: str

    @property
    def warnings(self) -> tuple[Finding, ...]:
        return (*self.notices, *self.text.findings)

    @property
    def needs_reason(self) -> bool:
        """True where only a reviewer's reasoned approval lets it through."""
        return any(finding.severity == "violation" for finding in self.warnings)

    def as_json(self) -> dict[str, Any]:
        """The contract of ``campaign check --json``."""
        return {
            "audience": self.reach.audience,
            "eligible": self.reach.eligible,
            "blocked": self.reach.blocked,
            "reasons": {str(reason): count for reason, count in self.reach.reasons.items()},
            "also_failing": {str(reason): count for reason, count in self.reach.also_failing.items()},
            "closing_soon": self.reach.closing_soon,
            "possible": self.reach.possible,
            "future_times": self.reach.future_times,
            "warnings": [finding_json(finding) for finding in self.warnings],
            "promotional": self.text.promotional,
            "fits_permission": self.text.fits_permission,
            "at": iso(self.at),
            "policy": {"pack": self.pack, "as_of": iso(self.at)},
        }


def reach_at_launch(campaign: CampaignRow) -> Waterfall | None:
    """Who was reached when it was launched; None before. Asked anew it would find that all have it."""
    if campaign.launched_at is None:
        return None
    audience, eligible = campaign.audience_at_launch or 0, campaign.eligible_at_launch or 0
    reasons = {Reason(key): count for key, count in campaign.reasons_at_launch.items()}
    return Waterfall(audience, eligible, audience - eligible, reasons, reasons, 0)


def finding_json(finding: Finding) -> dict[str, Any]:
    keys = ("rule", "severity", "start", "end", "text", "reason", "advice")
    return {**{key: getattr(finding, key) for key in keys}, "part": finding.part}


def check_campaign(
    conn: Connection, campaign: CampaignRow, at: datetime, permission: str | None = None
) -> CampaignCheck:
    """Decide the audience at ``at`` and read the text, for this or another way to send."""
    question = question_for(conn, campaign, at, permission)
    reach = decide.check(conn, question)
    about_clocks = (*_clock_notice(conn, campaign, question.margin_seconds), *_future_notice(reach))
    return CampaignCheck(
        reach=reach,
        text=check_text(conn, campaign, permission),
        notices=(*notices_of(question), *about_clocks),
        at=at,
        pack=f"{question.pack.name} {question.pack.version}",
    )


def check_text(conn: Connection, campaign: CampaignRow, permission: str | None = None) -> TextCheck:
    """Findings in every text of the message. A Page's allowed terms are respected."""
    platform = conn.execute(select(PAGES.c.platform).where(PAGES.c.id == campaign.page_id)).scalar_one()
    parts = Message(campaign.message, platform).parts()
    terms = allowed_terms(conn, campaign.page_id)
    return default_checker().check_parts(parts, permission or campaign.permission, allowed_terms=terms)


def allowed_terms(conn: Connection, page_id: int) -> tuple[str, ...]:
    """Terms a Page may use freely, such as a brand called "Sale"."""
    query = select(VERDICTS.c.text).where(VERDICTS.c.page_id == page_id, VERDICTS.c.rule.is_(None))
    return tuple(conn.execute(query).scalars())


def _clock_notice(conn: Connection, campaign: CampaignRow, margin_seconds: int) -> list[Finding]:
    """Windows are judged by this computer's clock: say when the platform's differs."""
    skew = conn.execute(select(PAGES.c.clock_skew_ms).where(PAGES.c.id == campaign.page_id)).scalar_one()
    words = skew_warning(skew, margin_seconds)
    return [_notice("clock_skew", "warning", words, "Set the clock by a time server.")] if words else []


def _future_notice(reach: Waterfall) -> list[Finding]:
    """People whose last action is later than the sending: without a window nothing else would tell of them."""
    if not reach.future_times:
        return []
    words = f"{reach.future_times} of the audience acted last at a time after the one asked about."
    mend = "Ask about a later time; if theirs has not come yet, a clock was wrong: import the right one."
    return [_notice("time_in_future", "warning", words, mend)]


def notices_of(question: Question) -> list[Finding]:
    """What to know about the way to send itself: where it is not for bulk, or a feature is unknown."""
    permission = question.pack.permission(question.permission)
    found = []
    if permission.bulk_warning:
        found.append(
            _notice("not_for_bulk", "violation", permission.bulk_warning, "Approve it only with a reason.")
        )
    feature = permission.needs_feature
    if feature and question.features.get(feature, FeatureState.UNKNOWN) == FeatureState.UNKNOWN:
        found.append(
            _notice(
                "feature_unknown",
                "warning",
                f"It is not known whether this Page has the feature {feature!r}.",
                "Check the Page's health, or send a test first.",
            )
        )
    return found


def _notice(rule: str, severity: str, reason: str, advice: str) -> Finding:
    return Finding(rule, Severity(severity), 0, 0, "", reason, advice, "policy pack", part="way to send")
