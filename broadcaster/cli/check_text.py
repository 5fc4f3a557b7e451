"""``broadcaster check-text``: promotional findings for a text or a file of texts."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import click

from broadcaster.cli.frame import Command, show
from broadcaster.content.promotional import TextCheck, default_checker, permission_key
from broadcaster.errors import BadInput


@click.command("check-text", cls=Command)
@click.option(
    "--permission", "permission", default=None, metavar="KEY", help="Way to send, or Meta's tag name."
)
@click.option("--lang", default=None, metavar="L")
@click.option(
    "--jsonl", type=click.Path(path_type=Path), help='Lines {"id", "text", "tag"}; one result line each.'
)
@click.option("--json", "as_json", is_flag=True, help="One JSON document on standard output.")
def check_text(permission: str | None, lang: str | None, jsonl: Path | None, as_json: bool) -> None:
    """Promotional-content findings for the text on standard input."""
    if jsonl is not None:
        _check_lines(jsonl, permission, lang)
        return
    text = sys.stdin.buffer.read().decode("utf-8", "surrogateescape")
    result = default_checker().check_text(text, _known(permission or "standard"), lang)
    show(as_json, result_json(result), lambda: _text(result))


def result_json(result: TextCheck) -> dict[str, Any]:
    """The contract of ``check-text --json``."""
    keys = ("rule", "severity", "start", "end", "text", "reason", "advice")
    return {
        "promotional": result.promotional,
        "score": result.score,
        "fits_permission": result.fits_permission,
        "findings": [{key: getattr(finding, key) for key in keys} for finding in result.findings],
        "lang": result.lang,
    }


def _check_lines(path: Path, permission: str | None, lang: str | None) -> None:
    try:
        lines = path.open(encoding="utf-8-sig")
    except OSError as error:
        raise BadInput(f"{path} cannot be read: {error.strerror}.", "Check the path.") from error
    with lines:
        for number, line in enumerate(lines, 1):
            if line.strip():
                click.echo(json.dumps(_check_line(line, f"{path}, line {number}", permission, lang)))


def _check_line(line: str, where: str, permission: str | None, lang: str | None) -> dict[str, Any]:
    try:
        row = json.loads(line)
        text, tag = str(row["text"]), row.get("tag", permission)
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise BadInput(
            f'{where}: not an object with "text".', 'Write {"id": …, "text": …, "tag": …}.'
        ) from error
    result = default_checker().check_text(text, _known(tag), row.get("lang", lang))
    return {"id": row.get("id"), **result_json(result)}


def _known(tag: str | None) -> str:
    try:
        return permission_key(tag or "standard")
    except (KeyError, ValueError) as error:
        raise BadInput(f"{tag!r} is not a way to send.", "See: broadcaster permission list.") from error


def _text(result: TextCheck) -> str:
    verdict = "promotional" if result.promotional else "not promotional"
    fit = "fits" if result.fits_permission else "does not fit"
    lines = [
        f"{verdict} (score {result.score:.2f}), {fit} the way to send; language: {result.lang or 'unknown'}"
    ]
    lines += [f"  {f.severity}: “{f.text}” {f.reason} {f.advice}" for f in result.findings]
    return "\n".join(lines)
