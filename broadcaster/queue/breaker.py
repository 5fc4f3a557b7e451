"""When not to go on: a Page that refuses, a message that is wrong.

A refusal that concerns the Page, its token or the app stops every campaign of the Page at the first
one. The same failure of the message itself five times in a row stops that campaign.
"""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import Connection, select, update

from broadcaster.audit.log import record
from broadcaster.campaigns import lifecycle
from broadcaster.errors import RefusedByPolicy
from broadcaster.graph.errors import ErrorClass, ErrorKind
from broadcaster.queue import ledger
from broadcaster.queue.ledger import CAMPAIGNS
from broadcaster.states import CampaignState, PageState, PauseCause
from broadcaster.store.tables import Page

PAGES = Page.__table__  # type: ignore[attr-defined]

SAME_IN_A_ROW = 5
SENDER = "sender"
"""Who acts in the audit log when nobody did."""

_PAGE_STATES = {
    ErrorKind.TOKEN: PageState.TOKEN_INVALID,
    ErrorKind.APP: PageState.PERMISSION_MISSING,
    ErrorKind.PAGE: PageState.RESTRICTED,
}


class Breaker:
    """Counts equal failures in a row per campaign; in memory, because a restart may well try again."""

    def __init__(self) -> None:
        self._rows: dict[int, tuple[tuple[int | None, int | None], int]] = {}

    def good(self, campaign_id: int) -> None:
        self._rows.pop(campaign_id, None)

    def bad(self, campaign_id: int, code: int | None, subcode: int | None) -> bool:
        """Note a failure of the message; True when it is one too many."""
        same, number = self._rows.get(campaign_id, ((code, subcode), 0))
        number = number + 1 if same == (code, subcode) else 1
        self._rows[campaign_id] = ((code, subcode), number)
        if number < SAME_IN_A_ROW:
            return False
        self.good(campaign_id)  # whoever resumes it may see five more
        return True


def pause_campaign(
    conn: Connection, campaign_id: int, cause: PauseCause, text: str, at: datetime, actor: str = SENDER
) -> bool:
    """Pause a running campaign with a plain sentence; False when it does not run any more."""
    row = conn.execute(
        select(CAMPAIGNS.c.name, CAMPAIGNS.c.state).where(CAMPAIGNS.c.id == campaign_id).with_for_update()
    ).one()
    if row.state != CampaignState.RUNNING:
        return False
    lifecycle.move(conn, campaign_id, CampaignState.PAUSED, at=at, pause_cause=str(cause), pause_text=text)
    ledger.release_campaign(conn, campaign_id)
    record(
        conn,
        at=at,
        actor=actor,
        action="paused",
        subject_kind="campaign",
        subject=row.name,
        detail={"cause": str(cause), "text": text},
    )
    return True


class PageStopped(RefusedByPolicy):
    """The Page may not send: nothing of it can be launched or resumed."""

    title = "The Page may not send"


def require_page(conn: Connection, page_id: int) -> None:
    """Raise PageStopped, with the way out, when the Page may not send."""
    page = conn.execute(
        select(PAGES.c.name, PAGES.c.state, PAGES.c.state_text).where(PAGES.c.id == page_id)
    ).one()
    if page.state != PageState.READY:
        raise PageStopped(
            f"The Page {page.name!r} may not send: {(page.state_text or page.state).rstrip('.')}.",
            "Mend that and check the Page, then resume.",
        )


def stop_page(conn: Connection, page_id: int, found: ErrorClass, at: datetime) -> list[int]:
    """Mark the Page with what is wrong and the way out, and pause all its running campaigns."""
    text = f"{found.title}. {found.advice}".strip()
    conn.execute(
        update(PAGES)
        .where(PAGES.c.id == page_id)
        .values(state=_PAGE_STATES[found.kind], state_text=text, state_at=at)
    )
    running = conn.execute(
        select(CAMPAIGNS.c.id).where(
            CAMPAIGNS.c.page_id == page_id, CAMPAIGNS.c.state == CampaignState.RUNNING
        )
    ).scalars()
    return [id_ for id_ in running.all() if pause_campaign(conn, id_, PauseCause.PAGE, text, at)]


def block_page(conn: Connection, page_id: int, until: datetime) -> None:
    """No calls of the Page before ``until``; a longer wait already noted stays."""
    later = (PAGES.c.blocked_until.is_(None)) | (PAGES.c.blocked_until < until)
    conn.execute(update(PAGES).where(PAGES.c.id == page_id, later).values(blocked_until=until))
