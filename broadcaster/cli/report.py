"""``broadcaster report``: blocked people, failures, the whole campaign, as files."""

from __future__ import annotations

from pathlib import Path

import click

from broadcaster.campaigns import catalogue
from broadcaster.cli.frame import Group, say, workspace
from broadcaster.reports.campaign_report import write_report


@click.group(cls=Group)
def report() -> None:
    """Reports."""


def _report(kind: str, formats: list[str], text: str) -> None:
    @report.command(kind, help=text)
    @click.argument("name")
    @click.option("--format", "format", type=click.Choice(formats), default="csv")
    @click.option("--out", required=True, type=click.Path(path_type=Path))
    @click.pass_context
    def command(ctx: click.Context, name: str, format: str, out: Path) -> None:
        with workspace(ctx) as space, space.store.write() as conn:
            row = catalogue.get(conn, name)
            actor, now = space.settings.actor, space.clock.now()
            write_report(conn, kind, row, format, out, actor=actor, at=now)
        say(f"Written to {out}.")


_report("blocked", ["csv", "xlsx", "pdf"], "Everybody kept out, with the rule and when it would flip.")
_report(
    "failures",
    ["csv", "xlsx", "pdf"],
    "Everybody whose message failed or is in doubt, with cause and advice.",
)
_report(
    "campaign", ["csv", "xlsx", "pdf", "json"], "The figures, checked to add up, and the people behind them."
)
_report("compliance", ["zip"], "Everything a reviewer needs in one ZIP, readable without this program.")
