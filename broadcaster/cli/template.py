"""``broadcaster template``: utility message templates of a Page."""

from __future__ import annotations

from typing import Any

import click

from broadcaster.cli.contacts import page_option, page_row
from broadcaster.cli.frame import Group, json_option, read_json, say, show, workspace
from broadcaster.pages import templates


@click.group(cls=Group)
def template() -> None:
    """Utility message templates."""


def _document(rows: list[Any]) -> list[dict[str, Any]]:
    names = ("name", "language", "status", "rejected_reason", "components")
    return [{name: getattr(row, name) for name in names} for row in rows]


def _lines(rows: list[Any]) -> str:
    return "\n".join(f"{row.name}  {row.language}  {row.status}" for row in rows) or "No template."


@template.command("list")
@page_option
@json_option
@click.pass_context
def list_all(ctx: click.Context, page_name: str, as_json: bool) -> None:
    """Templates as last synced."""
    with workspace(ctx) as space:
        row = page_row(space, page_name)
        with space.store.read() as conn:
            rows = templates.listing(conn, row["id"])
    show(as_json, _document(rows), _lines(rows))


@template.command("sync")
@page_option
@json_option
@click.pass_context
def sync(ctx: click.Context, page_name: str, as_json: bool) -> None:
    """Take the Page's templates and their states from the platform."""
    with workspace(ctx) as space:
        row = page_row(space, page_name)
        templates.sync(space.store, space.graph_client(row["id"]), space.clock, row["id"])
        with space.store.read() as conn:
            rows = templates.listing(conn, row["id"])
    show(as_json, _document(rows), _lines(rows))


@template.command("create")
@page_option
@click.option("--file", "source", required=True, metavar="FILE.json|JSON", help="name, language, components.")
@json_option
@click.pass_context
def create(ctx: click.Context, page_name: str, source: str, as_json: bool) -> None:
    """Hand a template to the platform for approval."""
    definition = read_json(source, "--file")
    with workspace(ctx) as space:
        row = page_row(space, page_name)
        made = templates.create(
            space.store, space.graph_client(row["id"]), space.clock, row["id"], definition
        )
    show(as_json, _document([made])[0], f"{made.name} ({made.language}): {made.status}")


@template.command("delete")
@click.argument("name")
@page_option
@click.option("--language")
@click.pass_context
def delete(ctx: click.Context, name: str, page_name: str, language: str | None) -> None:
    """Delete a template in one language or in all."""
    with workspace(ctx) as space:
        row = page_row(space, page_name)
        templates.delete(space.store, space.graph_client(row["id"]), row["id"], name, language)
        say(f"Deleted {name}.")
