"""The command line: the same core as the window, without one."""

from __future__ import annotations

import sys
from importlib import import_module
from pathlib import Path
from typing import Protocol

import click

from broadcaster import __version__
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
    @click.group(cls=_Nouns, invoke_without_command=True)
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

    return broadcaster


class _Nouns(Group):
    """Loads a noun's module when it is asked for: most commands need few of them, and they start sooner."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002
        if cmd_name not in COMMANDS:
            return None
        module, _, name = COMMANDS[cmd_name].partition(":")
        command: click.Command = getattr(import_module(f"broadcaster.cli.{module}"), name)
        return command


COMMANDS = {
    "page": "page:page",
    "contacts": "contacts:contacts",
    "audience": "audience:audience",
    "permission": "permission:permission",
    "policy": "policy:policy",
    "template": "template:template",
    "check-text": "check_text:check_text",
    "campaign": "campaign:campaign",
    "run": "running:run_queue",
    "report": "report:report",
    "audit": "audit:audit",
    "demo": "demo:demo",
    "sandbox": "sandbox:sandbox",
}
"""Command → module of ``broadcaster.cli`` and what it is called there."""


if __name__ == "__main__":
    sys.exit(main())
