"""A Page's utility templates as stored: synced from the platform, created, deleted, told of by webhooks."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, select, update
from sqlalchemy.dialects import postgresql, sqlite

from broadcaster.clock import Clock
from broadcaster.errors import NotFound
from broadcaster.graph import templates as remote
from broadcaster.graph.client import GraphClient
from broadcaster.states import TemplateStatus
from broadcaster.store import Store
from broadcaster.store.tables import Template

TEMPLATES = Template.__table__  # type: ignore[attr-defined]


@dataclass(frozen=True, slots=True)
class TemplateRow:
    """One template in one language. Only ``APPROVED`` ones can be sent."""

    id: int
    page_id: int
    name: str
    language: str
    graph_id: str | None
    status: TemplateStatus
    rejected_reason: str | None
    parameter_format: str
    components: tuple[Mapping[str, Any], ...]
    synced_at: datetime


def listing(conn: Connection, page_id: int) -> list[TemplateRow]:
    """All templates of a Page that were not deleted, by name and language."""
    rows = conn.execute(
        select(TEMPLATES)
        .where(TEMPLATES.c.page_id == page_id, TEMPLATES.c.status != TemplateStatus.DELETED)
        .order_by(TEMPLATES.c.name, TEMPLATES.c.language)
    )
    return [_row(row) for row in rows]


def sync(store: Store, client: GraphClient, clock: Clock, page_id: int) -> int:
    """Take over the platform's templates; those it no longer has become deleted. Returns how many there are."""
    found = remote.fetch(client)
    with store.write() as conn:
        conn.execute(
            update(TEMPLATES)
            .where(TEMPLATES.c.page_id == page_id)
            .values(status=TemplateStatus.DELETED.value, synced_at=clock.now())
        )
        for one in found:
            _keep(conn, page_id, one, clock.now())
    return len(found)


def create(store: Store, client: GraphClient, clock: Clock, page_id: int, definition: object) -> TemplateRow:
    """Check a definition, hand it in, and keep it. BadInput before the call; CallRefused, Unreachable."""
    wanted = remote.draft(definition)
    made = remote.create(client, wanted)
    with store.write() as conn:
        _keep(conn, page_id, made, clock.now())
        return _one(conn, page_id, made.name, made.language)


def delete(store: Store, client: GraphClient, page_id: int, name: str, language: str | None = None) -> None:
    """Delete a template at the platform and here, in one language or in all. NotFound."""
    with store.read() as conn:
        row = _one(conn, page_id, name, language) if language else None
    remote.delete(client, name, row.graph_id if row else None)
    gone = [TEMPLATES.c.page_id == page_id, TEMPLATES.c.name == name]
    if language:
        gone.append(TEMPLATES.c.language == language)
    with store.write() as conn:
        conn.execute(update(TEMPLATES).where(*gone).values(status=TemplateStatus.DELETED.value))


def note_status(conn: Connection, page_id: int, value: Mapping[str, Any], at: datetime) -> None:
    """A review ended or a template was paused: the webhook's ``value``. Unknown templates wait for a sync."""
    name, language = (
        str(value.get("message_template_name", "")),
        str(value.get("message_template_language", "")),
    )
    graph_id = str(value.get("message_template_id") or "")
    reason = str(value.get("reason") or "NONE")
    conn.execute(
        update(TEMPLATES)
        .where(
            TEMPLATES.c.page_id == page_id,
            ((TEMPLATES.c.name == name) & (TEMPLATES.c.language == language))
            | ((TEMPLATES.c.graph_id == graph_id) if graph_id else False),
        )
        .values(
            status=_status(str(value.get("event", ""))),
            rejected_reason=None if reason == "NONE" else reason,
            synced_at=at,
        )
    )


def _keep(conn: Connection, page_id: int, one: remote.RemoteTemplate, now: datetime) -> None:
    dialect = sqlite if conn.dialect.name == "sqlite" else postgresql
    values = {
        "graph_id": one.id,
        "status": _status(one.status),
        "rejected_reason": one.rejected_reason,
        "parameter_format": one.parameter_format,
        "components": list(one.components),
        "synced_at": now,
    }
    conn.execute(
        dialect.insert(TEMPLATES)
        .values(page_id=page_id, name=one.name, language=one.language, **values)
        .on_conflict_do_update(index_elements=["page_id", "name", "language"], set_=values)
    )


def _one(conn: Connection, page_id: int, name: str, language: str) -> TemplateRow:
    row = conn.execute(
        select(TEMPLATES).where(
            TEMPLATES.c.page_id == page_id, TEMPLATES.c.name == name, TEMPLATES.c.language == language
        )
    ).one_or_none()
    if row is None:
        raise NotFound(
            f"There is no template {name!r} in {language}.", "Sync the templates, then look at the list."
        )
    return _row(row)


def _row(row: Row[Any]) -> TemplateRow:
    values = {name: getattr(row, name) for name in TemplateRow.__dataclass_fields__}
    return TemplateRow(
        **{**values, "status": TemplateStatus(row.status), "components": tuple(row.components)}
    )


def _status(text: str) -> str:
    known = text.upper() in TemplateStatus.__members__
    return text.upper() if known else TemplateStatus.OTHER.value
