"""The command line: the same core as the window, without one."""

from __future__ import annotations

import sys
from collections.abc import Callable

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

OpenWindow = Callable[[Settings], int]


def main(arguments: list[str] | None = None, open_window: OpenWindow | None = None) -> int:
    """Run ``broadcaster`` and return its exit code. ``open_window`` shows the desktop app."""
    return run(_tree(open_window), arguments)


def _tree(open_window: OpenWindow | None) -> click.Group:
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
        ctx.obj["open_window"] = open_window
        if ctx.invoked_subcommand is not None:
            return 0
        if open_window is None:
            say("broadcaster: this installation has no window.")
            return 2
        return open_window(settings_of(ctx))

    for noun in (page.page, contacts.contacts, audience.audience, permission.permission, template.template):
        broadcaster.add_command(noun)
    for noun in (campaign.campaign, report.report, audit.audit, sandbox.sandbox):
        broadcaster.add_command(noun)
    for verb in (check_text.check_text, running.run_queue, demo.demo):
        broadcaster.add_command(verb)
    return broadcaster


if __name__ == "__main__":
    sys.exit(main())
