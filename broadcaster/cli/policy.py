"""``broadcaster policy``: the pack in use, another one compared with it, installed, or tried on the past."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

import click
from sqlalchemy import Connection

from broadcaster.cli.frame import Group, json_option, show, workspace
from broadcaster.clock import iso
from broadcaster.policy import active, compare
from broadcaster.policy.packs import Pack

Kind = Literal["base", "overlay"]
kind_option = click.option(
    "--kind", type=click.Choice(["base", "overlay"]), default="base",
    help="In place of the shipped pack, or laid over it.",
)  # fmt: skip
file_argument = click.argument("file", type=click.Path(path_type=Path))


@click.group(cls=Group)
def policy() -> None:
    """Policy packs: what Meta allows, as dated data."""


@policy.command("show")
@json_option
@click.pass_context
def show_pack(ctx: click.Context, as_json: bool) -> None:
    """The pack in use."""
    with workspace(ctx) as space, space.store.read() as conn:
        pack = active.active_pack(conn)
    document = {
        "name": pack.name,
        "version": pack.version,
        "as_of": str(pack.as_of),
        "checksum": pack.checksum,
    }
    show(as_json, document, str(pack))


@policy.command("compare")
@file_argument
@kind_option
@json_option
@click.pass_context
def compare_file(ctx: click.Context, file: Path, kind: Kind, as_json: bool) -> None:
    """What a pack says otherwise, which planned campaigns it breaks, and how the past would have fared."""
    with workspace(ctx) as space, space.store.read() as conn:
        new, _ = active.preview(conn, file, kind)
        document, text = _compared(conn, active.active_pack(conn), new)
    show(as_json, document, text)


@policy.command("install")
@file_argument
@kind_option
@json_option
@click.pass_context
def install_file(ctx: click.Context, file: Path, kind: Kind, as_json: bool) -> None:
    """Use a pack from a file from now on; approvals given under another pack are void."""
    with workspace(ctx) as space, space.store.write() as conn:
        old = active.active_pack(conn)
        new = active.install(conn, file, kind, space.settings.actor, space.clock.now())
        document, text = _compared(conn, old, new)
    show(as_json, document, text)


def _compared(conn: Connection, old: Pack, new: Pack) -> tuple[dict[str, object], str]:
    differences = compare.differences(old, new)
    broken = compare.broken(conn, old, new)
    replayed = compare.replay(conn, new)
    document: dict[str, object] = {
        "pack": str(new),
        "differences": differences,
        "broken": [{"name": one.name, "at": iso(one.at), "text": one.text} for one in broken],
        "past": {"campaigns": replayed.campaigns, "refused": [one.name for one in replayed.refused]},
    }
    lines = [str(new), *(differences or ["Both say the same."])]
    lines += [f"breaks {one.name!r}: {one.text}" for one in broken]
    return document, "\n".join([*lines, str(replayed)])
