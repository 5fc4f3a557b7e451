"""What a new pack changes: in words, for campaigns still to be sent, and for those that were."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta
from typing import Any

from sqlalchemy import Connection, Select, select

from broadcaster.errors import NotFound
from broadcaster.policy.packs import SENDABLE, Pack, Permission, Rule
from broadcaster.policy.rules import ORDER
from broadcaster.policy.terms import Terms
from broadcaster.reasons import reason_text
from broadcaster.states import CampaignState, FeatureState
from broadcaster.store.tables import Campaign, Page

CAMPAIGNS = Campaign.__table__  # type: ignore[attr-defined]
PAGES = Page.__table__  # type: ignore[attr-defined]

STILL_TO_SEND = (
    CampaignState.DRAFT,
    CampaignState.SUBMITTED,
    CampaignState.APPROVED,
    CampaignState.SCHEDULED,
    CampaignState.MISSED,
    CampaignState.PAUSED,
    CampaignState.RUNNING,
)


@dataclass(frozen=True, slots=True)
class Refused:
    """A campaign that a pack stops altogether, whoever its audience is."""

    campaign_id: int
    name: str
    state: CampaignState
    permission: str
    at: datetime
    text: str


@dataclass(frozen=True, slots=True)
class Replay:
    """Past campaigns judged anew, at the time they were sent."""

    campaigns: int
    refused: tuple[Refused, ...]

    def __str__(self) -> str:
        if not self.campaigns:
            return "No campaign was sent so far."
        return f"{len(self.refused)} of {self.campaigns} past campaigns would have been refused."


def differences(old: Pack, new: Pack) -> list[str]:
    """One sentence for each thing that ``new`` says otherwise; empty when both say the same."""
    found = [f"{new.permissions[key].title} is new." for key in new.permissions if key not in old.permissions]
    found += [
        f"{old.permissions[key].title} is gone." for key in old.permissions if key not in new.permissions
    ]
    for key, after in new.permissions.items():
        if key in old.permissions:
            found += _changes(old.permissions[key], after)
    for reason, rule in new.rules.items():
        if reason in old.rules and old.rules[reason].text != rule.text:
            found.append(f"The rule {reason_text(reason).title!r} is worded anew: {rule.text}")
    return found


def broken(conn: Connection, old: Pack, new: Pack, at: datetime | None = None) -> list[Refused]:
    """Campaigns still to be sent that ``old`` would send and ``new`` refuses, each at its own start.

    Those without a start are judged at ``at`` (the day of the new pack where none is given).
    """
    moment = at or datetime.combine(new.as_of, time(), UTC)
    query = _campaigns().where(CAMPAIGNS.c.state.in_([str(state) for state in STILL_TO_SEND]))
    found = []
    for row in conn.execute(query):
        start = max(row.start_at or moment, moment)
        text = _refusal(new, row, start)
        if text is not None and _refusal(old, row, start) is None:
            found.append(_refused(row, start, text))
    return found


def replay(conn: Connection, new: Pack) -> Replay:
    """Judge every campaign that was ever launched by ``new``, at the time of its launch."""
    rows = conn.execute(_campaigns().where(CAMPAIGNS.c.launched_at.is_not(None))).all()
    found = [(row, _refusal(new, row, row.launched_at)) for row in rows]
    refused = tuple(_refused(row, row.launched_at, text) for row, text in found if text is not None)
    return Replay(len(rows), refused)


def in_words(rule: Rule) -> str:
    """A rule's dates and conditions in a few words."""
    what = {
        "state": f"{rule.state}",
        "window": f"window of {rule.hours} hours after the last {_COUNTED.get(rule.counts_from or '', '')}",
        "ad_window": f"window possibly open for {rule.hours} hours after an ad",
        "feature": f"needs the feature {rule.feature}",
        "template": "needs an approved template",
    }[rule.rule]
    since = f" from {rule.valid_from:%d %b %Y}" if rule.valid_from else ""
    last = rule.valid_until - timedelta(milliseconds=1) if rule.valid_until else None
    return f"{what}{since}{f' to {last:%d %b %Y}' if last else ''}"


_COUNTED = {"interaction": "action", "message": "message"}


def _changes(old: Permission, new: Permission) -> Iterator[str]:
    before, after = _worded(old), _worded(new)
    for phrase in after:
        if phrase not in before:
            yield f"{new.title}: now {phrase}."
    for phrase in before:
        if phrase not in after:
            yield f"{new.title}: no longer {phrase}."
    for name, what in _FIELDS.items():
        first, second = getattr(old, name), getattr(new, name)
        if first != second:
            yield f"{new.title}: {what} {_plain(second)} (was {_plain(first)})."


_FIELDS = {
    "title": "is called",
    "kind": "is",
    "messaging_type": "goes out as",
    "tag": "carries the tag",
    "carries": "the only message it takes is",
    "promotion_allowed": "promotion allowed is",
    "allowed": "allowed is",
    "disallowed": "not allowed is",
    "replaced_by": "is replaced by",
    "bulk_warning": "the warning for campaigns is",
    "error": "a call after its end gets",
}


def _worded(permission: Permission) -> list[str]:
    return [
        f"{in_words(rule)} on {platform.capitalize()}"
        for platform in permission.platforms
        for rule in permission.rules
        if platform in rule.platforms
    ]


def _plain(value: object) -> str:
    if isinstance(value, tuple):
        return "; ".join(value) or "nothing named"
    if isinstance(value, bool):
        return "yes" if value else "no"
    return "nothing" if value is None else str(value)


def _campaigns() -> Select[Any]:
    return (
        select(
            CAMPAIGNS.c.id,
            CAMPAIGNS.c.name,
            CAMPAIGNS.c.state,
            CAMPAIGNS.c.permission,
            CAMPAIGNS.c.message,
            CAMPAIGNS.c.start_at,
            CAMPAIGNS.c.launched_at,
            PAGES.c.platform,
            PAGES.c.features,
        )
        .join(PAGES, PAGES.c.id == CAMPAIGNS.c.page_id)
        .order_by(CAMPAIGNS.c.id)
    )


def _refusal(pack: Pack, row: Any, at: datetime) -> str | None:
    """Why a pack stops a campaign at an instant, whoever its audience is; None: it lets it through."""
    try:
        permission = pack.permission(row.permission)
    except NotFound as error:
        return error.text
    rule = permission.rule_on("feature", row.platform, at)
    known = row.features.get(rule.feature) if rule else None
    terms = Terms(
        pack=pack,
        permission=permission,
        platform=row.platform,
        at=at,
        feature=FeatureState(known or FeatureState.UNKNOWN),
        template_approved=True if row.message.get("template") else None,
        message_kind="feedback" if row.message.get("feedback") else "text",
    )
    stopped = terms.same_for_all()
    reason = next((reason for reason in ORDER if stopped.get(reason)), None)
    if reason is None:
        return None
    state = terms.rule("state")
    ended = state is not None and state.state not in SENDABLE
    return state.text if state and ended else reason_text(reason).rule


def _refused(row: Any, at: datetime, text: str) -> Refused:
    return Refused(row.id, row.name, CampaignState(row.state), row.permission, at, text)
