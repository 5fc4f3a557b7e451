"""The sandbox as a process of its own: ``python -m broadcaster.sandbox.serve --port 8765``."""

from __future__ import annotations

import argparse
import json
import signal
import sys
import threading
from pathlib import Path

from broadcaster.sandbox.people import Behaviour
from broadcaster.sandbox.server import Sandbox, SandboxPortTaken
from broadcaster.sandbox.world import Platform


def serve(
    port: int = 0,
    contacts: int = 200,
    seed: int = 1,
    *,
    platform: Platform = "messenger",
    csv: Path | None = None,
    quiet: bool = False,
    unlimited: bool = False,
) -> None:
    """Serve until the process is told to end. Prints one JSON line with address, ids, tokens and secret first.

    ``csv`` also writes the contacts file there; ``quiet`` makes people receive and do nothing more; ``unlimited``
    switches the rate limits off. Raises ``SandboxPortTaken`` when the port is in use.
    """
    behaviour = Behaviour.quiet() if quiet else None
    ended = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: ended.set())
    with Sandbox(contacts=contacts, seed=seed, port=port, platform=platform, behaviour=behaviour) as sandbox:
        sandbox.page.limits.enforced = not unlimited
        if csv is not None:
            csv.write_text(sandbox.contacts_csv(), encoding="utf-8")
        print(json.dumps(sandbox.describe()), flush=True)
        while not ended.wait(0.5):
            pass


def main() -> int:
    parser = argparse.ArgumentParser(description="A simulated Page on this machine.")
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument("--contacts", type=int, default=200)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--platform", choices=["messenger", "instagram"], default="messenger")
    parser.add_argument("--csv", type=Path)
    parser.add_argument("--quiet", action="store_true", help="people receive and do nothing more")
    parser.add_argument("--unlimited", action="store_true", help="no rate limits")
    given = parser.parse_args()
    try:
        serve(**vars(given))
    except SandboxPortTaken as taken:
        print(taken, file=sys.stderr)
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
