"""Opting out and in: by a word in their own language, by a button, or by hand. It acts at once."""

from __future__ import annotations

import tomllib
import unicodedata
from datetime import datetime
from functools import cache
from importlib import resources

from sqlalchemy import Connection, insert, update

from broadcaster.states import Source
from broadcaster.store.tables import Contact, OptRecord

CONTACTS = Contact.__table__  # type: ignore[attr-defined]
RECORDS = OptRecord.__table__  # type: ignore[attr-defined]


def is_opt_out(text: str | None, payload: str | None = None, locale: str | None = None) -> bool:  # noqa: ARG001
    """Does an inbound text (whole, whatever its case, accents and punctuation) or payload ask to stop?

    The words of all languages count whatever the locale: people write STOP everywhere.
    """
    words, payloads = _words()
    return (payload or "").strip().casefold() in payloads or (bool(text) and plain(text or "") in words)


def plain(text: str) -> str:
    """Case, accents and surrounding punctuation taken away: ``¡Arrêt!`` → ``arret``."""
    spread = unicodedata.normalize("NFKD", text.casefold().replace("ı", "i").replace("đ", "d"))
    kept = "".join(c for c in spread if not unicodedata.combining(c) and (c.isalnum() or c.isspace()))
    return " ".join(kept.split())


def opt_out(
    conn: Connection, contact_id: int, *, source: Source | str, reason: str, actor: str, at: datetime
) -> None:
    """Nothing more is sent to them from now on; queued messages meet the rule at their claim."""
    _set(conn, contact_id, True, str(source), reason, actor, at)


def opt_in(
    conn: Connection, contact_id: int, *, source: Source | str, reason: str, actor: str, at: datetime
) -> None:
    """They asked to be written to again: a recorded act, never a side effect."""
    _set(conn, contact_id, False, str(source), reason, actor, at)


def _set(
    conn: Connection, contact_id: int, out: bool, source: str, reason: str, actor: str, at: datetime
) -> None:
    changed = conn.execute(
        update(CONTACTS)
        .where(CONTACTS.c.id == contact_id, CONTACTS.c.opted_out != out)
        .values(opted_out=out, opted_out_at=at if out else None, updated_at=at)
    )
    if changed.rowcount:
        fields = {"opted_out": out, "at": at, "source": source, "reason": reason, "actor": actor}
        conn.execute(insert(RECORDS).values(contact_id=contact_id, **fields))


@cache
def _words() -> tuple[frozenset[str], frozenset[str]]:
    given = tomllib.loads((resources.files("resources") / "optout.toml").read_text("utf-8"))
    words = frozenset(plain(word) for language in given["words"].values() for word in language)
    return words, frozenset(payload.casefold() for payload in given["payloads"])
