"""``broadcaster contacts``: import and what became of it, sync, export, opting out, ways in, one person."""

from __future__ import annotations

import sys
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import Any

import click

from broadcaster.campaigns.catalogue import find_page
from broadcaster.cli.frame import Group, facts_text, json_option, say, show, workspace
from broadcaster.contacts import (
    exporting,
    growth,
    importing,
    opt_out,
    past,
    people,
    privacy,
    sync,
    undo,
)
from broadcaster.errors import BadInput, NotFound
from broadcaster.workspace import Workspace

page_option = click.option("--page", "page_name", required=True, metavar="PAGE", help="Page id or name.")


@click.group(cls=Group)
def contacts() -> None:
    """People."""


def page_row(space: Workspace, name: str) -> dict[str, Any]:
    with space.store.read() as conn:
        return dict(find_page(conn, name))


def contact_id(conn: Any, page: dict[str, Any], psid: str) -> int:
    """The person with that PSID on that Page. Raises NotFound."""
    found = people.find(conn, page["id"], psid)
    if found is None:
        raise NotFound(f"The Page {page['name']!r} knows nobody with the id {psid!r}.", "Check the id.")
    return found


def _mapping(pairs: tuple[str, ...]) -> dict[str, str] | None:
    mapping = {}
    for pair in pairs:
        column, equals, field = pair.partition("=")
        if not equals or not column or not field:
            raise BadInput(f"--map {pair!r} is not COLUMN=FIELD.", "Write --map Vorname=first_name.")
        mapping[column] = field
    return mapping or None


def progress_line() -> Callable[[Any], None] | None:
    """Rewrites one line on a terminal; None where standard error is not one."""
    if not sys.stderr.isatty():
        return None
    return lambda progress: click.echo(f"\r{progress}", err=True, nl=False)


@contacts.command("import")
@click.argument("file", type=click.Path(path_type=Path))
@page_option
@click.option("--map", "pairs", multiple=True, metavar="COLUMN=FIELD")
@click.option("--rejects", type=click.Path(path_type=Path), metavar="FILE.csv")
@click.option("--labels", "label_mode", type=click.Choice(["add", "replace", "update"]), default="add")
@click.option("--dry-run", is_flag=True, help="Say what would happen; change nothing.")
@json_option
@click.pass_context
def import_file(
    ctx: click.Context,
    file: Path,
    page_name: str,
    pairs: tuple[str, ...],
    rejects: Path | None,
    label_mode: Any,
    dry_run: bool,
    as_json: bool,
) -> None:
    """Take people from a CSV or XLSX file; rows that cannot be taken go to the rejects file."""
    with workspace(ctx) as space:
        result = importing.import_contacts(
            space.store,
            space.clock,
            page_row(space, page_name)["id"],
            file,
            mapping=_mapping(pairs),
            rejects=rejects or file.with_name(f"{file.stem}.rejects.csv"),
            dry_run=dry_run,
            label_mode=label_mode,
            actor=space.settings.actor,
            progress=progress_line(),
        )
    names = ("rows", "created", "updated", "unchanged", "duplicates", "rejected", "encoding", "delimiter")
    document = {name: getattr(result, name) for name in names}
    document |= {
        "rejects_file": str(result.rejects_file) if result.rejects_file else None,
        "dry_run": dry_run,
    }
    if result.rejected and not as_json:
        say(f"{result.rejected} rows were not taken; the reasons are in {result.rejects_file}.")
    show(as_json, document, lambda: facts_text(document))


@contacts.command("sync")
@page_option
@json_option
@click.pass_context
def sync_page(ctx: click.Context, page_name: str, as_json: bool) -> None:
    """Take people from the Page's conversations: names, ids, last inbound time."""
    with workspace(ctx) as space:
        row = page_row(space, page_name)
        client = space.graph_client(row["id"])
        result = sync.sync_contacts(space.store, space.clock, client, row["id"], progress=progress_line())
    document = asdict(result)
    show(as_json, document, lambda: facts_text(document))


@contacts.command("export")
@page_option
@click.option("--out", required=True, type=click.Path(path_type=Path))
@json_option
@click.pass_context
def export_file(ctx: click.Context, page_name: str, out: Path, as_json: bool) -> None:
    """Write all people of a Page to a CSV that imports again without a difference."""
    with workspace(ctx) as space:
        count = exporting.export_contacts(space.store, page_row(space, page_name)["id"], out)
    show(as_json, {"count": count, "file": str(out)}, f"{count} people written to {out}.")


@contacts.command("count")
@page_option
@json_option
@click.pass_context
def count_people(ctx: click.Context, page_name: str, as_json: bool) -> None:
    """How many people a Page knows."""
    with workspace(ctx) as space:
        row = page_row(space, page_name)
        with space.store.read() as conn:
            count = people.count(conn, row["id"])
    show(as_json, {"count": count}, str(count))


@contacts.command("person")
@page_option
@click.option("--psid", required=True)
@click.option("--erase", is_flag=True, help="Erase everything held about this person.")
@json_option
@click.pass_context
def one_person(ctx: click.Context, page_name: str, psid: str, erase: bool, as_json: bool) -> None:
    """Everything held about one person, as JSON; or erase it (a privacy request)."""
    with workspace(ctx) as space:
        row = page_row(space, page_name)
        with space.store.read() as conn:
            person = contact_id(conn, row, psid)
            document = privacy.export_person(conn, person)
        if not erase:
            show(True, document, "")
            return
        with space.store.write() as conn:
            privacy.erase_person(conn, person, space.settings.actor, space.clock.now())
    show(as_json, {"erased": True}, "Erased.")


@contacts.command("opt-out")
@page_option
@click.option("--psid", required=True)
@click.option("--reason", required=True, metavar="TEXT", help="Why; kept with the act.")
@click.option("--undo", "again", is_flag=True, help="They asked to be written to again.")
@json_option
@click.pass_context
def opt_somebody_out(
    ctx: click.Context, page_name: str, psid: str, reason: str, again: bool, as_json: bool
) -> None:
    """Note that a person wants no messages, or wants them again; acts on queued messages too."""
    deed = opt_out.opt_in if again else opt_out.opt_out
    with workspace(ctx) as space:
        row = page_row(space, page_name)
        with space.store.write() as conn:
            person = contact_id(conn, row, psid)
            actor, now = space.settings.actor, space.clock.now()
            deed(conn, person, source="hand", reason=reason, actor=actor, at=now)
    show(as_json, {"psid": psid, "opted_out": not again}, "Noted.")


@contacts.command("imports")
@page_option
@json_option
@click.pass_context
def list_imports(ctx: click.Context, page_name: str, as_json: bool) -> None:
    """Past imports: what each did, where it stopped, and its number for ``undo``."""
    with workspace(ctx) as space:
        row = page_row(space, page_name)
        with space.store.read() as conn:
            found = past.past_imports(conn, row["id"])
    document = [
        asdict(one)
        | {
            "started_at": one.started_at.isoformat(),
            "finished_at": one.finished_at.isoformat() if one.finished_at else None,
        }
        for one in found
    ]
    lines = [
        f"{one.id:>4}  {one.started_at:%Y-%m-%d %H:%M}Z  {one.state:<9}  {one.file_name}: "
        f"{one.done_rows} rows, {one.created} created, {one.updated} updated, {one.rejected} rejected"
        for one in found
    ]
    show(as_json, document, "\n".join(lines) or "Nothing was imported yet.")


@contacts.command("undo")
@click.argument("number", type=int)
@json_option
@click.pass_context
def undo_one(ctx: click.Context, number: int, as_json: bool) -> None:
    """Take an import back as a whole, as long as nothing else has used it."""
    with workspace(ctx) as space:
        count = undo.undo_import(space.store, number, space.settings.actor, space.clock.now())
    show(as_json, {"undone": number, "people": count}, f"{count} people stand as they did before.")


@contacts.command("link")
@page_option
@click.option("--ref", default="", help="Names the entry point; comes back with everybody it brings.")
@click.option("--qr", type=click.Path(path_type=Path), metavar="FILE.svg|FILE.png", help="Also its QR code.")
@json_option
@click.pass_context
def way_in(ctx: click.Context, page_name: str, ref: str, qr: Path | None, as_json: bool) -> None:
    """A link that lets people open a conversation, and which links and ads brought whom so far."""
    with workspace(ctx) as space:
        row = page_row(space, page_name)
        if row["platform"] != "messenger":
            raise BadInput("m.me links exist for Messenger Pages only.", "Choose the Messenger Page.")
        with space.store.read() as conn:
            brought = growth.entry_points(conn, row["id"])
    link = growth.m_me_link(row["graph_id"], ref)
    if qr:
        growth.save_qr(link, qr)
    document = {
        "link": link,
        "qr": str(qr) if qr else None,
        "entry_points": [asdict(one) for one in brought],
    }
    lines = [link, *(f"{one.people:>8} people by {one.ref}" for one in brought)]
    show(as_json, document, "\n".join(lines))
