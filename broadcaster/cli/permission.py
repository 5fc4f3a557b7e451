"""``broadcaster permission``: every way to send, dated."""

from __future__ import annotations

from datetime import UTC, date, datetime, time

import click

from broadcaster.cli.frame import Group, instant, json_option, show, workspace
from broadcaster.clock import iso
from broadcaster.policy.active import active_pack
from broadcaster.states import Platform


@click.group(cls=Group)
def permission() -> None:
    """Ways to send."""


@permission.command("list")
@click.option("--platform", type=click.Choice(list(Platform)), default=None)
@click.option("--on", "on", metavar="DATE", help="A date (UTC) or a time with offset; today if not given.")
@json_option
@click.pass_context
def list_all(ctx: click.Context, platform: str | None, on: str | None, as_json: bool) -> None:
    """Every way to send: open, retired or conditional on that date, with its uses and source."""
    with workspace(ctx) as space, space.store.read() as conn:
        pack = active_pack(conn)
        at = _moment(on) if on else space.clock.now()
    document = []
    for found in pack.permissions.values():
        platforms = [platform] if platform else list(found.platforms)
        states = {name: str(pack.state_on(found.key, name, at)) for name in platforms}
        document.append(
            {
                "permission": found.key,
                "title": found.title,
                "state": next(iter(states.values()), "unknown"),
                "platforms": states,
                "messaging_type": found.messaging_type,
                "tag": found.tag,
                "valid_from": iso(found.valid_from) if found.valid_from else None,
                "valid_until": iso(found.valid_until) if found.valid_until else None,
                "allowed": list(found.allowed),
                "disallowed": list(found.disallowed),
                "replaced_by": found.replaced_by,
                "source": found.source,
                "kind": str(found.kind),
                "on": iso(at),
            }
        )
    lines = [f"{row['permission']:<28} {row['state']:<12} {row['title']}" for row in document]
    show(as_json, document, "\n".join(lines))


def _moment(text: str) -> datetime:
    try:
        return datetime.combine(date.fromisoformat(text), time(), UTC)
    except ValueError:
        return instant(text, "--on")
