"""The question "who of this Page's people may be written to?" for pages that have no campaign at hand."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from broadcaster.audiences import saved
from broadcaster.campaigns.question import margin_seconds
from broadcaster.contacts.attributes import definitions
from broadcaster.pages import listing
from broadcaster.policy.active import active_pack
from broadcaster.policy.question import Question
from broadcaster.states import FeatureState

EVERYONE: dict[str, Any] = {"all": []}


def everyone(conn: Any, page_id: int, at: datetime, permission: str = "standard") -> Question:
    """Everybody the Page knows, by ``permission`` at ``at``, with no campaign's own limits."""
    page = listing.page(conn, page_id)
    return Question(
        page_id=page_id,
        platform=page.platform,
        permission=permission,
        at=at,
        pack=active_pack(conn),
        audience=saved.filter_clause(conn, page_id, EVERYONE, at),
        features={key: FeatureState(value) for key, value in page.features.items()},
        definitions=definitions(conn, page_id),
        margin_seconds=margin_seconds(conn),
    )


def built_ways(question: Question) -> list[Any]:
    """The permissions this program can send by, on the question's platform, in the pack's order."""
    return [
        permission
        for permission in question.pack.permissions.values()
        if permission.kind == "built" and question.platform in permission.platforms
    ]
