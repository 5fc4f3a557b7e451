"""Campaigns in the workspace: create, read, edit, copy. Every edit voids an approval."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, insert, select, update
from sqlalchemy.exc import IntegrityError

from broadcaster.audiences import saved
from broadcaster.audit.log import record
from broadcaster.campaigns.definition import CampaignDraft
from broadcaster.content.message import Message
from broadcaster.errors import BadInput, IllegalMove, NotFound
from broadcaster.policy.active import active_pack
from broadcaster.policy.permissions import Permission
from broadcaster.states import CampaignState, LatePolicy
from broadcaster.store.tables import Campaign, Page

CAMPAIGNS = Campaign.__table__  # type: ignore[attr-defined]
PAGES = Page.__table__  # type: ignore[attr-defined]


@dataclass(frozen=True, slots=True)
class CampaignRow:
    """A campaign as it stands; the columns of ``broadcaster.store.tables.Campaign``."""

    id: int
    name: str
    page_id: int
    audience_id: int
    permission: str
    message: dict[str, Any]
    exclude: list[str]
    throttle_per_second: float
    quiet_hours: dict[str, Any] | None
    frequency_cap: dict[str, Any] | None
    options: dict[str, Any]
    late_policy: str
    repeat: dict[str, Any] | None
    parent_id: int | None
    state: str
    pause_cause: str | None
    pause_text: str | None
    revision: int
    created_at: datetime
    created_by: str
    updated_at: datetime
    submitted_at: datetime | None
    submitted_by: str | None
    decided_at: datetime | None
    decided_by: str | None
    decision_note: str | None
    seal: str | None
    sealed: dict[str, Any] | None
    start_at: datetime | None
    start_wall: str | None
    start_zone: str | None
    launched_at: datetime | None
    finished_at: datetime | None
    canary_passed_at: datetime | None
    policy_pack: str | None
    audience_at_approval: int | None
    eligible_at_approval: int | None
    audience_at_launch: int | None
    eligible_at_launch: int | None
    reasons_at_launch: dict[str, Any]


EDITABLE = frozenset(
    {
        CampaignState.DRAFT,
        CampaignState.SUBMITTED,
        CampaignState.APPROVED,
        CampaignState.SCHEDULED,
        CampaignState.MISSED,
    }
)


def get(conn: Connection, name_or_id: str | int) -> CampaignRow:
    """One campaign by name or id. Raises NotFound."""
    key = CAMPAIGNS.c.id if isinstance(name_or_id, int) else CAMPAIGNS.c.name
    row = conn.execute(select(CAMPAIGNS).where(key == name_or_id)).one_or_none()
    if row is None:
        raise NotFound(f"There is no campaign {name_or_id!r}.", "See its name in the list of campaigns.")
    return CampaignRow(**row._mapping)


def listing(conn: Connection, *states: CampaignState) -> list[CampaignRow]:
    """Campaigns, newest first; only those in ``states`` where any are named."""
    query = select(CAMPAIGNS).order_by(CAMPAIGNS.c.id.desc())
    if states:
        query = query.where(CAMPAIGNS.c.state.in_(states))
    return [CampaignRow(**row._mapping) for row in conn.execute(query)]


def create(
    conn: Connection, draft: CampaignDraft, *, actor: str, at: datetime, parent_id: int | None = None
) -> int:
    """Store a new draft and return its id. BadInput for a name in use, a missing page or audience,
    an unknown permission, or a message the platform would refuse."""
    fields = _fields(conn, draft)
    try:
        with conn.begin_nested():
            inserted = conn.execute(
                insert(CAMPAIGNS).values(
                    **fields,
                    parent_id=parent_id,
                    state=CampaignState.DRAFT,
                    revision=1,
                    created_at=at,
                    created_by=actor,
                    updated_at=at,
                    reasons_at_launch={},
                )
            )
    except IntegrityError as error:
        raise BadInput(
            f"There is already a campaign named {draft.name!r}.", "Choose another name, or edit that one."
        ) from error
    campaign_id = int((inserted.inserted_primary_key or (0,))[0])
    record(conn, at=at, actor=actor, action="created", subject_kind="campaign", subject=draft.name)
    return campaign_id


def edit(conn: Connection, campaign_id: int, draft: CampaignDraft, *, actor: str, at: datetime) -> None:
    """Replace what a campaign says. It becomes a draft again: an approval never covers an edit."""
    current = get(conn, campaign_id)
    if current.state not in EDITABLE:
        raise IllegalMove(f"{current.name!r} is {current.state} and cannot be changed.", "Make a copy of it.")
    fields = _fields(conn, draft)
    changed = sorted(key for key, value in fields.items() if getattr(current, key) != value)
    if not changed:
        return
    try:
        with conn.begin_nested():
            conn.execute(
                update(CAMPAIGNS)
                .where(CAMPAIGNS.c.id == campaign_id)
                .values(
                    **fields,
                    state=CampaignState.DRAFT,
                    revision=current.revision + 1,
                    updated_at=at,
                    seal=None,
                )
            )
    except IntegrityError as error:
        raise BadInput(
            f"There is already a campaign named {draft.name!r}.", "Choose another name."
        ) from error
    detail = {"changed": changed, "was": current.state}
    record(
        conn, at=at, actor=actor, action="edited", subject_kind="campaign", subject=draft.name, detail=detail
    )


def duplicate(conn: Connection, campaign_id: int, name: str, *, actor: str, at: datetime) -> int:
    """A new draft that says the same under another name."""
    return create(conn, replace(draft_of(conn, get(conn, campaign_id)), name=name), actor=actor, at=at)


def draft_of(conn: Connection, row: CampaignRow) -> CampaignDraft:
    """What was written, in the form ``create`` and ``edit`` take."""
    page = conn.execute(select(PAGES.c.graph_id).where(PAGES.c.id == row.page_id)).scalar_one()
    return CampaignDraft(
        name=row.name,
        page=page,
        audience=saved.get_by_id(conn, row.audience_id).name,
        permission=row.permission,
        message=row.message,
        exclude=tuple(row.exclude),
        throttle_per_second=row.throttle_per_second,
        quiet_hours=row.quiet_hours,
        frequency_cap=row.frequency_cap,
        options=row.options,
        late_policy=LatePolicy(row.late_policy),
        repeat=row.repeat,
    )


def as_file(conn: Connection, row: CampaignRow) -> dict[str, Any]:
    """The campaign as ``campaign.json``: reading it back gives the same campaign."""
    draft = draft_of(conn, row)
    page = conn.execute(select(PAGES.c.graph_id).where(PAGES.c.id == row.page_id)).scalar_one()
    file: dict[str, Any] = {
        "name": draft.name,
        "page": page,
        "audience": draft.audience,
        "permission": draft.permission,
        "message": draft.message,
        "exclude": list(draft.exclude),
        "throttle_per_second": draft.throttle_per_second,
        "late_policy": draft.late_policy.value,
        **draft.options,
    }
    optional = {
        "quiet_hours": draft.quiet_hours,
        "frequency_cap": draft.frequency_cap,
        "repeat": draft.repeat,
    }
    return file | {key: value for key, value in optional.items() if value is not None}


def find_page(conn: Connection, name_or_graph_id: str) -> Mapping[str, Any]:
    """A connected Page's row by Meta's id or by name. Raises NotFound, or BadInput when a name is shared."""
    columns = PAGES.c
    matches = columns.graph_id == name_or_graph_id
    rows = conn.execute(select(PAGES).where(matches | (columns.name == name_or_graph_id))).all()
    exact = [row for row in rows if row.graph_id == name_or_graph_id] or rows
    if not exact:
        raise NotFound(
            f"There is no Page {name_or_graph_id!r}.", "Connect it first: broadcaster page connect."
        )
    if len(exact) > 1:
        raise BadInput(f"Several Pages are named {name_or_graph_id!r}.", "Give the Page's id instead.")
    return dict(exact[0]._mapping)


_ONLY = {
    "template": ("an approved template", '{"template": NAME, "language": L, "parameters": {…}}'),
    "feedback": ("Meta's feedback form", '{"feedback": {"title": …, "question": …, "privacy_url": …}}'),
}
"""Kinds of message that go with certain ways to send only: what it is, and how it is written."""


def _fits_way(kind: str, permission: Permission) -> None:
    """Raises BadInput for a message that the way to send never takes, or that only another one takes."""
    way, only = f"The way to send {permission.key!r}", permission.only_kind
    if only is not None and kind != only:
        what, written = _ONLY[only]
        raise BadInput(f"{way} needs {what} as the message.", f"Write {written}.")
    if only is None and kind == "template":
        raise BadInput(f"{way} takes no template.", 'Use permission "utility" with a template.')


def _fields(conn: Connection, draft: CampaignDraft) -> dict[str, Any]:
    """The draft as column values, with everything it names looked up and checked."""
    page = find_page(conn, draft.page)
    audience = _audience_of(conn, draft.audience, page)
    for name in draft.exclude:
        _audience_of(conn, name, page)
    permission = active_pack(conn).permission(draft.permission)
    if permission.kind == "information":
        raise BadInput(f"{permission.title!r} cannot be sent by this program.", "Choose another way to send.")
    message = Message.parse(draft.message, page["platform"])
    _fits_way(message.kind, permission)
    return {
        "name": draft.name,
        "page_id": page["id"],
        "audience_id": audience.id,
        "permission": draft.permission,
        "message": dict(message.definition),
        "exclude": list(draft.exclude),
        "throttle_per_second": draft.throttle_per_second,
        "quiet_hours": draft.quiet_hours,
        "frequency_cap": draft.frequency_cap,
        "options": draft.options,
        "late_policy": draft.late_policy.value,
        "repeat": draft.repeat,
    }


def _audience_of(conn: Connection, name: str, page: Mapping[str, Any]) -> saved.AudienceRow:
    audience = saved.get(conn, name)
    if audience.page_id != page["id"]:
        raise BadInput(
            f"The audience {name!r} belongs to another Page than {page['name']!r}.",
            "PSIDs hold for one Page: choose an audience of this Page.",
        )
    return audience
