"""What the palette finds by typing: people and campaigns."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from ui import text
from ui.i18n import tr

if TYPE_CHECKING:
    from broadcaster.workspace import Workspace

MOST_PEOPLE = 5
MOST_CAMPAIGNS = 5


@dataclass(frozen=True, slots=True)
class Hit:
    """Where the palette would go."""

    words: str
    page: str
    argument: object
    icon: str


def find(workspace: Workspace, page_id: int | None, typed: str) -> list[Hit]:
    """Runs off-thread."""
    from broadcaster.campaigns import catalogue
    from broadcaster.contacts import people

    hits: list[Hit] = []
    with workspace.store.read() as conn:
        wanted = typed.casefold()
        campaigns = [c for c in catalogue.listing(conn) if wanted in c.name.casefold()]
        hits += [
            Hit(tr("Campaign: {name}", name=c.name), "campaigns", c.id, "campaigns")
            for c in campaigns[:MOST_CAMPAIGNS]
        ]
        if page_id is not None:
            ids = people.search_ids(conn, page_id, text=typed)[:MOST_PEOPLE]
            hits += [
                Hit(text.person_name(p.first_name, p.last_name, p.psid), "contacts", p.id, "person")
                for p in people.rows(conn, ids)
            ]
    return hits
