"""A test send: one message to one person, marked as such and outside every count."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import insert

from broadcaster.audit.log import record
from broadcaster.campaigns import catalogue
from broadcaster.campaigns.recipients import personal_values
from broadcaster.clock import Clock
from broadcaster.contacts import people
from broadcaster.content.message import Message, UnfitMessage
from broadcaster.content.placeholders import MissingValue
from broadcaster.errors import NotFound, RefusedByPolicy
from broadcaster.graph.client import GraphClient
from broadcaster.graph.outcomes import Accepted, Refused
from broadcaster.policy.active import active_pack
from broadcaster.store import Store
from broadcaster.store.tables import TestSend

TEST_SENDS = TestSend.__table__  # type: ignore[attr-defined]
METADATA = "broadcaster-test"
"""Marks the message in its echo: never taken for a campaign's."""


@dataclass(frozen=True, slots=True)
class TestResult:
    """``outcome``: accepted, refused or unknown."""

    __test__ = False

    outcome: str
    message_id: str | None = None
    error: str | None = None


def send_test(
    store: Store, client: GraphClient, clock: Clock, campaign_id: int, psid: str, *, actor: str
) -> TestResult:
    """Send the campaign's message to ``psid`` with their own values. NotFound, RefusedByPolicy."""
    with store.read() as conn:
        campaign = catalogue.get(conn, campaign_id)
        permission = active_pack(conn).permission(campaign.permission)
        contact_id = people.find(conn, campaign.page_id, psid)
        if contact_id is None:
            raise NotFound(
                f"The Page knows nobody with the id {psid!r}.", "Test with somebody who wrote to it."
            )
        message = Message(campaign.message, client.platform)
        values = personal_values(conn, campaign.page_id, [contact_id], message.fields())[contact_id]
    try:
        body = message.render(values)
    except MissingValue as missing:
        raise RefusedByPolicy(
            f"{psid} has no value for {missing.field!r} and the placeholder no fallback.",
            "Give it a fallback.",
        ) from missing
    except UnfitMessage as unfit:
        raise RefusedByPolicy(unfit.problem, "Shorten the text.") from unfit
    outcome = client.send(
        psid,
        body,
        messaging_type=permission.messaging_type or "UPDATE",
        tag=permission.tag,
        metadata=METADATA,
    )
    result = _result(outcome)
    _keep(store, clock.now(), campaign, psid, result, actor)
    return result


def _result(outcome: object) -> TestResult:
    if isinstance(outcome, Accepted):
        return TestResult("accepted", message_id=outcome.message_id)
    if isinstance(outcome, Refused):
        return TestResult("refused", error=outcome.refusal.text)
    return TestResult("unknown", error=str(getattr(outcome, "cause", "")))


def _keep(
    store: Store, at: datetime, campaign: catalogue.CampaignRow, psid: str, result: TestResult, actor: str
) -> None:
    with store.write() as conn:
        conn.execute(
            insert(TEST_SENDS).values(
                campaign_id=campaign.id,
                psid=psid,
                at=at,
                actor=actor,
                outcome=result.outcome,
                message_id=result.message_id,
                error_text=result.error,
            )
        )
        detail = {"psid": psid, "outcome": result.outcome}
        record(
            conn,
            at=at,
            actor=actor,
            action="test sent",
            subject_kind="campaign",
            subject=campaign.name,
            detail=detail,
        )
