"""The command line: the same core as the window, without one."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Protocol

import click

from broadcaster import __version__
from broadcaster.cli import (
    audience,
    audit,
    campaign,
    check_text,
    contacts,
    demo,
    page,
    permission,
    report,
    running,
    sandbox,
    template,
)
from broadcaster.cli.frame import Group, run, say, settings_of
from broadcaster.settings import Settings
from broadcaster.workspace import Workspace


class Desktop(Protocol):
    """The window, given by who has one: the core itself knows none."""

    def open(self, settings: Settings) -> int:
        """Show the desktop app; returns its exit code."""
        ...

    def practise(self, settings: Settings, contacts: int) -> int:
        """Show it on a practice Page with that many people."""
        ...

    def pictures(self, workspace: Workspace, folder: Path) -> list[Path]:
        """Leave a picture of every page in ``folder``."""
        ...


def main(arguments: list[str] | None = None, desktop: Desktop | None = None) -> int:
    """Run ``broadcaster`` and return its exit code."""
    return run(_tree(desktop), arguments)


def _tree(desktop: Desktop | None) -> click.Group:
    @click.group(cls=Group, invoke_without_command=True)
    @click.option("--home", metavar="DIR", help="Workspace folder.")
    @click.option("--database", metavar="URL", help="Database, if not in the workspace folder.")
    @click.option("--as", "actor", metavar="NAME", help="Who acts, for the audit log.")
    @click.version_option(__version__, prog_name="broadcaster")
    @click.pass_context
    def broadcaster(ctx: click.Context, home: str | None, database: str | None, actor: str | None) -> int:
        """Broadcasts on Messenger and Instagram: decided, sent and proven. Without a command: the window."""
        given = {"home": home, "database": database, "actor": actor}
        ctx.ensure_object(dict).update({key: value for key, value in given.items() if value is not None})
        ctx.obj["desktop"] = desktop
        if ctx.invoked_subcommand is not None:
            return 0
        if desktop is None:
            say("broadcaster: this installation has no window.")
            return 2
        return desktop.open(settings_of(ctx))

    for noun in (page.page, contacts.contacts, audience.audience, permission.permission, template.template):
        broadcaster.add_command(noun)
    for noun in (campaign.campaign, report.report, audit.audit, sandbox.sandbox):
        broadcaster.add_command(noun)
    for verb in (check_text.check_text, running.run_queue, demo.demo):
        broadcaster.add_command(verb)
    return broadcaster


if __name__ == "__main__":
    sys.exit(main())
