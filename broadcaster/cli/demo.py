"""``broadcaster demo``: a practice Page on this machine and a real campaign on it, no account needed."""

from __future__ import annotations

import tempfile
from pathlib import Path

import click

from broadcaster.cli.frame import Command, say, settings_of
from broadcaster.practice import Practice


@click.command("demo", cls=Command)
@click.option("--headless", is_flag=True, help="Print it as it goes, without a window.")
@click.option("--contacts", type=click.IntRange(1, 1_000_000), default=300)
@click.pass_context
def demo(ctx: click.Context, headless: bool, contacts: int) -> int:
    """A practice Page: a real campaign from audience to report."""
    flags = ctx.find_root().ensure_object(dict)
    flags.setdefault("home", tempfile.mkdtemp(prefix="broadcaster-practice-"))
    settings = settings_of(ctx)
    desktop = flags.get("desktop")
    if not headless and desktop is not None:
        return int(desktop.practise(settings, contacts))
    practice = Practice(settings, contacts)
    try:
        _narrate(practice)
        folder = settings.home / "report"
        folder.mkdir(exist_ok=True)
        files = list(practice.export(folder))
        if desktop is not None:
            files += desktop.pictures(practice.workspace, folder)
        _close_with(folder, files)
        return 0 if practice.status().adds_up else 1
    finally:
        practice.close()


def _narrate(practice: Practice) -> None:
    click.echo(f"The practice Page “{practice.sandbox.page_name}” runs at {practice.sandbox.url}.\n")
    steps = practice.steps()
    for number, step in enumerate(steps, 1):
        click.echo(f"{number}/{len(steps)}  {step.title}")
        click.echo(f"     {step.text}")
        click.echo(f"     → {step.run()}\n")


def _close_with(folder: Path, files: list[Path]) -> None:
    say(f"{len(files)} files are in {folder}:")
    for file in sorted(files):
        say(f"  {file.name}")
