"""``broadcaster contacts``: import, sync, export, count, erase."""

from __future__ import annotations

import sys
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import Any

import click

from broadcaster.campaigns.catalogue import find_page
from broadcaster.cli.frame import Group, facts_text, json_option, say, show, workspace
from broadcaster.contacts import exporting, importing, people, privacy, sync
from broadcaster.errors import BadInput, NotFound
from broadcaster.workspace import Workspace

page_option = click.option("--page", "page_name", required=True, metavar="PAGE", help="Page id or name.")


@click.group(cls=Group)
def contacts() -> None:
    """People."""


def page_row(space: Workspace, name: str) -> dict[str, Any]:
    with space.store.read() as conn:
        return dict(find_page(conn, name))


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
            contact_id = people.find(conn, row["id"], psid)
            if contact_id is None:
                raise NotFound(
                    f"The Page {row['name']!r} knows nobody with the id {psid!r}.", "Check the id."
                )
            document = privacy.export_person(conn, contact_id)
        if not erase:
            show(True, document, "")
            return
        with space.store.write() as conn:
            privacy.erase_person(conn, contact_id, space.settings.actor, space.clock.now())
    show(as_json, {"erased": True}, "Erased.")
