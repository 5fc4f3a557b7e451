"""A simulated Page as a process of its own: ``python -m tests.ui.busy_page PEOPLE``.

Prints what is needed to connect it, then answers lines: ``subscribe URL`` and ``ledger``.
"""

from __future__ import annotations

import json
import sys
from bisect import bisect_left
from dataclasses import replace

from broadcaster.sandbox import Behaviour, Sandbox


def main() -> None:
    readers = replace(Behaviour.quiet(), reads=0.3)
    with Sandbox(contacts=int(sys.argv[1]), seed=1, behaviour=readers) as sandbox:
        say(
            url=sandbox.url, page=sandbox.page_id, token=sandbox.page_token, secret=sandbox.app_secret,
            app=sandbox.app_id, verify=sandbox.verify_token,
        )  # fmt: skip
        print(json.dumps(sandbox.contacts_csv()), flush=True)
        for line in sys.stdin:
            order = line.split()
            if order[0] == "subscribe":
                sandbox.subscribe(order[1])
                say(done=True)
            elif order[0] == "ledger":
                sandbox.settle(60)
                say(**told(sandbox))


def told(sandbox: Sandbox) -> dict[str, int]:
    entries = sandbox.ledger()
    times = sorted(entry.accepted_ms for entry in entries)
    busiest = max((bisect_left(times, at + 1000) - n for n, at in enumerate(times)), default=0)
    return {
        "taken": len(entries),
        "people": len({entry.psid for entry in entries}),
        "read": sum(entry.read_ms > 0 for entry in entries),
        "busiest_second": busiest,
        "milliseconds": times[-1] - times[0] if times else 0,
    }


def say(**given: object) -> None:
    print(json.dumps(given), flush=True)


if __name__ == "__main__":
    main()
