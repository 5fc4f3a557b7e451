"""What the reports page asks of the core; every function runs off the window's thread."""

from __future__ import annotations

from array import array
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from broadcaster.campaigns import catalogue
from broadcaster.campaigns.catalogue import CampaignRow
from broadcaster.graph.errors import describe
from broadcaster.queue import control
from broadcaster.reports import lists
from broadcaster.reports.campaign_report import write_report
from broadcaster.reports.figures import CampaignStatus, status
from broadcaster.reports.timeline import Line, timeline

if TYPE_CHECKING:
    from broadcaster.workspace import Workspace


@dataclass(frozen=True, slots=True)
class Failure:
    """Failures of one cause, and what to do."""

    key: str
    """The figure that lists its people."""
    title: str
    advice: str
    count: int
    curable: bool


@dataclass(frozen=True, slots=True)
class Report:
    status: CampaignStatus
    replied: int
    lines: Sequence[Line]
    failures: Sequence[Failure]

    @property
    def retryable(self) -> int:
        return sum(each.count for each in self.failures if each.curable)


def campaigns(conn: Any, page_id: int) -> list[CampaignRow]:
    """Launched ones first, the newest on top."""
    rows = [row for row in catalogue.listing(conn) if row.page_id == page_id]
    return sorted(rows, key=lambda row: (row.launched_at is None, -row.id))


def report(conn: Any, campaign_id: int, at: datetime) -> Report:
    row = catalogue.get(conn, campaign_id)
    found = status(conn, row, at)
    failures = [
        Failure(
            f"error:{'' if each.code is None else each.code}/{'' if each.subcode is None else each.subcode}",
            each.title,
            each.advice,
            each.count,
            describe(each.code, each.subcode).retryable,
        )
        for each in found.errors
    ]
    replied = len(lists.message_ids(conn, row, "replied")) if row.launched_at else 0
    return Report(found, replied, timeline(conn, campaign_id), failures)


def people_ids(conn: Any, campaign_id: int, at: datetime, figure: str, text: str) -> array[int]:
    row = catalogue.get(conn, campaign_id)
    if figure == "blocked" or figure.startswith("blocked:"):
        reason = figure.partition(":")[2] or None
        return lists.blocked_ids(conn, row, row.start_at or at, reason=reason, text=text)
    if row.launched_at is None:
        return lists.eligible_ids(conn, row, row.start_at or at, text=text)
    return lists.message_ids(conn, row, figure, text=text)


def people_rows(conn: Any, campaign_id: int, at: datetime, figure: str, ids: Sequence[int]) -> list[Any]:
    row = catalogue.get(conn, campaign_id)
    if figure.startswith("blocked") or row.launched_at is None:
        return lists.blocked_rows(conn, row, row.start_at or at, ids)
    return lists.message_rows(conn, row, ids)


def retry(workspace: Workspace, campaign_id: int) -> CampaignRow:
    """A new draft for those whom another try may reach."""
    with workspace.store.read() as conn:
        names = {row.name for row in catalogue.listing(conn)}
        name = catalogue.get(conn, campaign_id).name
    number = 2
    while f"{name} ({number})" in names:
        number += 1
    made = control.retry_failed(
        workspace.store, campaign_id, f"{name} ({number})", workspace.settings.actor, workspace.clock.now()
    )
    workspace.hub.post("campaign", made)
    with workspace.store.read() as conn:
        return catalogue.get(conn, made)


def export(workspace: Workspace, campaign_id: int, kind: str, format: str, out: Path) -> Path:
    at = workspace.clock.now()
    with workspace.store.write() as conn:
        row = catalogue.get(conn, campaign_id)
        write_report(conn, kind, row, format, out, actor=workspace.settings.actor, at=at)
    return out
