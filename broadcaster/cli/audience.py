"""``broadcaster audience``: create, count, list, export."""

from __future__ import annotations

from pathlib import Path

import click

from broadcaster.audiences import counting, saved
from broadcaster.campaigns.catalogue import find_page
from broadcaster.cli.frame import Group, json_option, read_json, say, show, workspace
from broadcaster.contacts import exporting


@click.group(cls=Group)
def audience() -> None:
    """Audiences."""


@audience.command("create")
@click.argument("name")
@click.option("--page", "page_name", required=True, metavar="PAGE")
@click.option("--filter", "source", required=True, metavar="FILE.json|JSON")
@click.option("--kind", type=click.Choice(["dynamic", "frozen"]), default="dynamic")
@json_option
@click.pass_context
def create(ctx: click.Context, name: str, page_name: str, source: str, kind: str, as_json: bool) -> None:
    """Save an audience; replaces one of that name after a warning."""
    tree = read_json(source, "--filter")
    with workspace(ctx) as space:
        now = space.clock.now()
        with space.store.write() as conn:
            page = find_page(conn, page_name)
            stored = saved.save(conn, page["id"], name, tree, kind=kind, now=now)
            clause = saved.members_clause(conn, stored.id, now)
            count = counting.count(conn, page["id"], clause)
    if stored.replaced:
        say(f"Warning: the audience {name!r} existed and was replaced.")
    document = {"id": stored.id, "name": name, "replaced": stored.replaced, "count": count}
    show(as_json, document, f"{name}: {count} people.")


@audience.command("count")
@click.argument("name")
@json_option
@click.pass_context
def count_people(ctx: click.Context, name: str, as_json: bool) -> None:
    """How many people are in an audience now."""
    with workspace(ctx) as space, space.store.read(wide=True) as conn:
        found = saved.get(conn, name)
        clause = saved.members_clause(conn, found.id, space.clock.now())
        count = counting.count(conn, found.page_id, clause)
    show(as_json, {"count": count}, str(count))


@audience.command("list")
@json_option
@click.pass_context
def list_all(ctx: click.Context, as_json: bool) -> None:
    """All audiences."""
    with workspace(ctx) as space, space.store.read() as conn:
        rows = saved.listing(conn)
    document = [{"id": row.id, "name": row.name, "kind": row.kind, "filter": row.filter} for row in rows]
    show(as_json, document, "\n".join(f"{row.name}  ({row.kind})" for row in rows) or "No audience yet.")


@audience.command("export")
@click.argument("name")
@click.option("--out", required=True, type=click.Path(path_type=Path))
@json_option
@click.pass_context
def export_file(ctx: click.Context, name: str, out: Path, as_json: bool) -> None:
    """Write an audience's people to a CSV."""
    with workspace(ctx) as space:
        with space.store.read() as conn:
            found = saved.get(conn, name)
            clause = saved.members_clause(conn, found.id, space.clock.now())
        count = exporting.export_contacts(space.store, found.page_id, out, clause=clause)
    show(as_json, {"count": count, "file": str(out)}, f"{count} people written to {out}.")
