"""The three reports of a campaign as tables, ready to be written or shown."""

from __future__ import annotations

import json
from datetime import datetime
from pathlib import Path
from typing import Any

from sqlalchemy import Connection

from broadcaster.audit import log as audit_log
from broadcaster.campaigns.catalogue import CampaignRow
from broadcaster.clock import iso
from broadcaster.reports import people
from broadcaster.reports.compliance import write_compliance_pack
from broadcaster.reports.figures import CampaignStatus, status
from broadcaster.reports.tables import Alarm, Table
from broadcaster.reports.writers import replace_whole, write


def write_report(
    conn: Connection, kind: str, campaign: CampaignRow, format: str, out: Path, *, actor: str, at: datetime
) -> None:
    """Write ``blocked``, ``failures``, ``campaign`` or ``compliance`` to ``out`` and log the export with its anchor."""
    if kind == "campaign" and format == "json":
        text = json.dumps(campaign_json(conn, campaign, at), indent=2, ensure_ascii=False)
        replace_whole(out, lambda part: _write_text(part, text))
    elif kind == "compliance":
        write_compliance_pack(conn, campaign, out, at)
    else:
        write(report_tables(conn, kind, campaign, at), format, out)
    audit_log.record(
        conn,
        at=at,
        actor=actor,
        action=f"exported {kind} report",
        subject_kind="campaign",
        subject=campaign.name,
        detail={"format": format},
    )


def report_tables(conn: Connection, kind: str, campaign: CampaignRow, at: datetime) -> list[Table]:
    """The tables of a report; rows are streams over ``conn``."""
    facts = _facts(conn, campaign, at)
    if kind == "failures":
        return [Table("Failures", people.FAILURE_COLUMNS, people.failures(conn, campaign), facts)]
    if kind == "blocked":
        return [Table("Blocked people", people.BLOCKED_COLUMNS, people.blocked(conn, campaign, at), facts)]
    return [
        Table("Campaign", ("figure", "value"), _figure_rows(status(conn, campaign, at)), facts),
        Table("Failures", people.FAILURE_COLUMNS, people.failures(conn, campaign)),
        Table("Blocked people", people.BLOCKED_COLUMNS, people.blocked(conn, campaign, at)),
        Table("People", people.PEOPLE_COLUMNS, people.everybody(conn, campaign)),
    ]


def campaign_json(conn: Connection, campaign: CampaignRow, at: datetime) -> dict[str, Any]:
    """Figures, facts and causes as one document."""
    facts = dict(_facts(conn, campaign, at))
    return {**status(conn, campaign, at).as_json(), "facts": facts}


def _figure_rows(figures: CampaignStatus) -> list[tuple[str, Any]]:
    document = figures.as_json()
    rows = [(name, document[name]) for name in _FIGURES]
    rows += _since_approval(figures)
    rows += [(f"blocked: {reason}", count) for reason, count in figures.reasons.items()]
    rows += [(f"skipped: {reason}", count) for reason, count in figures.skipped_reasons.items()]
    rows += [(f"failed: {group.title}", group.count) for group in figures.errors]
    rows += [("the figures add up", _adding_up(figures))]
    return rows + [("note", spot) for spot in figures.blind_spots]


def _since_approval(figures: CampaignStatus) -> list[tuple[str, Any]]:
    change = figures.since_approval
    if change is None:
        return []
    approved = ("eligible when approved", figures.campaign.eligible_at_approval)
    return [approved, ("more or fewer since then", f"{change:+d}" if change else "0")]


def _adding_up(figures: CampaignStatus) -> str:
    return "yes" if figures.adds_up else Alarm("NO: report this as a fault")


_FIGURES = (
    "state",
    "audience",
    "eligible",
    "blocked",
    "sent",
    "delivered",
    "read",
    "failed",
    "skipped",
    "unconfirmed",
    "cancelled",
    "waiting",
    "sending",
)


def _facts(conn: Connection, campaign: CampaignRow, at: datetime) -> list[tuple[str, str]]:
    approved = (
        f"{campaign.decided_by} {iso(campaign.decided_at)}" if campaign.seal and campaign.decided_at else "no"
    )
    return [
        ("Campaign", campaign.name),
        ("State", campaign.state),
        ("The figures add up", _adding_up(status(conn, campaign, at))),
        ("Way to send", campaign.permission),
        ("Approved", approved),
        ("Approval seal", campaign.seal or "none"),
        ("Policy", campaign.policy_pack or "decided at launch"),
        ("As of", iso(at)),
        ("Audit log head", audit_log.head(conn)),
    ]


def _write_text(path: Path, text: str) -> None:
    path.write_text(text + "\n", "utf-8")
