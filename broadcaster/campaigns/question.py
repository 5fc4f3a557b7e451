"""A campaign as a question to the policy: who of its audience may be reached at an instant?"""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

from sqlalchemy import ColumnElement, Connection, or_, select, true

from broadcaster.audiences import saved
from broadcaster.campaigns.catalogue import CampaignRow
from broadcaster.contacts.attributes import definitions
from broadcaster.content.message import Message
from broadcaster.policy.active import active_pack
from broadcaster.policy.packs import Pack
from broadcaster.policy.question import Question
from broadcaster.states import ACCEPTED_STATES, FeatureState, TemplateStatus
from broadcaster.store.tables import Contact, Delivery, Page, Setting, Template

CONTACTS = Contact.__table__  # type: ignore[attr-defined]
DELIVERIES = Delivery.__table__  # type: ignore[attr-defined]
PAGES = Page.__table__  # type: ignore[attr-defined]
TEMPLATES = Template.__table__  # type: ignore[attr-defined]
SETTINGS = Setting.__table__  # type: ignore[attr-defined]

DEFAULT_MARGIN_SECONDS = 60


def question_for(
    conn: Connection,
    campaign: CampaignRow,
    at: datetime,
    permission: str | None = None,
    pack: Pack | None = None,
) -> Question:
    """The question ``campaign`` asks at ``at``; ``permission`` and ``pack`` ask it otherwise (what if)."""
    listed = question_of_listed(conn, campaign, at)
    return replace(
        listed,
        permission=permission or listed.permission,
        pack=pack or listed.pack,
        audience=saved.members_clause(conn, campaign.audience_id, at),
        already=_already(campaign),
    )


def question_of_listed(conn: Connection, campaign: CampaignRow, at: datetime) -> Question:
    """The same about people who stand in the campaign's ledger: that they are meant is decided already.

    Their own row there is this campaign's message, so "already has it" does not stop them.
    """
    page = conn.execute(select(PAGES).where(PAGES.c.id == campaign.page_id)).one()
    message = Message(campaign.message, page.platform)
    return Question(
        page_id=campaign.page_id,
        platform=page.platform,
        permission=campaign.permission,
        at=at,
        pack=active_pack(conn),
        features={key: FeatureState(value) for key, value in page.features.items()},
        template_approved=_template_approved(conn, campaign),
        message_kind=message.kind,
        audience=true(),
        excluded=_excluded(conn, campaign, at),
        required_fields=message.required_fields(),
        definitions=definitions(conn, campaign.page_id),
        quiet_hours=campaign.quiet_hours,
        frequency_cap=campaign.frequency_cap,
        margin_seconds=margin_seconds(conn),
        possible_ad_window=bool(campaign.options.get("possible_ad_window")),
    )


def margin_seconds(conn: Connection) -> int:
    """Safety margin before a window shuts, in seconds (a setting)."""
    value = conn.execute(
        select(SETTINGS.c.value).where(SETTINGS.c.key == "margin_seconds")
    ).scalar_one_or_none()
    return DEFAULT_MARGIN_SECONDS if value is None else int(value)


def _excluded(conn: Connection, campaign: CampaignRow, at: datetime) -> ColumnElement[bool] | None:
    if not campaign.exclude:
        return None
    return or_(*(saved.members_clause(conn, saved.get(conn, name).id, at) for name in campaign.exclude))


def _already(campaign: CampaignRow) -> ColumnElement[bool]:
    """People who have this very campaign's message: never a second one."""
    accepted = select(DELIVERIES.c.contact_id).where(
        DELIVERIES.c.campaign_id == campaign.id, DELIVERIES.c.state.in_(ACCEPTED_STATES)
    )
    clause: ColumnElement[bool] = CONTACTS.c.id.in_(accepted)
    return clause


def _template_approved(conn: Connection, campaign: CampaignRow) -> bool | None:
    """None where the campaign uses no template."""
    template = campaign.message.get("template")
    if not template:
        return None
    status = conn.execute(
        select(TEMPLATES.c.status).where(
            TEMPLATES.c.page_id == campaign.page_id,
            TEMPLATES.c.name == template["name"],
            TEMPLATES.c.language == template["language"],
        )
    ).scalar_one_or_none()
    return status == TemplateStatus.APPROVED
