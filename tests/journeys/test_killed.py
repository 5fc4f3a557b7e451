"""The program is killed at random instants while it sends: nobody gets it twice, everybody is accounted for."""

from __future__ import annotations

import json
import random
import signal
import time
from pathlib import Path

import pytest

from broadcaster.sandbox import Behaviour, Fault, Sandbox
from tests.journeys.line import CommandLine, connect, free_port, stop, wait_until

CAMPAIGN = {
    "name": "Killed",
    "audience": "Everybody",
    "permission": "standard",
    "message": {"text": "Hi {{first_name|there}}, your place is kept."},
}


def start_campaign(line: CommandLine, sandbox: Sandbox, folder: Path, per_second: int) -> None:
    people = folder / "contacts.csv"
    people.write_text(sandbox.contacts_csv(), "utf-8")
    line.run("contacts", "import", str(people), "--page", "Bikes")
    line.run("audience", "create", "Everybody", "--page", "Bikes", "--filter", '{"all": []}')
    file = folder / "campaign.json"
    file.write_text(json.dumps({**CAMPAIGN, "page": sandbox.page_id, "throttle_per_second": per_second}))
    line.run("campaign", "create", "--file", str(file))
    line.run("campaign", "submit", "Killed")
    line.run("campaign", "approve", "Killed", "--note", "ok")
    line.run("campaign", "schedule", "Killed", "--at", "now")


def kill_while_sending(people: int, kills: int, per_second: int, seed: int, folder: Path) -> None:
    chance = random.Random(seed)
    with Sandbox(contacts=people, seed=seed, behaviour=Behaviour.quiet()) as sandbox:
        line = connect(sandbox, folder)
        start_campaign(line, sandbox, folder, per_second)
        order_faults(sandbox)
        port = free_port()
        for number in range(kills):
            running = line.start("run", "--webhook-port", str(port))
            before = len(sandbox.ledger())
            if number == 0:
                wait_until(lambda: subscribed(sandbox, port))
            wait_until(lambda seen=before: len(sandbox.ledger()) > seen or ended(line), 60)  # type: ignore[misc]
            time.sleep(chance.random() * 0.4)
            running.send_signal(signal.SIGKILL)
            running.communicate()
        sandbox.faults.clear()
        running = line.start("run", "--webhook-port", str(port))
        wait_until(lambda: ended(line), 240)
        sandbox.settle()
        wait_until(lambda: all_delivered(line, sandbox))
        stop(running)
        check(line, sandbox, people)


def order_faults(sandbox: Sandbox) -> None:
    """A bad network: answers lost before and after acceptance, servers that stumble."""
    for fault in (
        Fault("drop", rate=0.02, accepted=True),
        Fault("drop", rate=0.02, accepted=False),
        Fault("http_error", rate=0.01, accepted=True, status=502),
    ):
        sandbox.faults.order(fault)


def subscribed(sandbox: Sandbox, port: int) -> bool:
    try:
        sandbox.subscribe(f"http://127.0.0.1:{port}/webhook")
    except (ValueError, OSError):
        return False
    return True


def ended(line: CommandLine) -> bool:
    status = line.json("campaign", "status", "Killed")
    return bool(status["waiting"] == status["sending"] == 0 and status["unconfirmed"] == 0)


def all_delivered(line: CommandLine, sandbox: Sandbox) -> bool:
    """Every receipt of the platform has come in and been applied."""
    status = line.json("campaign", "status", "Killed")
    told = sum(entry.delivered_ms > 0 for entry in sandbox.ledger())
    return bool(status["delivered"] == told)


def check(line: CommandLine, sandbox: Sandbox, people: int) -> None:
    accepted = sandbox.ledger()
    status = line.json("campaign", "status", "Killed")
    reached = [entry.psid for entry in accepted]
    assert len(reached) == len(set(reached)), "somebody got it twice"
    assert status["sent"] == len(reached)
    assert status["adds_up"]
    assert status["sent"] + status["failed"] + status["unconfirmed"] + status["skipped"] == people
    assert json.loads(line.run("audit", "verify", "--json"))["holds"]


def test_killed_three_times(tmp_path: Path) -> None:
    kill_while_sending(people=150, kills=3, per_second=60, seed=3, folder=tmp_path)


@pytest.mark.slow
@pytest.mark.timeout(3600)
@pytest.mark.parametrize("seed", range(5))
def test_kill_forty_times(tmp_path: Path, seed: int) -> None:
    kill_while_sending(people=1500, kills=40, per_second=40, seed=seed, folder=tmp_path)
