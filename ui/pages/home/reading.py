"""What Home asks of the core; runs off the window's thread."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from broadcaster.campaigns import catalogue
from broadcaster.contacts import people
from broadcaster.pages import listing
from broadcaster.policy import decide, forecast
from broadcaster.policy.packs import SENDABLE
from broadcaster.queue import overview
from broadcaster.states import CampaignState, PageState
from broadcaster.webhooks import inbox
from ui import text
from ui.i18n import plural, tr
from ui.reach import everyone

HOURS = 25
TOKEN_SOON = timedelta(days=14)
DUE_STATES = (
    CampaignState.RUNNING,
    CampaignState.PAUSED,
    CampaignState.SCHEDULED,
    CampaignState.APPROVED,
    CampaignState.SUBMITTED,
)


@dataclass(frozen=True, slots=True)
class Decision:
    """Something a person must decide: words, how bad, and where."""

    words: str
    tone: str
    deed: str
    page: str
    argument: object


@dataclass(frozen=True, slots=True)
class HomeFacts:
    people: int
    ways: Sequence[Any]
    """PermissionReach of the ways that are open or conditional now."""
    forecast: Any
    due: Sequence[Any]
    decisions: Sequence[Decision]


def facts(conn: Any, page_id: int, now: datetime, zone: Any) -> HomeFacts:
    question = everyone(conn, page_id, now)
    campaigns = [row for row in catalogue.listing(conn) if row.page_id == page_id]
    reach = decide.compare(conn, question)
    return HomeFacts(
        people.count(conn, page_id),
        [way for way in reach if way.state in SENDABLE],
        forecast.forecast(conn, question, now, HOURS),
        _due(campaigns),
        [
            *_page_decisions(listing.page(conn, page_id), now, zone),
            *_campaign_decisions(campaigns, question, now, zone),
            *_doubts(conn, now),
        ],
    )


def _due(campaigns: Sequence[Any]) -> list[Any]:
    """Moving ones first, then by their time."""
    wanted = [row for row in campaigns if row.state in DUE_STATES]
    return sorted(
        wanted, key=lambda row: (DUE_STATES.index(CampaignState(row.state)), str(row.start_at or ""))
    )


def _page_decisions(page: Any, now: datetime, zone: Any) -> list[Decision]:
    found = []
    if page.state != PageState.READY:
        words = page.state_text or text.page_state(page.state)[0]
        found.append(Decision(words, "bad", tr("Look at the Page"), "settings", "pages"))
    if page.token_expires_at is not None and page.token_expires_at - now < TOKEN_SOON:
        words = tr("The Page's token ends {when}.", when=text.when(page.token_expires_at, zone, now))
        found.append(Decision(words, "warn", tr("Connect again"), "settings", "pages"))
    return found


def _campaign_decisions(campaigns: Sequence[Any], question: Any, now: datetime, zone: Any) -> list[Decision]:
    found = []
    for row in campaigns:
        if row.state == CampaignState.MISSED:
            late = text.duration(now - row.start_at) if row.start_at else text.NONE
            words = tr("“{name}” missed its time by {late}.", name=row.name, late=late)
            found.append(Decision(words, "bad", tr("Decide"), "campaigns", row.id))
        elif row.state == CampaignState.PAUSED and row.pause_text:
            words = tr("“{name}” stands still: {why}", name=row.name, why=row.pause_text)
            found.append(Decision(words, "warn", tr("Look at it"), "queue", row.id))
        elif row.state == CampaignState.SUBMITTED:
            words = tr("“{name}” waits for review.", name=row.name)
            found.append(Decision(words, "accent", tr("Review"), "review", row.id))
        if row.state in (CampaignState.SCHEDULED, CampaignState.APPROVED) and _ends_before(
            row, question, now
        ):
            words = tr(
                "“{name}” cannot be sent at its time: the way to send ends before {when}.",
                name=row.name,
                when=text.when(row.start_at or now, zone, now),
            )
            found.append(Decision(words, "bad", tr("Change it"), "campaigns", row.id))
    return found


def _ends_before(row: Any, question: Any, now: datetime) -> bool:
    """Is the campaign's way to send closed at its time?"""
    state = question.pack.state_on(row.permission, question.platform, row.start_at or now)
    return state not in SENDABLE


def _doubts(conn: Any, now: datetime) -> list[Decision]:
    found = []
    queue, events = overview.overview(conn, now), inbox.state(conn)
    if queue.in_doubt:
        words = plural(
            queue.in_doubt,
            "{n} message may or may not have arrived.",
            "{n} messages may or may not have arrived.",
        )
        found.append(Decision(words, "doubt", tr("Decide"), "queue", None))
    if events.failed:
        words = plural(
            events.failed,
            "{n} webhook event could not be applied.",
            "{n} webhook events could not be applied.",
        )
        found.append(Decision(words, "warn", tr("Look at it"), "settings", "webhooks"))
    return found
