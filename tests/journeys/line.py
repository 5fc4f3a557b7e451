"""``broadcaster`` as a process of its own: a workspace folder, secrets in files, a simulated Page over HTTP."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from broadcaster.sandbox import Sandbox

PATIENCE_SECONDS = 120


@dataclass(frozen=True)
class CommandLine:
    """Runs ``broadcaster`` as a process of its own against one workspace and one Page."""

    home: Path
    url: str

    @property
    def environment(self) -> dict[str, str]:
        return {
            **os.environ,
            "BROADCASTER_HOME": str(self.home),
            "BROADCASTER_GRAPH_URL": self.url,
            "BROADCASTER_SECRETS": "file",
            "BROADCASTER_SETTLE_SECONDS": "1",
        }

    def run(self, *arguments: str, expect: int = 0, stdin: str | None = None) -> str:
        """Standard output of a command that must end with exit code ``expect``."""
        done = subprocess.run(
            [sys.executable, "-m", "broadcaster", *arguments],
            env=self.environment,
            input=stdin,
            capture_output=True,
            text=True,
            timeout=PATIENCE_SECONDS,
        )
        assert done.returncode == expect, f"{arguments}: {done.returncode}\n{done.stdout}\n{done.stderr}"
        assert "Traceback" not in done.stderr
        return done.stdout if expect == 0 else done.stderr

    def json(self, *arguments: str) -> Any:
        return json.loads(self.run(*arguments, "--json"))

    def start(self, *arguments: str) -> subprocess.Popen[str]:
        return subprocess.Popen(
            [sys.executable, "-m", "broadcaster", *arguments],
            env=self.environment,
            stderr=subprocess.PIPE,
            text=True,
        )


def connect(sandbox: Sandbox, folder: Path) -> CommandLine:
    line = CommandLine(folder / "home", sandbox.url)
    for name, secret in (
        ("token", sandbox.page_token),
        ("secret", sandbox.app_secret),
        ("verify", sandbox.verify_token),
    ):
        (folder / name).write_text(secret + "\n")
    line.run(
        "page",
        "connect",
        "--page-id",
        sandbox.page_id,
        "--name",
        "Bikes",
        "--token-file",
        str(folder / "token"),
        "--app-secret-file",
        str(folder / "secret"),
        "--app-id",
        sandbox.app_id,
        "--verify-token-file",
        str(folder / "verify"),
    )
    return line


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def wait_until(what: Callable[[], bool], seconds: float = PATIENCE_SECONDS) -> None:
    """Look again every 50 ms until ``what`` holds."""
    deadline = time.monotonic() + seconds
    while not what():
        assert time.monotonic() < deadline, "it did not happen in time"
        time.sleep(0.05)


def stop(process: subprocess.Popen[str]) -> tuple[int, str]:
    """Ask a running program to end; returns its exit code and what it said."""
    process.send_signal(signal.SIGTERM)
    _, said = process.communicate(timeout=30)
    return process.returncode, said
