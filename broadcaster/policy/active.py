"""Which pack decides now: the shipped one or a newer installed one, with the user's own laid over it."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import Literal

from sqlalchemy import Connection, delete, insert, select, update

from broadcaster.audit.log import record
from broadcaster.errors import BadInput
from broadcaster.policy.packs import Pack, load_pack, parse_pack, shipped
from broadcaster.store.tables import PolicyPack

PACKS = PolicyPack.__table__  # type: ignore[attr-defined]


def active_pack(conn: Connection) -> Pack:
    """The pack in force. An installed base older than the shipped one gives way to it."""
    rows = conn.execute(select(PACKS).where(PACKS.c.active).order_by(PACKS.c.kind, PACKS.c.id)).all()
    return _stacked(tuple((row.kind, row.name, row.body) for row in rows))


def install(conn: Connection, path: Path, kind: Literal["base", "overlay"], actor: str, at: datetime) -> Pack:
    """Check a pack file and put it in force in place of the last one of its kind. Returns the pack in force.

    A base pack replaces the shipped one and must not be older; an overlay is laid over whichever base is in
    force. Raises BadInput with file and line; nothing is changed then.
    """
    body = preview(conn, path, kind)[1]
    conn.execute(update(PACKS).where(PACKS.c.kind == kind).values(active=False))
    loose = parse_pack(body, str(path), shipped() if kind == "overlay" else None)
    conn.execute(delete(PACKS).where(PACKS.c.checksum == loose.checksum))
    conn.execute(
        insert(PACKS).values(
            name=str(path.name),
            version=loose.version,
            checksum=loose.checksum,
            body=body,
            kind=kind,
            active=True,
            installed_at=at,
            installed_by=actor,
        )
    )
    pack = active_pack(conn)
    _record(conn, "policy pack installed", pack, kind, actor, at)
    return pack


def preview(conn: Connection, path: Path, kind: Literal["base", "overlay"]) -> tuple[Pack, str]:
    """The pack that would be in force after installing ``path``, and the file's text. Changes nothing."""
    load_pack(path, shipped() if kind == "overlay" else None)
    body = path.read_text("utf-8")
    rows = conn.execute(select(PACKS).where(PACKS.c.active, PACKS.c.kind != kind)).all()
    layers = [(row.kind, row.name, row.body) for row in rows] + [(str(kind), str(path), body)]
    if kind == "base" and parse_pack(body, str(path)).as_of < shipped().as_of:
        raise BadInput(
            f"{path} is of {parse_pack(body, str(path)).as_of}, older than the pack of the program.",
            f"The program's own is of {shipped().as_of}; nothing was installed.",
        )
    return _stacked(tuple(sorted(layers, key=lambda layer: layer[0]))), body


def remove(conn: Connection, kind: Literal["base", "overlay"], actor: str, at: datetime) -> Pack:
    """Take the installed pack of that kind out of force. Returns the pack in force then."""
    conn.execute(update(PACKS).where(PACKS.c.kind == kind).values(active=False))
    pack = active_pack(conn)
    _record(conn, "policy pack removed", pack, kind, actor, at)
    return pack


def _stacked(layers: tuple[tuple[str, str, str], ...]) -> Pack:
    """Base layers first; kept between calls, since packs never change once read."""
    found = _kept.get(layers)
    if found is None:
        found = shipped()
        for kind, name, body in layers:
            if kind == "overlay":
                found = parse_pack(body, name, found)
            else:
                newer = parse_pack(body, name)
                found = newer if newer.as_of >= shipped().as_of else found
        _kept[layers] = found
    return found


_kept: dict[tuple[tuple[str, str, str], ...], Pack] = {}


def _record(conn: Connection, action: str, pack: Pack, kind: str, actor: str, at: datetime) -> None:
    detail = {"kind": kind, "version": pack.version, "checksum": pack.checksum}
    record(conn, at=at, actor=actor, action=action, subject_kind="policy", subject=pack.name, detail=detail)
