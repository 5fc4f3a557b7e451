"""Health of a connected Page, point by point, each failing one with the way to mend it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import select, update

from broadcaster.clock import Clock
from broadcaster.errors import Unreachable
from broadcaster.graph.client import GraphClient
from broadcaster.graph.errors import STOPS_PAGE, ErrorKind, classify
from broadcaster.graph.limits import newest_version, versions
from broadcaster.graph.outcomes import CallRefused
from broadcaster.graph.reading import TokenFacts
from broadcaster.pages.connect import utility_feature
from broadcaster.pages.listing import PageRow, page
from broadcaster.states import PageState, Platform
from broadcaster.store import Store
from broadcaster.store.tables import Page

PAGES = Page.__table__  # type: ignore[attr-defined]

NEEDED_SCOPES = ("pages_messaging", "pages_manage_metadata", "pages_read_engagement", "pages_show_list")
INSTAGRAM_SCOPES = (
    "instagram_basic",
    "instagram_manage_messages",
    "pages_manage_metadata",
    "pages_show_list",
)
NEEDED_FIELDS = frozenset({"messages", "messaging_postbacks"})
SOON = timedelta(days=7)
SKEW_ALLOWED_MS = 30_000


@dataclass(frozen=True, slots=True)
class HealthPoint:
    """``ok`` False: something is wrong and ``mend`` says what to do. ``text`` is one sentence either way."""

    name: str
    ok: bool
    text: str
    mend: str = ""


@dataclass(frozen=True, slots=True)
class HealthReport:
    points: tuple[HealthPoint, ...]
    checked_at: datetime

    @property
    def healthy(self) -> bool:
        return all(point.ok for point in self.points)


@dataclass(frozen=True, slots=True)
class _Token:
    facts: TokenFacts | None
    refusal: CallRefused | None


def check_page(store: Store, client: GraphClient, clock: Clock, page_id: int) -> HealthReport:
    """Ask the platform about address, token, Page, permissions and webhooks, and store what was learned."""
    now = clock.now()
    with store.read() as conn:
        row = page(conn, page_id)
    try:
        token = _inspect(client)
    except Unreachable as silent:
        return HealthReport(
            (HealthPoint("address", False, silent.text, silent.hint), _version(row, now)), now
        )
    known = tuple(_token_points(token, row, now))
    dead = any(point.name == "token" and not point.ok for point in known)
    points = (
        HealthPoint("address", True, f"The Graph API at {row.graph_url} answers."),
        _version(row, now),
        *known,
        *(() if dead else _with_token(client, row, token.facts)),
        _clock(client.skew_ms),
        *_restriction(row),
    )
    report = HealthReport(points, now)
    _store(store, row, token, report, client.skew_ms)
    return report


def _with_token(client: GraphClient, row: PageRow, facts: TokenFacts | None) -> Iterator[HealthPoint]:
    """What can only be asked with a living token."""
    yield _opens(client, row)
    yield from _permissions(facts, row)
    yield _subscription(client, row)
    yield from _routing(client)


def _routing(client: GraphClient) -> Iterator[HealthPoint]:
    """Where several apps share the Page, another one may hold a conversation (2018300). Told, not judged."""
    try:
        status = client.feature_status()
    except Unreachable:
        return
    if "hop_v2" in status:
        shared = "on: make this app the default one" if status["hop_v2"] else "off"
        yield HealthPoint("routing", True, f"Conversation routing is {shared}.")


def _inspect(client: GraphClient) -> _Token:
    try:
        return _Token(client.debug_token(), None)
    except CallRefused as refused:
        return _Token(None, refused)


def _version(row: PageRow, now: datetime) -> HealthPoint:
    name = row.graph_version
    known = versions().get(name)
    mend = f"Set BROADCASTER_GRAPH_VERSION to {newest_version()} and connect the Page again."
    if known is None or known.available_until is None:
        return HealthPoint("version", True, f"Graph API {name}: no end is known.")
    end = f"{known.available_until:%d %B %Y}"
    if known.ended(now.date()):
        return HealthPoint("version", False, f"Graph API {name} ended on {end}.", mend)
    soon = known.available_until - now.date() < timedelta(days=60)
    return HealthPoint("version", not soon, f"Graph API {name} is served until {end}.", mend if soon else "")


def _token_points(token: _Token, row: PageRow, now: datetime) -> Iterator[HealthPoint]:
    again = "Make a new Page token and connect the Page again."
    facts = token.facts
    if facts is None:
        refused = token.refusal
        dead = refused is not None and classify(refused.refusal).kind is ErrorKind.TOKEN
        text = refused.text if refused is not None else "The platform does not tell about the token."
        yield HealthPoint("token", not dead, text, again if dead else "")
        return
    if not facts.is_valid:
        yield HealthPoint(
            "token", False, f"The token is not valid: {facts.error or 'no reason given'}.", again
        )
        return
    if facts.profile_id and facts.profile_id not in {row.graph_id, row.instagram_id}:
        yield HealthPoint("token", False, f"The token belongs to Page {facts.profile_id}.", again)
        return
    yield _expiry("token", "The token", facts.expires_at, now, again)
    yield _expiry("data_access", "Access to people's data", facts.data_access_expires_at, now, again)


def _expiry(name: str, what: str, at: datetime | None, now: datetime, mend: str) -> HealthPoint:
    if at is None:
        return HealthPoint(name, True, f"{what} has no end.")
    if at <= now:
        return HealthPoint(name, False, f"{what} ended on {at:%d %B %Y}.", mend)
    soon = at - now < SOON
    return HealthPoint(name, not soon, f"{what} lasts until {at:%d %B %Y}.", mend if soon else "")


def _opens(client: GraphClient, row: PageRow) -> HealthPoint:
    try:
        name = client.me().get("name") or row.graph_id
    except CallRefused as refused:
        # a passing trouble of the platform says nothing about the Page
        lasting = refused.refusal.code == 100 or classify(refused.refusal).kind in STOPS_PAGE
        return HealthPoint("page" if lasting else "answer", False, refused.text, refused.hint)
    except Unreachable as silent:
        return HealthPoint("answer", False, silent.text, silent.hint)
    return HealthPoint("page", True, f"The token opens {name} ({row.graph_id}).")


def _permissions(facts: TokenFacts | None, row: PageRow) -> Iterator[HealthPoint]:
    if facts is None or not facts.is_valid:
        return
    needed = INSTAGRAM_SCOPES if row.platform == Platform.INSTAGRAM else NEEDED_SCOPES
    missing = [scope for scope in needed if scope not in facts.scopes]
    if missing:
        mend = f"Connect the Page again and grant {', '.join(missing)}."
        yield HealthPoint("permissions", False, f"Permissions are missing: {', '.join(missing)}.", mend)
    else:
        yield HealthPoint("permissions", True, "All permissions that messages need are granted.")


def _subscription(client: GraphClient, row: PageRow) -> HealthPoint:
    """Without webhooks everything works by reading conversations, only later and without delivered and read."""
    mend = "Connect the Page again with the app secret, and set the receiver's address in the app's settings."
    try:
        apps = client.subscribed_fields()
    except (CallRefused, Unreachable) as error:
        return HealthPoint(
            "webhooks", False, f"Webhooks cannot be looked up: {error.text}", error.hint or mend
        )
    fields = (
        set(apps.get(row.app_id, ())) if row.app_id else {name for rows in apps.values() for name in rows}
    )
    missing = sorted(NEEDED_FIELDS - fields)
    if missing:
        return HealthPoint(
            "webhooks", False, f"The Page's webhooks are not subscribed: {', '.join(missing)}.", mend
        )
    return HealthPoint("webhooks", True, f"{len(fields)} webhook fields are subscribed.")


def _clock(skew_ms: int | None) -> HealthPoint:
    if skew_ms is None or abs(skew_ms) <= SKEW_ALLOWED_MS:
        return HealthPoint("clock", True, "This computer's clock agrees with the platform's.")
    ahead = "behind" if skew_ms > 0 else "ahead of"
    text = f"This computer's clock is {abs(skew_ms) / 1000:.0f} s {ahead} the platform's."
    return HealthPoint("clock", False, text, "Set the clock; windows are counted by the second.")


def _restriction(row: PageRow) -> Iterator[HealthPoint]:
    if row.state is PageState.RESTRICTED:
        mend = "Settle it in the Page's Support Inbox, then connect the Page again."
        yield HealthPoint("restriction", False, row.state_text or "Meta restricted this Page.", mend)


def _store(store: Store, row: PageRow, token: _Token, report: HealthReport, skew_ms: int | None) -> None:
    bad = {point.name: point for point in report.points if not point.ok}
    good = {point.name for point in report.points if point.ok}
    values: dict[str, object] = {"webhook_subscribed": "webhooks" in good, "clock_skew_ms": skew_ms}
    facts = token.facts
    if facts is not None and facts.is_valid:
        values["scopes"] = list(facts.scopes)
        values["token_expires_at"] = facts.expires_at
        values["features"] = {**row.features, "utility": utility_feature(facts.scopes).value}
    with store.write() as conn:
        state = PageState(conn.execute(select(PAGES.c.state).where(PAGES.c.id == row.id)).scalar_one())
        values.update(_state(state, bad, report.checked_at))
        conn.execute(update(PAGES).where(PAGES.c.id == row.id).values(**values))


def _state(now_state: PageState, bad: dict[str, HealthPoint], at: datetime) -> dict[str, object]:
    """The Page's state after a check. A restriction and a disconnection are not lifted by it."""
    if now_state in {PageState.RESTRICTED, PageState.DISCONNECTED}:
        return {}
    cause = bad.get("token") or bad.get("page") or bad.get("permissions")
    if cause is None:
        return {"state": PageState.READY.value, "state_text": None, "state_at": at}
    state = PageState.PERMISSION_MISSING if cause.name == "permissions" else PageState.TOKEN_INVALID
    return {"state": state.value, "state_text": f"{cause.text} {cause.mend}".strip(), "state_at": at}
