"""``broadcaster audit``: who did what, and whether the log is whole."""

from __future__ import annotations

from pathlib import Path

import click

from broadcaster.audit import log as audit_log
from broadcaster.cli.frame import Group, json_option, show, workspace
from broadcaster.clock import iso


@click.group(cls=Group)
def audit() -> None:
    """The audit log."""


@audit.command("list")
@click.option("--subject", metavar="NAME", help="Only entries about this campaign or Page.")
@json_option
@click.pass_context
def list_all(ctx: click.Context, subject: str | None, as_json: bool) -> None:
    """Every act, oldest first."""
    with workspace(ctx) as space, space.store.read() as conn:
        found = list(audit_log.entries(conn, subject))
    document = [
        {
            "id": e.id,
            "at": iso(e.at),
            "actor": e.actor,
            "action": e.action,
            "subject_kind": e.subject_kind,
            "subject": e.subject,
            "detail": e.detail,
            "hash": e.hash,
        }
        for e in found
    ]
    lines = [f"{iso(e.at)}  {e.actor}  {e.action}  {e.subject_kind} {e.subject}" for e in found]
    show(as_json, document, "\n".join(lines) or "Nothing was done yet.")


@audit.command("verify")
@json_option
@click.pass_context
def verify(ctx: click.Context, as_json: bool) -> int:
    """Check the whole chain; compare the head with one printed on an older export."""
    with workspace(ctx) as space, space.store.read() as conn:
        found = audit_log.verify(conn)
    document = {
        "entries": found.entries,
        "head": found.head,
        "holds": found.holds,
        "broken_at": found.broken_at,
    }
    text = (
        f"The log holds: {found.entries} entries, head {found.head}."
        if found.holds
        else f"The log is broken at entry {found.broken_at}: it was changed outside this program."
    )
    show(as_json, document, text)
    return 0 if found.holds else 1


@audit.command("export")
@click.option("--out", required=True, type=click.Path(path_type=Path))
@json_option
@click.pass_context
def export(ctx: click.Context, out: Path, as_json: bool) -> None:
    """Write the log with its hashes as CSV."""
    with workspace(ctx) as space, space.store.read() as conn:
        count = audit_log.export(conn, out)
        head = audit_log.head(conn)
    show(
        as_json,
        {"count": count, "head": head, "file": str(out)},
        f"{count} entries written to {out}; head {head}.",
    )
