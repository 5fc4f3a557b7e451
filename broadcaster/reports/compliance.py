"""Everything a reviewer must be able to show later, in one ZIP that is readable without this program."""

from __future__ import annotations

import csv
import hashlib
import io
import json
import zipfile
from collections.abc import Iterable, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

from sqlalchemy import Connection

from broadcaster.audit import log as audit_log
from broadcaster.audit.log import formula_safe
from broadcaster.campaigns import catalogue, verdicts
from broadcaster.campaigns.catalogue import CampaignRow
from broadcaster.campaigns.check import check_text, finding_json
from broadcaster.clock import iso
from broadcaster.reports import people
from broadcaster.reports.figures import status
from broadcaster.reports.writers import replace_whole

README = """Compliance pack of one campaign.

campaign.json   what was written            approval.json  what was approved, by whom, with its seal
figures.json    counts, checked to add up   findings.json  promotional findings and reviewers' verdicts
blocked.csv     who was kept out, and why   failures.csv   who was not reached, and what to do
audit.csv       who did what                checksums.txt  SHA-256 of every file

The head of the audit log at the time of this export is in figures.json: it proves the log up to here.
"""


def write_compliance_pack(conn: Connection, campaign: CampaignRow, out: Path, at: datetime) -> None:
    """Write the pack whole or not at all."""
    replace_whole(out, lambda part: _fill(conn, campaign, part, at))


def _fill(conn: Connection, campaign: CampaignRow, path: Path, at: datetime) -> None:
    sums: list[str] = []
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as pack:
        for name, data in _files(conn, campaign, at):
            pack.writestr(name, data)
            sums.append(f"{hashlib.sha256(data).hexdigest()}  {name}")
        pack.writestr("checksums.txt", "\n".join(sums) + "\n")


def _files(conn: Connection, campaign: CampaignRow, at: datetime) -> Iterable[tuple[str, bytes]]:
    yield "README.txt", README.encode()
    yield "campaign.json", _json(catalogue.as_file(conn, campaign))
    yield "approval.json", _json(_approval(campaign))
    figures = status(conn, campaign, at).as_json() | {"audit_head": audit_log.head(conn)}
    yield "figures.json", _json(figures)
    yield "findings.json", _json(_findings(conn, campaign))
    yield "blocked.csv", _csv(people.BLOCKED_COLUMNS, people.blocked(conn, campaign, at))
    yield "failures.csv", _csv(people.FAILURE_COLUMNS, people.failures(conn, campaign))
    entries = audit_log.entries(conn, campaign.name)
    rows = ((e.id, iso(e.at), e.actor, e.action, json.dumps(e.detail), e.previous, e.hash) for e in entries)
    yield "audit.csv", _csv(("id", "at", "actor", "action", "detail", "previous", "hash"), rows)


def _approval(campaign: CampaignRow) -> dict[str, Any]:
    return {
        "submitted_by": campaign.submitted_by,
        "submitted_at": iso(campaign.submitted_at) if campaign.submitted_at else None,
        "decided_by": campaign.decided_by,
        "decided_at": iso(campaign.decided_at) if campaign.decided_at else None,
        "note": campaign.decision_note,
        "seal": campaign.seal,
        "approved": campaign.sealed,
        "policy_at_launch": campaign.policy_pack,
    }


def _findings(conn: Connection, campaign: CampaignRow) -> dict[str, Any]:
    marked = verdicts.of_campaign(conn, campaign.id)
    return {
        "findings": [finding_json(finding) for finding in check_text(conn, campaign).findings],
        "false_alarms": [
            {"rule": v.rule, "text": v.text, "reason": v.reason, "by": v.actor, "at": iso(v.at)}
            for v in marked
        ],
    }


def _json(document: Any) -> bytes:
    return (json.dumps(document, indent=2, ensure_ascii=False) + "\n").encode()


def _csv(columns: Sequence[str], rows: Iterable[Sequence[Any]]) -> bytes:
    text = io.StringIO()
    writer = csv.writer(text)
    writer.writerow(columns)
    writer.writerows([formula_safe(value) for value in row] for row in rows)
    return text.getvalue().encode("utf-8-sig")
