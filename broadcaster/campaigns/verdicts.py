"""Reviewers' verdicts on findings: false alarms of one campaign, and terms allowed for a Page.

A verdict is kept and shown; it never switches a rule off for anybody else.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, insert, select

from broadcaster.audit.log import record
from broadcaster.campaigns.catalogue import get
from broadcaster.errors import BadInput
from broadcaster.store.tables import FindingVerdict, Page

VERDICTS = FindingVerdict.__table__  # type: ignore[attr-defined]
PAGES = Page.__table__  # type: ignore[attr-defined]


@dataclass(frozen=True, slots=True)
class Verdict:
    """``rule`` is None for a term allowed on the whole Page."""

    rule: str | None
    text: str
    reason: str
    actor: str
    at: datetime


def mark_false_alarm(
    conn: Connection, campaign_id: int, *, rule: str, text: str, reason: str, actor: str, at: datetime
) -> None:
    """Keep that a finding is wrong for this campaign, and why. Raises BadInput without a reason."""
    _require(reason)
    fields = {"rule": rule, "text": text, "reason": reason, "actor": actor, "at": at}
    conn.execute(insert(VERDICTS).values(campaign_id=campaign_id, **fields))
    name = get(conn, campaign_id).name
    detail = {"rule": rule, "text": text, "reason": reason}
    record(
        conn, at=at, actor=actor, action="false alarm", subject_kind="campaign", subject=name, detail=detail
    )


def allow_term(conn: Connection, page_id: int, term: str, *, reason: str, actor: str, at: datetime) -> None:
    """Let a Page use a term freely (its own brand). Raises BadInput without a reason."""
    _require(reason)
    conn.execute(
        insert(VERDICTS).values(page_id=page_id, rule=None, text=term, reason=reason, actor=actor, at=at)
    )
    page = conn.execute(select(PAGES.c.graph_id).where(PAGES.c.id == page_id)).scalar_one()
    detail = {"term": term, "reason": reason}
    record(conn, at=at, actor=actor, action="term allowed", subject_kind="page", subject=page, detail=detail)


def of_campaign(conn: Connection, campaign_id: int) -> list[Verdict]:
    query = select(VERDICTS).where(VERDICTS.c.campaign_id == campaign_id).order_by(VERDICTS.c.id)
    return [Verdict(row.rule, row.text, row.reason, row.actor, row.at) for row in conn.execute(query)]


def _require(reason: str) -> None:
    if not reason.strip():
        raise BadInput("A verdict needs a reason.", "Say in a few words why the finding is wrong here.")
