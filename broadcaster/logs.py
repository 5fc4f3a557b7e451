"""Structured logs: one file of JSON lines per run in the workspace, rotated.

No token, secret, message text or person's name is logged: callers log ids and numbers only, and
``Redact`` is the second wall: it removes anything that looks like an access token.
"""

from __future__ import annotations

import logging
import re
from datetime import datetime
from logging.handlers import RotatingFileHandler
from pathlib import Path

from pythonjsonlogger.json import JsonFormatter

KEPT_RUNS = 20
MAX_BYTES = 10 * 1024 * 1024

_TOKEN = re.compile(r"(?i)(access_token=|bearer\s+|appsecret_proof=)[^\s&\"']+|\bEAA[A-Za-z0-9]{20,}")


class Redact(logging.Filter):
    """Takes access tokens out of a record's text."""

    def filter(self, record: logging.LogRecord) -> bool:
        text = record.getMessage()
        clean = _TOKEN.sub(lambda found: f"{found.group(1) or ''}[removed]", text)
        if clean != text:
            record.msg, record.args = clean, ()
        return True


def start_logging(folder: Path, started: datetime, level: int = logging.INFO) -> logging.Handler:
    """Write this run's log to ``folder/run-<time>.jsonl``; keeps the newest runs. Returns the handler."""
    folder.mkdir(parents=True, exist_ok=True)
    for old in sorted(folder.glob("run-*.jsonl*"))[: -KEPT_RUNS or None]:
        old.unlink(missing_ok=True)
    path = folder / f"run-{started:%Y%m%dT%H%M%S%f}.jsonl"
    handler = RotatingFileHandler(path, maxBytes=MAX_BYTES, backupCount=3, encoding="utf-8", delay=True)
    handler.setFormatter(
        JsonFormatter("%(asctime)s %(levelname)s %(name)s %(message)s", rename_fields={"asctime": "at"})
    )
    handler.addFilter(Redact())
    root = logging.getLogger("broadcaster")
    root.setLevel(level)
    root.addHandler(handler)
    return handler


def stop_logging(handler: logging.Handler) -> None:
    logging.getLogger("broadcaster").removeHandler(handler)
    handler.close()
