"""Connecting a Page: its token is tried over the network first, then kept, then the Page is stored.

Secrets live under ``page:<graph id>:token``, ``page:<graph id>:verify_token`` and
``app:<app id, or graph id where it is unknown>:secret``. Connecting again keeps the people and the history.
"""

from __future__ import annotations

import logging
from dataclasses import dataclass

from sqlalchemy import Connection, insert, select, update

from broadcaster.audit import log as audit
from broadcaster.clock import Clock
from broadcaster.errors import BadInput, BroadcasterError, NotFound
from broadcaster.graph.client import GraphClient
from broadcaster.graph.errors import ErrorKind, classify
from broadcaster.graph.outcomes import CallRefused, NotGraph
from broadcaster.graph.reading import Account, TokenFacts
from broadcaster.secrets import SecretStore
from broadcaster.settings import Settings
from broadcaster.states import FeatureState, PageState, Platform
from broadcaster.store import Store
from broadcaster.store.tables import Page

log = logging.getLogger(__name__)
PAGES = Page.__table__  # type: ignore[attr-defined]

UTILITY_SCOPES = frozenset({"pages_utility_messaging", "page_utility_messaging"})
"""Meta's documents and its login dialog disagree about the name; either one counts."""


@dataclass(frozen=True, slots=True)
class ConnectedPage:
    """``verified`` False: the address answered, but cannot tell whether the token opens this Page."""

    id: int
    graph_id: str
    name: str
    platform: str
    app_id: str | None
    verified: bool
    reconnected: bool
    webhook_subscribed: bool


@dataclass(frozen=True, slots=True)
class _Found:
    name: str | None
    instagram_id: str | None
    facts: TokenFacts | None
    subscribed: bool


def connect_page(
    store: Store,
    secrets: SecretStore,
    clock: Clock,
    settings: Settings,
    *,
    page_id: str,
    name: str | None = None,
    platform: str = Platform.MESSENGER,
    token: str,
    app_secret: str | None = None,
    app_id: str | None = None,
    verify_token: str | None = None,
    actor: str = "unknown",
    practice: bool = False,
) -> ConnectedPage:
    """Connect a Page, or connect it again. ``token``: the Page's own, or that of a person who manages it.

    Raises BadInput (wrong token, wrong app secret, another Page's token), Unreachable (no answer).
    """
    page_id, token = _checked_id(page_id), _checked_token(token)
    with store.read() as conn:
        known = conn.execute(select(PAGES).where(PAGES.c.graph_id == page_id)).one_or_none()
    if known is not None and known.platform != platform:
        raise BadInput(
            f"{page_id} is connected as {known.platform}.", f"Connect it with --platform {known.platform}."
        )
    old_app = known.app_id if known is not None else None
    secret = app_secret or secrets.get(f"app:{old_app or page_id}:secret")
    client = _client(settings, clock, page_id, platform, token, secret)
    facts = _inspect(client)
    if facts is not None and facts.type == "USER":
        token = _page_token(client, page_id)
        client = _client(settings, clock, page_id, platform, token, secret)
        facts = _inspect(client)
    found = _try(client, facts, subscribe=bool(secret))
    app = app_id or (found.facts.app_id if found.facts else None) or old_app
    secrets.set(f"page:{page_id}:token", token)
    if secret:
        secrets.set(f"app:{app or page_id}:secret", secret)
    if verify_token:
        secrets.set(f"page:{page_id}:verify_token", verify_token)
    with store.write() as conn:
        values = _values(found, settings, clock, app, client.skew_ms)
        values["name"] = name or (known.name if known is not None else None) or found.name or page_id
        row_id = _keep(conn, page_id, platform, values, clock, practice)
        audit.record(
            conn,
            at=clock.now(),
            actor=actor,
            action="page.reconnected" if known is not None else "page.connected",
            subject_kind="page",
            subject=page_id,
            detail={"graph_url": settings.graph_url, "platform": platform},
        )
    return ConnectedPage(
        row_id,
        page_id,
        str(values["name"]),
        platform,
        app,
        verified=found.name is not None or found.facts is not None,
        reconnected=known is not None,
        webhook_subscribed=found.subscribed,
    )


def offered_pages(settings: Settings, clock: Clock, token: str) -> list[Account]:
    """The Pages a person's token opens, to choose from. BadInput for a dead token, Unreachable."""
    client = _client(settings, clock, "me", Platform.MESSENGER, _checked_token(token), None)
    try:
        return client.accounts()
    except CallRefused as refused:
        _raise_if_final(refused, client)
        raise BadInput("This token lists no Pages.", "Give a person's token, not a Page's.") from refused


def disconnect_page(store: Store, secrets: SecretStore, clock: Clock, page_id: int, *, actor: str) -> None:
    """Forget a Page's secrets and stop its sending; people and history stay. NotFound."""
    with store.write() as conn:
        page = conn.execute(select(PAGES).where(PAGES.c.id == page_id)).one_or_none()
        if page is None:
            raise NotFound("That Page is not connected.")
        shared = conn.execute(
            select(PAGES.c.id).where(
                PAGES.c.app_id == page.app_id, PAGES.c.id != page_id, PAGES.c.state != PageState.DISCONNECTED
            )
        ).first()
        conn.execute(
            update(PAGES)
            .where(PAGES.c.id == page_id)
            .values(
                state=PageState.DISCONNECTED.value,
                state_text=f"{page.name} was disconnected. Connect it again to send.",
                state_at=clock.now(),
                webhook_subscribed=False,
            )
        )
        audit.record(
            conn,
            at=clock.now(),
            actor=actor,
            action="page.disconnected",
            subject_kind="page",
            subject=page.graph_id,
        )
    secrets.delete(f"page:{page.graph_id}:token")
    secrets.delete(f"page:{page.graph_id}:verify_token")
    if shared is None:
        secrets.delete(f"app:{page.app_id or page.graph_id}:secret")


def utility_feature(scopes: tuple[str, ...]) -> FeatureState:
    """Utility messages need a scope that the token either has or has not."""
    return FeatureState.GRANTED if UTILITY_SCOPES & set(scopes) else FeatureState.MISSING


def _client(
    settings: Settings, clock: Clock, page_id: str, platform: str, token: str, secret: str | None
) -> GraphClient:
    return GraphClient(
        settings.graph_url,
        settings.graph_version,
        token=token,
        page_graph_id=page_id,
        platform=platform,
        app_secret=secret,
        timeout=settings.http_timeout,
        clock=clock,
    )


def _page_token(client: GraphClient, page_id: str) -> str:
    """A person's token was given: their Page's own token is what sends."""
    offered = {account.id: account for account in client.accounts()}
    if page_id not in offered:
        names = ", ".join(f"{account.name} ({account.id})" for account in offered.values()) or "none"
        raise BadInput(
            f"This is a person's token, and Page {page_id} is not among their Pages: {names}.",
            "Check the Page id, or let an admin of the Page make the token.",
        )
    return offered[page_id].token


def _inspect(client: GraphClient) -> TokenFacts | None:
    """What the platform tells about the token, None where it cannot; a token it calls dead is BadInput."""
    facts = None
    try:
        facts = client.debug_token()
    except CallRefused as refused:
        _raise_if_final(refused, client)
    except NotGraph as other:
        _raise_unless_missing(other)
    if facts is not None and not facts.is_valid:
        raise BadInput(
            f"The token is not valid: {facts.error or 'the platform gives no reason'}.",
            "Make a new Page token, then connect again.",
        )
    return facts


def _try(client: GraphClient, facts: TokenFacts | None, *, subscribe: bool) -> _Found:
    """Ask the platform about the Page. What it does not know is left open, a clear no is raised."""
    name, instagram_id = None, None
    try:
        page = client.me()
        name = str(page.get("name") or "") or None
        instagram_id = client.linked_instagram() if client.platform == Platform.INSTAGRAM else None
    except CallRefused as refused:
        _raise_if_final(refused, client)
    except NotGraph as other:
        _raise_unless_missing(other)
    subscribed = False
    if subscribe:
        try:
            client.subscribe()
            subscribed = True
        except BroadcasterError as error:
            log.info("webhooks could not be subscribed: %s", error.text)
    return _Found(name, instagram_id, facts, subscribed)


def _raise_if_final(refused: CallRefused, client: GraphClient) -> None:
    refusal = refused.refusal
    if refusal.code == 104:
        raise BadInput(
            "The app secret does not fit the app this token was made for.", "Give that app's secret."
        ) from refused
    if (refusal.code, refusal.subcode) == (100, 33):
        raise BadInput(
            f"The token does not open Page {client.page_graph_id}.",
            "Check the Page id, and use the token of this very Page.",
        ) from refused
    if classify(refusal).kind is ErrorKind.TOKEN:
        raise BadInput(
            f"The token is refused: {refusal.text}", "Make a new Page token, then connect again."
        ) from refused
    log.info("the platform did not tell about the Page: %s", refused.text)


def _raise_unless_missing(other: NotGraph) -> None:
    """A Graph stand-in need not know every call; anything but "no such path" is a wrong address."""
    if other.status not in {404, 405}:
        raise other
    log.info("the platform does not know a call: %s", other.text)


def _values(
    found: _Found, settings: Settings, clock: Clock, app_id: str | None, skew_ms: int | None
) -> dict[str, object]:
    values: dict[str, object] = {
        "graph_url": settings.graph_url,
        "graph_version": settings.graph_version,
        "app_id": app_id,
        "state": PageState.READY.value,
        "state_text": None,
        "state_at": clock.now(),
        "webhook_subscribed": found.subscribed,
        "clock_skew_ms": skew_ms,
        "blocked_until": None,
    }
    if found.instagram_id:
        values["instagram_id"] = found.instagram_id
    if found.facts is not None:
        values["scopes"] = list(found.facts.scopes)
        values["token_expires_at"] = found.facts.expires_at
    return values


def _keep(
    conn: Connection, graph_id: str, platform: str, values: dict[str, object], clock: Clock, practice: bool
) -> int:
    row = conn.execute(select(PAGES.c.id, PAGES.c.features).where(PAGES.c.graph_id == graph_id)).one_or_none()
    scopes = values.get("scopes")
    utility = {"utility": utility_feature(tuple(scopes)).value} if isinstance(scopes, list) and scopes else {}
    if row is not None:
        conn.execute(
            update(PAGES).where(PAGES.c.id == row.id).values(**values, features={**row.features, **utility})
        )
        return int(row.id)
    made = conn.execute(
        insert(Page)
        .values(
            graph_id=graph_id,
            platform=platform,
            features=utility,
            connected_at=clock.now(),
            practice=practice,
            **values,
        )
        .returning(PAGES.c.id)
    )
    return int(made.scalar_one())


def _checked_id(page_id: str) -> str:
    text = page_id.strip()
    if not text.isascii() or not text.isdigit() or len(text) > 32:
        raise BadInput(
            f"{page_id!r} is not a Page id.", "A Page id is a number; the Page's settings show it."
        )
    return text


def _checked_token(token: str) -> str:
    text = token.strip()
    if not text or not text.isascii() or any(one.isspace() for one in text):
        raise BadInput(
            "The token is empty or has characters no token has.", "Give the Page token alone, on one line."
        )
    return text
