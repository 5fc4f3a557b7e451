"""What every command shares: its settings, opening the workspace, printing, and exit codes."""

from __future__ import annotations

import json
import logging
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import Any

import click

from broadcaster.clock import parse_instant
from broadcaster.errors import BadInput, BroadcasterError
from broadcaster.settings import Settings, load
from broadcaster.workspace import Workspace

log = logging.getLogger(__name__)
logging.getLogger("broadcaster").addHandler(logging.NullHandler())  # the log is a file, never the terminal

_SHARED = (
    click.Option(["--home"], metavar="DIR", help="Workspace folder."),
    click.Option(["--database"], metavar="URL", help="Database, if not in the workspace folder."),
    click.Option(["--as", "actor"], metavar="NAME", help="Who acts, for the audit log."),
)


class Group(click.Group):
    """A noun of the command line."""

    def command(self, *args: Any, **attrs: Any) -> Any:
        """The decorator for a command of this noun."""
        attrs.setdefault("cls", Command)
        return super().command(*args, **attrs)


class Command(click.Command):
    """A command that takes the workspace's flags after its name as well as before it."""

    def __init__(self, *args: Any, **attrs: Any) -> None:
        super().__init__(*args, **attrs)
        self.params += [option for option in _SHARED if option.name not in {p.name for p in self.params}]

    def invoke(self, ctx: click.Context) -> Any:
        flags = ctx.find_root().ensure_object(dict)
        for name in ("home", "database", "actor"):
            if (value := ctx.params.pop(name, None)) is not None:
                flags[name] = value
        return super().invoke(ctx)


json_option = click.option("--json", "as_json", is_flag=True, help="One JSON document on standard output.")


def settings_of(ctx: click.Context) -> Settings:
    """Settings from the flags given before or after the command, the environment, the defaults."""
    flags = ctx.find_root().ensure_object(dict)
    return load(flags.get("home"), flags.get("database"), flags.get("actor"))


@contextmanager
def workspace(ctx: click.Context) -> Iterator[Workspace]:
    """The open workspace for one command."""
    with Workspace.open(settings_of(ctx)) as opened:
        try:
            yield opened
        except (BroadcasterError, click.ClickException, click.Abort):
            raise
        except Exception:
            log.exception("unexpected error")
            raise


def show(as_json: bool, document: Any, text: str | Callable[[], str]) -> None:
    """Print the one JSON document, or the text for people."""
    if as_json:
        click.echo(json.dumps(document, ensure_ascii=False))
    else:
        click.echo(text() if callable(text) else text)


def say(text: str) -> None:
    """A message for the person, on standard error."""
    click.echo(text, err=True)


def facts_text(facts: Mapping[str, Any]) -> str:
    """Name and value per line, aligned."""
    width = max((len(name) for name in facts), default=0)
    return "\n".join(f"{name:<{width}}  {value}" for name, value in facts.items())


def instant(text: str, what: str) -> datetime:
    """A time from the command line. Raises BadInput when it has no offset."""
    try:
        return parse_instant(text)
    except ValueError as error:
        raise BadInput(
            f"{what} is {text!r}, which is not a time with an offset.",
            "Write ISO 8601 with an offset or Z, like 2026-12-01T09:00:00+01:00.",
        ) from error


def read_json(source: str, what: str) -> Any:
    """JSON from a file's path or given directly. Raises BadInput with the place of the mistake."""
    text = source if source.lstrip().startswith(("{", "[")) else read_text(source, what)
    try:
        return json.loads(text)
    except json.JSONDecodeError as error:
        raise BadInput(
            f"{what} is not valid JSON: {error.msg} at line {error.lineno}, column {error.colno}.",
            "Mend it there.",
        ) from error


def read_text(path: str, what: str) -> str:
    """A text file, or standard input for ``-``. Raises BadInput."""
    if path == "-":
        return sys.stdin.read()
    try:
        return Path(path).read_text("utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is not UTF-8"
        raise BadInput(f"{what}: {path} cannot be read: {reason}.", "Check the path.") from error


def read_secret(path: str | None, what: str) -> str | None:
    """A secret from a file or standard input, without white space around it. Raises BadInput when empty."""
    if path is None:
        return None
    secret = read_text(path, what).strip()
    if not secret:
        raise BadInput(f"{what}: {path} is empty.", "Put the secret into it.")
    return secret


def run(command: click.Group, arguments: list[str] | None) -> int:
    """Run a command and turn what happened into an exit code and at most one line."""
    try:
        result = command.main(args=arguments, prog_name="broadcaster", standalone_mode=False, obj={})
        return int(result) if isinstance(result, int) else 0
    except click.ClickException as error:
        error.show()
        return 2
    except BroadcasterError as error:
        say(f"broadcaster: {error}")
        return error.exit_code
    except (click.Abort, KeyboardInterrupt):
        say("broadcaster: stopped.")
        return 1
    except BrokenPipeError:
        return 1
    except Exception as error:
        log.exception("unexpected error")
        say(
            f"broadcaster: an unexpected error ({type(error).__name__}: {error}). The log in the workspace tells more."
        )
        return 1
