"""``broadcaster sandbox``: the simulated Page alone, for hand testing."""

from __future__ import annotations

import click

from broadcaster.cli.frame import Group
from broadcaster.errors import EnvironmentFault
from broadcaster.sandbox.serve import serve as serve_forever


@click.group(cls=Group)
def sandbox() -> None:
    """A simulated Page on this machine."""


@sandbox.command("serve")
@click.option("--port", type=click.IntRange(0, 65535), default=8181)
@click.option("--contacts", type=click.IntRange(0, 1_000_000), default=1000)
@click.option("--seed", type=int, default=1)
@click.pass_context
def serve(ctx: click.Context, port: int, contacts: int, seed: int) -> None:
    """Serve until stopped; prints one JSON line with its address, Page, token and app secret."""
    ctx.find_root()
    try:
        serve_forever(port, contacts, seed)
    except OSError as error:
        raise EnvironmentFault(
            f"Port {port} on 127.0.0.1 cannot be used: {error.strerror or error}.",
            "Choose another with --port.",
        ) from error
