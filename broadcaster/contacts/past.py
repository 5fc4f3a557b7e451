"""Past imports of a Page: what each did and where it stopped."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, select

from broadcaster.store.tables import ImportRun

RUNS = ImportRun.__table__  # type: ignore[attr-defined]
SHOWN = 200


@dataclass(frozen=True, slots=True)
class PastImport:
    """``state``: running, finished, cancelled, failed or undone; ``done_rows``: how far it came."""

    id: int
    file_name: str
    state: str
    done_rows: int
    created: int
    updated: int
    unchanged: int
    duplicates: int
    rejected: int
    rejects_file: str | None
    started_at: datetime
    finished_at: datetime | None
    actor: str

    @property
    def changed(self) -> bool:
        """Is there something to take back?"""
        return self.state != "undone" and bool(self.created or self.updated)


def past_imports(conn: Connection, page_id: int) -> list[PastImport]:
    """The last imports, newest first."""
    columns = [RUNS.c[name] for name in PastImport.__dataclass_fields__]
    query = select(*columns).where(RUNS.c.page_id == page_id).order_by(RUNS.c.id.desc()).limit(SHOWN)
    return [PastImport(*row) for row in conn.execute(query)]
