"""``broadcaster page``: connect, list, check and disconnect Pages."""

from __future__ import annotations

import click

from broadcaster.campaigns.catalogue import find_page
from broadcaster.cli.frame import Group, json_option, read_secret, say, show, workspace
from broadcaster.pages import connect, health, listing
from broadcaster.settings import META_GRAPH_URL


@click.group(cls=Group)
def page() -> None:
    """Pages and Instagram accounts."""


@page.command("connect")
@click.option("--page-id", required=True)
@click.option("--name")
@click.option("--platform", type=click.Choice(["messenger", "instagram"]), default="messenger")
@click.option(
    "--token-file", required=True, metavar="F|-", help="File with the Page token, - for standard input."
)
@click.option("--app-secret-file", metavar="F")
@click.option("--app-id")
@click.option("--verify-token-file", metavar="F")
@json_option
@click.pass_context
def connect_page(
    ctx: click.Context,
    page_id: str,
    name: str | None,
    platform: str,
    token_file: str,
    app_secret_file: str | None,
    app_id: str | None,
    verify_token_file: str | None,
    as_json: bool,
) -> None:
    """Connect a Page with its token, or connect it again."""
    token = read_secret(token_file, "--token-file") or ""
    app_secret = read_secret(app_secret_file, "--app-secret-file")
    verify_token = read_secret(verify_token_file, "--verify-token-file")
    with workspace(ctx) as space:
        connected = connect.connect_page(
            space.store,
            space.secrets,
            space.clock,
            space.settings,
            page_id=page_id,
            name=name,
            platform=platform,
            token=token,
            app_secret=app_secret,
            app_id=app_id,
            verify_token=verify_token,
            actor=space.settings.actor,
        )
        if space.secrets.kind == "file":
            say("There is no keyring here: the token is in an owner-only file in the workspace.")
        document = {"page_id": connected.graph_id, "name": connected.name, "platform": connected.platform}
        show(as_json, document, f"Connected {connected.name} ({connected.graph_id}).")


@page.command("list")
@json_option
@click.pass_context
def list_pages(ctx: click.Context, as_json: bool) -> None:
    """All connected Pages, and where their Graph API is when it is not Meta's."""
    with workspace(ctx) as space, space.store.read() as conn:
        pages = listing.pages(conn)
    document = [
        {
            "page_id": found.graph_id,
            "name": found.name,
            "platform": found.platform,
            "state": found.state,
            "state_text": found.state_text,
            "graph_url": found.graph_url,
            "is_meta": found.graph_url == META_GRAPH_URL,
        }
        for found in pages
    ]
    lines = [
        f"{found.graph_id}  {found.name}  {found.platform}  {found.state}"
        + ("" if found.graph_url == META_GRAPH_URL else f"  NOT META: {found.graph_url}")
        for found in pages
    ]
    show(as_json, document, "\n".join(lines) or "No Page is connected.")


@page.command("check")
@click.argument("name", metavar="PAGE")
@json_option
@click.pass_context
def check_page(ctx: click.Context, name: str, as_json: bool) -> int:
    """Health of a Page, point by point, with the mend for each."""
    with workspace(ctx) as space:
        with space.store.read() as conn:
            row = find_page(conn, name)
        report = health.check_page(space.store, space.graph_client(row["id"]), space.clock, row["id"])
    document = {
        "healthy": report.healthy,
        "points": [{"name": p.name, "ok": p.ok, "text": p.text, "mend": p.mend} for p in report.points],
    }
    lines = [f"{'ok ' if p.ok else 'BAD'}  {p.text}{'' if p.ok else f'  → {p.mend}'}" for p in report.points]
    show(as_json, document, "\n".join(lines))
    return 0 if report.healthy else 1


@page.command("disconnect")
@click.argument("name", metavar="PAGE")
@click.pass_context
def disconnect_page(ctx: click.Context, name: str) -> None:
    """Forget a Page's secrets; its people and history stay."""
    with workspace(ctx) as space:
        with space.store.read() as conn:
            row = find_page(conn, name)
        connect.disconnect_page(
            space.store, space.secrets, space.clock, row["id"], actor=space.settings.actor
        )
        say(f"Disconnected {row['name']}.")
