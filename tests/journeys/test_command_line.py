"""The whole job through the command line, every figure held against the platform's own ledger."""

from __future__ import annotations

import csv
import json
from collections import Counter
from pathlib import Path

import pytest

from broadcaster.sandbox import Behaviour, Sandbox
from tests.journeys.line import CommandLine, connect, free_port, stop, wait_until

CAMPAIGN = {
    "name": "Workshop",
    "audience": "Everybody",
    "permission": "standard",
    "message": {"text": "Hi {{first_name|there}}, shall we keep a place for you?"},
    "throttle_per_second": 200,
}
EVERYBODY = '{"all": []}'


def prepare(line: CommandLine, sandbox: Sandbox, folder: Path, **changes: object) -> None:
    """People, audience and an approved campaign."""
    people = folder / "contacts.csv"
    people.write_text(sandbox.contacts_csv(), "utf-8")
    line.run("contacts", "import", str(people), "--page", "Bikes")
    line.run("audience", "create", "Everybody", "--page", "Bikes", "--filter", EVERYBODY)
    file = folder / "campaign.json"
    file.write_text(json.dumps({**CAMPAIGN, "page": sandbox.page_id, **changes}))
    line.run("campaign", "create", "--file", str(file))
    line.run("campaign", "submit", "Workshop")
    line.run("--as", "reviewer", "campaign", "approve", "Workshop", "--note", "fine")


def rows(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8-sig", newline="") as file:
        return list(csv.DictReader(file))


def test_every_number_equals_the_platforms_ledger(tmp_path: Path) -> None:
    with Sandbox(contacts=1500, seed=11, behaviour=Behaviour(reads=0.7, answers=0.02, opts_out=0)) as sandbox:
        line = connect(sandbox, tmp_path)
        sandbox.delivery.duplicate = 0.1
        sandbox.delivery.shuffle = True
        prepare(line, sandbox, tmp_path)
        checked = line.json("campaign", "check", "Workshop")
        line.run("campaign", "schedule", "Workshop", "--at", "now")
        port = free_port()
        running = line.start("run", "--webhook-port", str(port))
        wait_until(lambda: _subscribed(sandbox, port))
        wait_until(lambda: line.json("campaign", "status", "Workshop")["state"] == "finished")
        sandbox.settle()
        wait_until(lambda: _receipts_are_in(line, sandbox))
        stop(running)
        status = line.json("campaign", "status", "Workshop")

        accepted = sandbox.ledger()
        assert len(accepted) == len({entry.psid for entry in accepted}) == status["sent"]
        assert status["delivered"] == sum(entry.delivered_ms > 0 for entry in accepted)
        assert status["read"] == sum(entry.read_ms > 0 for entry in accepted)
        assert status["eligible"] + status["blocked"] == status["audience"] == 1500
        assert sum(status["reasons"].values()) == status["blocked"]
        assert checked["eligible"] + checked["blocked"] == checked["audience"] == 1500
        ends = ("waiting", "sending", "sent", "failed", "skipped", "unconfirmed", "cancelled")
        assert sum(status[name] for name in ends) == status["eligible"]

        line.run("report", "blocked", "Workshop", "--format", "csv", "--out", str(tmp_path / "blocked.csv"))
        line.run("report", "failures", "Workshop", "--format", "csv", "--out", str(tmp_path / "failures.csv"))
        assert Counter(row["reason"] for row in rows(tmp_path / "blocked.csv")) == Counter(status["reasons"])
        failures = rows(tmp_path / "failures.csv")
        assert len(failures) == status["failed"] + status["unconfirmed"] > 0
        assert not {row["psid"] for row in failures} & {entry.psid for entry in accepted}
        assert sum(error["count"] for error in status["errors"]) == status["failed"]
        assert json.loads(line.run("audit", "verify", "--json"))["holds"]


def _subscribed(sandbox: Sandbox, port: int) -> bool:
    try:
        sandbox.subscribe(f"http://127.0.0.1:{port}/webhook")
    except (ValueError, OSError):
        return False
    return True


def _receipts_are_in(line: CommandLine, sandbox: Sandbox) -> bool:
    status = line.json("campaign", "status", "Workshop")
    accepted = sandbox.ledger()
    delivered = sum(entry.delivered_ms > 0 for entry in accepted)
    read = sum(entry.read_ms > 0 for entry in accepted)
    return (status["delivered"], status["read"]) == (delivered, read)


def test_until_idle_ends_by_itself_and_says_what_failed(
    line: CommandLine, sandbox: Sandbox, tmp_path: Path
) -> None:
    prepare(line, sandbox, tmp_path)
    line.run("campaign", "schedule", "Workshop", "--at", "now")
    running = line.start("run", "--until-idle")
    _, said = running.communicate(timeout=60)
    status = line.json("campaign", "status", "Workshop")
    assert status["state"] == "finished"
    assert running.returncode == (1 if status["failed"] or status["unconfirmed"] else 0)
    assert (f"{status['failed']} messages failed" in said) == bool(status["failed"])


def test_nothing_is_sent_without_approval(line: CommandLine, sandbox: Sandbox, tmp_path: Path) -> None:
    prepare(line, sandbox, tmp_path)
    line.run("campaign", "reject", "Workshop", "--note", "an approval can be taken back")
    assert "not approved" in line.run("campaign", "schedule", "Workshop", "--at", "now", expect=3)
    line.run("run", "--until-idle")
    assert sandbox.ledger() == []


def test_an_audience_changed_after_approval_voids_it(
    line: CommandLine, sandbox: Sandbox, tmp_path: Path
) -> None:
    prepare(line, sandbox, tmp_path)
    wider = '{"all": [{"field": "opted_out", "op": "eq", "value": false}]}'
    line.run("audience", "create", "Everybody", "--page", "Bikes", "--filter", wider)
    assert "changed since it was approved: audience" in line.run(
        "campaign", "schedule", "Workshop", "--at", "now", expect=3
    )


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (("campaign", "check", "Nothing"), "no campaign 'Nothing'"),
        (
            (
                "audience",
                "create",
                "A",
                "--page",
                "Bikes",
                "--filter",
                '{"field": "citty", "op": "eq", "value": 1}',
            ),
            "citty",
        ),
        (("audience", "create", "A", "--page", "Bikes", "--filter", '{"all": ['), "not valid JSON"),
        (("contacts", "count", "--page", "Nobody"), "no Page 'Nobody'"),
        (("campaign", "schedule", "X", "--at", "2026-12-01T09:00"), "offset"),
        (("campaign", "create", "--file", "missing.json"), "missing.json"),
        (("--home", "/proc/nowhere", "contacts", "count", "--page", "Bikes"), "cannot be written"),
        (("report", "blocked", "X", "--format", "doc", "--out", "x"), "doc"),
    ],
)
def test_bad_input_is_one_clear_line(line: CommandLine, arguments: tuple[str, ...], says: str) -> None:
    assert says in line.run(*arguments, expect=2)


def test_a_second_campaign_of_the_same_name_is_refused(
    line: CommandLine, sandbox: Sandbox, tmp_path: Path
) -> None:
    prepare(line, sandbox, tmp_path)
    said = line.run("campaign", "create", "--file", str(tmp_path / "campaign.json"), expect=2)
    assert "already a campaign named 'Workshop'" in said


def test_a_campaign_naming_a_missing_audience_is_refused(
    line: CommandLine, sandbox: Sandbox, tmp_path: Path
) -> None:
    file = tmp_path / "campaign.json"
    file.write_text(json.dumps({**CAMPAIGN, "page": sandbox.page_id}))
    assert "Everybody" in line.run("campaign", "create", "--file", str(file), expect=2)
    assert line.json("campaign", "list") == []


def test_a_taken_port_is_named(line: CommandLine, sandbox: Sandbox) -> None:
    assert str(sandbox.port) in line.run("sandbox", "serve", "--port", str(sandbox.port), expect=2)
    assert str(sandbox.port) in line.run("run", "--until-idle", "--webhook-port", str(sandbox.port), expect=2)


def test_a_graph_address_that_does_not_answer_is_named(tmp_path: Path) -> None:
    (tmp_path / "token").write_text("x")
    nowhere = CommandLine(tmp_path / "home", f"http://127.0.0.1:{free_port()}")
    said = nowhere.run("page", "connect", "--page-id", "1", "--token-file", str(tmp_path / "token"), expect=2)
    assert nowhere.url in said
    assert nowhere.json("page", "list") == []


def test_secrets_stay_out_of_database_logs_and_output(
    line: CommandLine, sandbox: Sandbox, tmp_path: Path
) -> None:
    prepare(line, sandbox, tmp_path)
    line.run("campaign", "schedule", "Workshop", "--at", "now")
    running = line.start("run", "--until-idle")
    running.communicate(timeout=60)
    for file in line.home.rglob("*"):
        if file.is_file() and file.name != "secrets.json":
            content = file.read_bytes()
            assert sandbox.page_token.encode() not in content, file
            assert sandbox.app_secret.encode() not in content, file
    assert (line.home / "secrets.json").stat().st_mode & 0o077 == 0


def test_demo_without_a_window(tmp_path: Path) -> None:
    line = CommandLine(tmp_path / "home", "")
    told = line.run("demo", "--headless", "--contacts", "80", "--home", str(tmp_path / "practice"))
    assert "the platform's own ledger says the same" in told
    assert "the figures add up" in told
    report = tmp_path / "practice" / "report"
    assert {"blocked.csv", "campaign.pdf", "campaign.xlsx", "failures.csv", "compliance.zip"} <= {
        file.name for file in report.iterdir()
    }
