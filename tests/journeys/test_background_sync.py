"""``broadcaster run`` reads conversations by itself while no webhook arrives."""

from __future__ import annotations

import time

from tests.journeys.line import CommandLine, stop

PATIENCE = 40.0


def people(line: CommandLine) -> int:
    return int(line.json("contacts", "count", "--page", "Bikes")["count"])


def test_people_come_by_themselves(line: CommandLine) -> None:
    assert people(line) == 0
    running = line.start("run", "--sync-minutes", "1")
    ends = time.monotonic() + PATIENCE
    while not people(line):
        assert time.monotonic() < ends
        time.sleep(0.2)
    code, _said = stop(running)
    assert code == 0


def test_not_unless_asked(line: CommandLine) -> None:
    running = line.start("run", "--sync-minutes", "0")
    time.sleep(2)
    stop(running)
    assert people(line) == 0
