"""What the page asks of the core; every function runs off the window's thread."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, Any

from broadcaster.audiences import counting, saved
from broadcaster.campaigns import catalogue, lifecycle
from broadcaster.campaigns.catalogue import CampaignRow
from broadcaster.campaigns.check import allowed_terms, notices_of
from broadcaster.campaigns.definition import CampaignDraft
from broadcaster.campaigns.question import question_for
from broadcaster.campaigns.recipients import personal_values
from broadcaster.campaigns.sketch import plan, sketch
from broadcaster.contacts import attributes
from broadcaster.content.message import Message, UnfitMessage
from broadcaster.content.placeholders import PERSON_FIELDS, MissingValue, merge
from broadcaster.content.promotional import default_checker
from broadcaster.pages import listing, templates
from broadcaster.policy import decide, forecast
from broadcaster.policy.active import active_pack
from broadcaster.policy.explain import explain
from broadcaster.policy.packs import Kind, Pack
from broadcaster.policy.question import Question
from broadcaster.policy.reopening import Reopening, Reopenings, expected_reach, reopenings
from broadcaster.store import values
from ui import text
from ui.i18n import tr
from ui.widgets.way_cards import Way

if TYPE_CHECKING:
    from broadcaster.workspace import Workspace

FACES = 12
FORECAST_HOURS = 168


@dataclass(frozen=True, slots=True)
class Shelf:
    """What a campaign of this Page can be made of."""

    page: Any = None
    campaigns: Sequence[CampaignRow] = ()
    audiences: Sequence[Any] = ()
    fields: Sequence[str] = ()
    templates: Sequence[Any] = ()
    ways: Mapping[str, str] = field(default_factory=dict)
    """Key of each way to send → its title."""
    usual: Mapping[str, Any] = field(default_factory=dict)
    """What new campaigns start from: throttle_per_second, quiet_hours, frequency_cap (the settings)."""


@dataclass(frozen=True, slots=True)
class Wish:
    """The composer's state as one value; ``audience_id`` None: none is chosen yet."""

    id: int
    page_id: int
    platform: str
    audience_id: int | None
    permission: str
    message: Mapping[str, Any]
    exclude: tuple[str, ...]
    throttle: float
    quiet_hours: Mapping[str, Any] | None
    frequency_cap: Mapping[str, Any] | None
    options: Mapping[str, Any]
    at: datetime

    def row(self) -> CampaignRow | None:
        if self.audience_id is None:
            return None
        return sketch(
            self.page_id,
            self.audience_id,
            self.permission,
            self.message,
            self.at,
            id=self.id,
            exclude=list(self.exclude),
            throttle_per_second=self.throttle,
            quiet_hours=dict(self.quiet_hours) if self.quiet_hours else None,
            frequency_cap=dict(self.frequency_cap) if self.frequency_cap else None,
            options=dict(self.options),
        )


@dataclass(frozen=True, slots=True)
class Outlook:
    """Who gets it: by the chosen way, and by every other."""

    ways: Sequence[Way] = ()
    reach: Any = None
    missing: Mapping[str, int] = field(default_factory=dict)
    """Placeholder key without fallback → people of the audience who have no value for it."""


@dataclass(frozen=True, slots=True)
class Face:
    """The message for one person: a body, or why there is none; ``blocked`` says which rule stops them."""

    id: int
    name: str
    body: Mapping[str, Any] | None
    problem: str
    blocked: str
    template_text: str = ""


@dataclass(frozen=True, slots=True)
class Hours:
    """The forecast and what the queue makes of it."""

    forecast: Any
    fit: Any


@dataclass(frozen=True, slots=True)
class ComingBack:
    """People who may write again, and how many hours each stays reachable."""

    history: Reopenings
    window_hours: int

    def beside(self, exact: forecast.Forecast) -> list[Reopening]:
        return expected_reach(exact, self.history, self.window_hours)


def shelf(conn: Any, page_id: int) -> Shelf:
    known = attributes.definitions(conn, page_id)
    return Shelf(
        listing.page(conn, page_id),
        [row for row in catalogue.listing(conn) if row.page_id == page_id],
        saved.listing(conn, page_id),
        [*(name for name in PERSON_FIELDS if name != "psid"), *known],
        templates.listing(conn, page_id),
        {key: each.title for key, each in active_pack(conn).permissions.items()},
        {key: values.value(conn, key) for key in ("throttle_per_second", "quiet_hours", "frequency_cap")},
    )


def outlook(conn: Any, wish: Wish) -> Outlook:
    """Waterfall and what-if table in two statements."""
    pack = active_pack(conn)
    row = wish.row()
    if row is None:
        return Outlook([way_of(pack, key, wish, None) for key in _keys(pack)])
    question = question_for(conn, row, wish.at)
    reached = {each.key: each.reach for each in decide.compare(conn, question)}
    ways = [way_of(pack, key, wish, reached.get(key)) for key in _keys(pack)]
    return Outlook(ways, reached[wish.permission], _missing(conn, question))


def _keys(pack: Pack) -> list[str]:
    return [key for key, permission in pack.permissions.items() if permission.kind == Kind.BUILT]


def way_of(pack: Pack, key: str, wish: Wish, reach: Any) -> Way:
    permission = pack.permission(key)
    rule = permission.rule_on("state", wish.platform, wish.at)
    state = str(pack.state_on(key, wish.platform, wish.at))
    replaced = permission.replaced_by
    known = replaced in pack.permissions
    return Way(
        key=key,
        title=permission.title,
        state=state,
        said=rule.text if rule else "",
        retired_on=rule.valid_from if rule and state == "retired" else None,
        replaced_by=pack.permission(replaced).title if replaced and known else replaced,
        allowed=permission.allowed,
        disallowed=permission.disallowed,
        warning=permission.bulk_warning,
        source=(rule or permission).source,
        only_kind=permission.only_kind,
        window_hours=permission.window,
        promotion=permission.promotion_allowed,
        reach=reach.eligible if reach is not None else None,
        audience=reach.audience if reach is not None else 0,
        reasons={str(key): count for key, count in reach.reasons.items()} if reach is not None else {},
    )


def _missing(conn: Any, question: Question) -> dict[str, int]:
    """How many lack each value that the message cannot do without."""
    from dataclasses import replace

    found = {}
    for key in question.required_fields:
        reach = decide.check(conn, replace(question, required_fields=(key,)))
        found[key] = reach.also_failing.get(_MISSING, 0)
    return found


_MISSING: Any = "missing_value"


def check_text(conn: Any, wish: Wish) -> tuple[Any, Sequence[Any]]:
    """(findings in every part of the message, notices about the way to send)."""
    parts = Message(wish.message, wish.platform).parts()
    checked = default_checker().check_parts(
        parts, wish.permission, allowed_terms=allowed_terms(conn, wish.page_id)
    )
    row = wish.row()
    notices = notices_of(question_for(conn, row, wish.at)) if row is not None else ()
    return checked, tuple(notices)


def faces(conn: Any, wish: Wish, seed: int = 1) -> list[Face]:
    """The message as some people of the audience would see it."""
    row = wish.row()
    if row is None:
        return []
    message = Message(wish.message, wish.platform)
    clause = saved.members_clause(conn, row.audience_id, wish.at)
    people = counting.sample(conn, wish.page_id, clause, FACES, seed)
    values = personal_values(conn, wish.page_id, [each.id for each in people], message.fields())
    question = question_for(conn, row, wish.at)
    components = _components(conn, wish)
    return [_face(conn, message, question, each, values[each.id], components) for each in people]


def _face(
    conn: Any, message: Message, question: Question, person: Any, values: Any, components: Sequence[Any]
) -> Face:
    found = explain(conn, question, person.id)
    blocked = text.reason(str(found.reason)) if found.reason else ""
    name = text.person_name(person.first_name, person.last_name, person.psid)
    try:
        body = message.render(values)
        shown = template_text(components, message.definition.get("template", {}), values)
        return Face(person.id, name, body, "", blocked, shown)
    except MissingValue as missing:
        words = tr("{name} has no value for {field}, and it has no fallback.", name=name, field=missing.field)
        return Face(person.id, name, None, words, blocked)
    except UnfitMessage as unfit:
        return Face(person.id, name, None, unfit.problem, blocked)
    except (KeyError, TypeError):
        return Face(person.id, name, None, tr("The message is not finished yet."), blocked)


def _components(conn: Any, wish: Wish) -> Sequence[Any]:
    template = wish.message.get("template")
    if not template:
        return ()
    for row in templates.listing(conn, wish.page_id):
        if (row.name, row.language) == (template["name"], template["language"]):
            return row.components
    return ()


_SLOT = re.compile(r"\{\{\s*(\w+)\s*\}\}")


def template_body(components: Sequence[Mapping[str, Any]]) -> str:
    """The text of a template's body, with its ``{{1}}`` or ``{{name}}`` parameters."""
    return next((str(c.get("text", "")) for c in components if str(c.get("type", "")).upper() == "BODY"), "")


def template_parameters(components: Sequence[Mapping[str, Any]]) -> list[str]:
    """Names (or numbers) of the parameters of a template's body, in order, once each."""
    return list(dict.fromkeys(_SLOT.findall(template_body(components))))


def template_text(
    components: Sequence[Mapping[str, Any]], template: Mapping[str, Any], values: Mapping[str, str | None]
) -> str:
    """The body as one person reads it. Raises MissingValue."""
    given = template.get("parameters", {})
    known = dict(enumerate(given, 1)) if isinstance(given, list) else given
    filled = {str(name): merge(str(value), values) for name, value in known.items()}
    return _SLOT.sub(lambda slot: filled.get(slot.group(1), slot.group(0)), template_body(components))


def look_ahead(conn: Any, wish: Wish, start: datetime) -> Hours | None:
    """Reachable people hour by hour from ``start``, and whom the chosen speed misses."""
    row = wish.row()
    if row is None:
        return None
    question = question_for(conn, row, start)
    ahead = forecast.forecast(conn, question, start, FORECAST_HOURS)
    fit = forecast.queue_aware(conn, question_for(conn, row, wish.at), wish.at, wish.throttle)
    return Hours(ahead, fit)


def who_comes_back(conn: Any, wish: Wish, start: datetime) -> ComingBack | None:
    """What the Page's history says of people who may write again; None where no window is asked for."""
    row = wish.row()
    question = question_for(conn, row, start) if row else None
    window = question.terms().window if question else None
    if question is None or window is None:
        return None
    return ComingBack(reopenings(conn, question, start, FORECAST_HOURS), window.hours or 0)


@dataclass(frozen=True, slots=True)
class Start:
    """When it is meant to go: ``at`` None is "not decided yet"."""

    at: datetime | None = None
    wall: str | None = None
    zone: str | None = None


def save(workspace: Workspace, campaign_id: int | None, draft: CampaignDraft, start: Start) -> int:
    """Store a new draft or change one; returns its id."""
    actor, now = workspace.settings.actor, workspace.clock.now()
    with workspace.store.write() as conn:
        if campaign_id is None:
            kept = catalogue.create(conn, draft, actor=actor, at=now)
        else:
            catalogue.edit(conn, campaign_id, draft, actor=actor, at=now)
            kept = campaign_id
        row = catalogue.get(conn, kept)
        if row.state in ("draft", "submitted", "approved"):
            plan(conn, kept, start.at, wall=start.wall, zone=start.zone)
    workspace.hub.post("campaign", kept)
    return kept


def submit(workspace: Workspace, campaign_id: int, note: str) -> None:
    with workspace.store.write() as conn:
        lifecycle.submit(
            conn, campaign_id, actor=workspace.settings.actor, at=workspace.clock.now(), note=note
        )
    workspace.hub.post("campaign", campaign_id)


def schedule(workspace: Workspace, campaign_id: int, start: Start) -> None:
    now = workspace.clock.now()
    with workspace.store.write() as conn:
        lifecycle.schedule(
            conn,
            campaign_id,
            start.at or now,
            actor=workspace.settings.actor,
            at=now,
            wall=start.wall,
            zone=start.zone,
        )
    workspace.hub.post("campaign", campaign_id)


def duplicate(workspace: Workspace, campaign_id: int, name: str) -> int:
    with workspace.store.write() as conn:
        made = catalogue.duplicate(
            conn, campaign_id, name, actor=workspace.settings.actor, at=workspace.clock.now()
        )
    workspace.hub.post("campaign", made)
    return made


def send_trial(workspace: Workspace, campaign_id: int, psid: str) -> Any:
    from broadcaster.queue import trial

    with workspace.store.read() as conn:
        row = catalogue.get(conn, campaign_id)
    client = workspace.graph_client(row.page_id)
    return trial.send_test(
        workspace.store, client, workspace.clock, campaign_id, psid, actor=workspace.settings.actor
    )
