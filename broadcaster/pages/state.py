"""May a Page send? Its state and the sentence for people, in one place."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import Connection, update

from broadcaster.states import PageState
from broadcaster.store.tables import Page

PAGES = Page.__table__  # type: ignore[attr-defined]


def set_state(conn: Connection, page_id: int, state: PageState, text: str | None, at: datetime) -> bool:
    """Note a Page's state; ``text`` says why and what to do (None when ready). True when it changed."""
    changed = conn.execute(
        update(PAGES)
        .where(
            PAGES.c.id == page_id,
            (PAGES.c.state != state) | PAGES.c.state_text.is_distinct_from(text),
        )
        .values(state=state.value, state_text=text, state_at=at)
    )
    return changed.rowcount > 0
