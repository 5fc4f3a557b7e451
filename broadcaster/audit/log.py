"""The log of who did what: each entry's hash covers the one before it.

A changed, removed or inserted entry breaks the chain. A cut-off tail cannot be seen from the chain
alone, so the head hash is printed on approvals and exports: an old export proves the log up to it.
"""

from __future__ import annotations

import csv
import hashlib
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, insert, select, text

from broadcaster.clock import iso
from broadcaster.store.tables import AuditEntry

ENTRIES = AuditEntry.__table__  # type: ignore[attr-defined]

GENESIS = "0" * 64
_CHAIN_LOCK = 7_046_029
"""PostgreSQL advisory lock: one writer of the chain at a time (SQLite has one writer anyway)."""


@dataclass(frozen=True, slots=True)
class Entry:
    id: int
    at: datetime
    actor: str
    action: str
    subject_kind: str
    subject: str
    detail: dict[str, Any]
    previous: str
    hash: str


@dataclass(frozen=True, slots=True)
class Verification:
    """``broken_at``: id of the first entry that does not fit, or None when the whole chain holds."""

    entries: int
    head: str
    broken_at: int | None

    @property
    def holds(self) -> bool:
        return self.broken_at is None


def record(
    conn: Connection,
    *,
    at: datetime,
    actor: str,
    action: str,
    subject_kind: str,
    subject: str,
    detail: Mapping[str, Any] | None = None,
) -> str:
    """Append an entry in the caller's transaction; returns its hash. No secrets, no message texts."""
    if conn.dialect.name == "postgresql":
        conn.execute(text(f"SELECT pg_advisory_xact_lock({_CHAIN_LOCK})"))
    previous = head(conn)
    fields = {
        "at": at,
        "actor": actor,
        "action": action,
        "subject_kind": subject_kind,
        "subject": subject,
        "detail": dict(detail or {}),
        "previous": previous,
    }
    fields["hash"] = entry_hash(fields)
    conn.execute(insert(ENTRIES), [fields])
    return str(fields["hash"])


def head(conn: Connection) -> str:
    """Hash of the newest entry: printed where the log must be provable later."""
    newest = select(ENTRIES.c.hash).order_by(ENTRIES.c.id.desc()).limit(1)
    return conn.execute(newest).scalar_one_or_none() or GENESIS


def entry_hash(fields: Mapping[str, Any]) -> str:
    """SHA-256 over the entry as canonical JSON (sorted keys, UTF-8), time to the millisecond."""
    covered = ("actor", "action", "subject_kind", "subject", "detail", "previous")
    body = {"at": int(fields["at"].timestamp() * 1000), **{key: fields[key] for key in covered}}
    return hashlib.sha256(json.dumps(body, sort_keys=True, ensure_ascii=False).encode()).hexdigest()


def entries(conn: Connection, subject: str | None = None, newest_first: bool = False) -> Iterator[Entry]:
    """All entries, or those about one subject (a campaign's name, a Page id), in order."""
    query = select(ENTRIES).order_by(ENTRIES.c.id.desc() if newest_first else ENTRIES.c.id)
    if subject is not None:
        query = query.where(ENTRIES.c.subject == subject)
    for row in conn.execute(query):
        yield Entry(**row._mapping)


def verify(conn: Connection) -> Verification:
    """Walk the whole chain."""
    previous, count = GENESIS, 0
    for entry in entries(conn):
        fields = {name: getattr(entry, name) for name in Entry.__slots__}
        if entry.previous != previous or entry.hash != entry_hash(fields):
            return Verification(count, previous, entry.id)
        previous, count = entry.hash, count + 1
    return Verification(count, previous, None)


def export(conn: Connection, out: Path) -> int:
    """Write the log as CSV with its hashes, checkable without this program; returns the entries written."""
    count = 0
    with out.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(Entry.__slots__)
        for entry in entries(conn):
            detail = json.dumps(entry.detail, sort_keys=True, ensure_ascii=False)
            values = {name: getattr(entry, name) for name in Entry.__slots__}
            writer.writerow(
                formula_safe(v) for v in {**values, "at": iso(entry.at), "detail": detail}.values()
            )
            count += 1
    return count


def formula_safe(value: Any) -> Any:
    """A text that a spreadsheet would run as a formula gets an apostrophe in front."""
    if isinstance(value, str) and value[:1] in ("=", "+", "-", "@", "\t", "\r"):
        return f"'{value}"
    return value
