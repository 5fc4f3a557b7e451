"""What the review page asks of the core; every function runs off the window's thread."""

from __future__ import annotations

import json
from array import array
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from broadcaster.audiences import saved
from broadcaster.audit import log as audit_log
from broadcaster.campaigns import catalogue, lifecycle, verdicts
from broadcaster.campaigns.catalogue import CampaignRow
from broadcaster.campaigns.check import CampaignCheck, check_campaign, reach_at_launch
from broadcaster.campaigns.question import question_for
from broadcaster.campaigns.recipients import personal_values
from broadcaster.campaigns.seal import content_of
from broadcaster.content.message import Message, UnfitMessage
from broadcaster.content.placeholders import MissingValue
from broadcaster.errors import BroadcasterError
from broadcaster.pages import listing
from broadcaster.policy.explain import Explanation, explain
from broadcaster.reports import lists
from broadcaster.reports.campaign_report import write_report
from broadcaster.states import CampaignState

if TYPE_CHECKING:
    from broadcaster.workspace import Workspace


@dataclass(frozen=True, slots=True)
class Shelf:
    """Campaigns a reviewer looks at: those that wait first."""

    waiting: Sequence[CampaignRow] = ()
    others: Sequence[CampaignRow] = ()


@dataclass(frozen=True, slots=True)
class Difference:
    """One field against the last approval, as text."""

    field: str
    before: str
    after: str


@dataclass(frozen=True, slots=True)
class Case:
    """Everything about one campaign that a reviewer decides on."""

    campaign: CampaignRow
    page: Any
    way: str
    audience: str
    at: datetime
    check: CampaignCheck | None
    problem: str
    approved_before: bool
    differences: Sequence[Difference]
    verdicts: Sequence[verdicts.Verdict]
    body: Any
    """The message for a person of the audience, None where it cannot be shown."""
    trail: Sequence[audit_log.Entry]
    four_eyes: bool


def shelf(conn: Any, page_id: int) -> Shelf:
    rows = [row for row in catalogue.listing(conn) if row.page_id == page_id]
    waiting = [row for row in rows if row.state == CampaignState.SUBMITTED]
    others = [row for row in rows if row.state != CampaignState.SUBMITTED]
    return Shelf(sorted(waiting, key=lambda row: (row.submitted_at or row.updated_at, row.id)), others)


def case(conn: Any, campaign_id: int, now: datetime) -> Case:
    row = catalogue.get(conn, campaign_id)
    at = row.start_at if row.start_at is not None and row.start_at > now else now
    question = question_for(conn, row, at)
    checked, problem = None, ""
    try:
        checked = check_campaign(conn, row, at)
        checked = replace(checked, reach=reach_at_launch(row) or checked.reach)
    except BroadcasterError as error:
        problem = str(error)
    return Case(
        campaign=row,
        page=listing.page(conn, row.page_id),
        way=question.pack.permission(row.permission).title,
        audience=saved.get_by_id(conn, row.audience_id).name,
        at=at,
        check=checked,
        problem=problem,
        approved_before=row.sealed is not None,
        differences=_differences(conn, row),
        verdicts=verdicts.of_campaign(conn, row.id),
        body=_body(conn, row, question.platform, at),
        trail=list(audit_log.entries(conn, row.name, newest_first=True)),
        four_eyes=lifecycle.four_eyes(conn),
    )


def _differences(conn: Any, row: CampaignRow) -> list[Difference]:
    """Against the last approval; for a first one there is nothing to compare with."""
    if row.sealed is None:
        return []
    now, before = content_of(conn, row), row.sealed
    return [
        Difference(field, _words(before.get(field)), _words(value))
        for field, value in now.items()
        if before.get(field) != value
    ]


def _words(value: Any) -> str:
    """A message as what is read; anything else as plain JSON, one fact a line."""
    if isinstance(value, str):
        return value
    if isinstance(value, dict) and set(value) <= {"text", "quick_replies", "buttons"} and "text" in value:
        lines = [str(value["text"])]
        parts = (*value.get("buttons", ()), *value.get("quick_replies", ()))
        lines += [
            f"· {each if isinstance(each, str) else ' '.join(map(str, each.values()))}" for each in parts
        ]
        return "\n".join(lines)
    return "" if value is None else json.dumps(value, ensure_ascii=False, indent=1).strip("{}[]\n ")


def _body(conn: Any, row: CampaignRow, platform: str, at: datetime) -> Any:
    """The message as the first person of the audience who can get it would see it."""
    message = Message(row.message, platform)
    people = lists.eligible_ids(conn, row, at)[:1] or lists.blocked_ids(conn, row, at)[:1]
    if not people:
        return None
    try:
        return message.render(personal_values(conn, row.page_id, people, message.fields())[people[0]])
    except (MissingValue, UnfitMessage):
        return None


def blocked_ids(conn: Any, campaign_id: int, at: datetime, text: str, key: str) -> array[int]:
    row = catalogue.get(conn, campaign_id)
    if key == ELIGIBLE:
        return lists.eligible_ids(conn, row, at, text=text)
    return lists.blocked_ids(conn, row, at, reason=key or None, text=text)


ELIGIBLE = "eligible"


def why(conn: Any, campaign_id: int, at: datetime, contact_id: int) -> Explanation:
    return explain(conn, question_for(conn, catalogue.get(conn, campaign_id), at), contact_id)


def approve(workspace: Workspace, campaign_id: int, note: str) -> None:
    _decide(workspace, campaign_id, lifecycle.approve, note)


def reject(workspace: Workspace, campaign_id: int, note: str) -> None:
    _decide(workspace, campaign_id, lifecycle.reject, note)


def _decide(workspace: Workspace, campaign_id: int, deed: Any, note: str) -> None:
    with workspace.store.write() as conn:
        deed(conn, campaign_id, actor=workspace.settings.actor, at=workspace.clock.now(), note=note)
    workspace.hub.post("campaign", campaign_id)


def schedule(workspace: Workspace, campaign_id: int) -> None:
    """Schedule an approved campaign for the moment its author planned (now, where it has passed)."""
    now = workspace.clock.now()
    with workspace.store.write() as conn:
        row = catalogue.get(conn, campaign_id)
        start = row.start_at if row.start_at is not None and row.start_at > now else now
        lifecycle.schedule(
            conn,
            campaign_id,
            start,
            actor=workspace.settings.actor,
            at=now,
            wall=row.start_wall,
            zone=row.start_zone,
        )
    workspace.hub.post("campaign", campaign_id)


def false_alarm(workspace: Workspace, campaign_id: int, rule: str, words: str, reason: str) -> None:
    with workspace.store.write() as conn:
        verdicts.mark_false_alarm(
            conn,
            campaign_id,
            rule=rule,
            text=words,
            reason=reason,
            actor=workspace.settings.actor,
            at=workspace.clock.now(),
        )
    workspace.hub.post("campaign", campaign_id)


def export(workspace: Workspace, campaign_id: int, kind: str, format: str, out: Path) -> Path:
    at = workspace.clock.now()
    with workspace.store.write() as conn:
        row = catalogue.get(conn, campaign_id)
        write_report(conn, kind, row, format, out, actor=workspace.settings.actor, at=at)
    return out
