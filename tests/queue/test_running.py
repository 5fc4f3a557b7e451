"""``broadcaster run`` says what happened, what stands still and how it goes on, and ends in bounded time."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import update

from broadcaster.cli.main import main
from broadcaster.clock import SystemClock
from broadcaster.queue import settle
from broadcaster.queue.ledger import CAMPAIGNS
from broadcaster.queue.sender_lock import SenderLock
from broadcaster.sandbox import Behaviour, Fault, Sandbox
from broadcaster.store import connect

PEOPLE = 10
Line = Callable[..., tuple[int, str]]


@pytest.fixture
def sandbox() -> Iterator[Sandbox]:
    with Sandbox(contacts=PEOPLE, seed=4, behaviour=Behaviour.quiet()) as running:
        yield running


@pytest.fixture
def line(
    sandbox: Sandbox,
    tmp_path: Path,
    empty_database: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> Line:
    """Runs a command in this process: (exit code, everything it said). The Page is connected."""
    home = tmp_path / "home"
    home.mkdir()
    (home / "broadcaster.db").write_bytes(empty_database.read_bytes())
    monkeypatch.setenv("BROADCASTER_HOME", str(home))
    monkeypatch.setenv("BROADCASTER_GRAPH_URL", sandbox.url)
    monkeypatch.setenv("BROADCASTER_SECRETS", "file")
    monkeypatch.setenv("BROADCASTER_SETTLE_SECONDS", "0.2")

    def run(*arguments: str) -> tuple[int, str]:
        code = main(list(arguments))
        said = capsys.readouterr()
        assert "Traceback" not in said.err
        return code, said.out + said.err

    (tmp_path / "token").write_text(sandbox.page_token)
    (tmp_path / "people.csv").write_text(sandbox.contacts_csv(), "utf-8")
    for command in (
        ("page", "connect", "--page-id", sandbox.page_id, "--name", "Bikes", "--token-file", str(tmp_path / "token")),
        ("contacts", "import", str(tmp_path / "people.csv"), "--page", "Bikes"),
        ("audience", "create", "Everybody", "--page", "Bikes", "--filter", '{"all": []}'),
    ):  # fmt: skip
        code, said = run(*command)
        assert code == 0, said
    return run


@pytest.fixture
def campaign(line: Line, tmp_path: Path, sandbox: Sandbox) -> Callable[..., str]:
    """Makes an approved campaign, scheduled for now; gives what creating it said."""

    def make(**changes: object) -> str:
        file = tmp_path / "campaign.json"
        given = {
            "name": "C", "page": sandbox.page_id, "audience": "Everybody", "permission": "standard",
            "message": {"text": "Hello {{psid}}"}, "throttle_per_second": 40, **changes,
        }  # fmt: skip
        file.write_text(json.dumps(given))
        code, told = line("campaign", "create", "--file", str(file))
        assert code == 0, told
        for step in (("submit", "C"), ("approve", "C"), ("schedule", "C", "--at", "now")):
            code, said = line("campaign", *step)
            assert code == 0, said
        return told

    return make


def status(line: Line) -> dict[str, object]:
    found: dict[str, object] = json.loads(line("campaign", "status", "C", "--json")[1])
    return found


def test_it_ends_with_0_when_all_went_well(line: Line, campaign: Callable[..., str]) -> None:
    campaign()
    assert line("run", "--until-idle") == (0, "")
    assert status(line)["sent"] == PEOPLE


def test_a_missed_start_is_told_with_the_choices(
    line: Line, campaign: Callable[..., str], tmp_path: Path, sandbox: Sandbox
) -> None:
    campaign()
    store = connect(f"sqlite:///{tmp_path / 'home' / 'broadcaster.db'}")
    with store.write() as conn:
        late = SystemClock().now() - timedelta(hours=3, minutes=12, seconds=5)
        conn.execute(update(CAMPAIGNS).values(start_at=late))
    store.close()
    code, said = line("run", "--until-idle")
    assert code == 1
    assert "C: Missed by 3 h 12 min; " in said
    assert "of 10 still reachable. Send now (broadcaster campaign schedule NAME --at now), move" in said
    assert sandbox.ledger() == []
    code, said = line("campaign", "resume", "C")
    assert (code, "Send it now with a schedule for now" in said) == (3, True)
    line("campaign", "schedule", "C", "--at", "now")
    assert line("run", "--until-idle")[0] == 0
    assert len(sandbox.ledger()) == status(line)["sent"]


def test_a_stopped_page_is_told_with_the_way_out(
    line: Line, campaign: Callable[..., str], sandbox: Sandbox, tmp_path: Path
) -> None:
    campaign()
    sandbox.revoke_token()
    code, said = line("run", "--until-idle")
    assert code == 1
    assert "C is paused: " in said and "onnect" in said
    code, said = line("campaign", "resume", "C")
    assert (code, "The Page 'Bikes' may not send: " in said) == (3, True)
    sandbox.run(lambda: sandbox._world.renew(sandbox.page_id))
    (tmp_path / "token").write_text(sandbox.page_token)
    token = str(tmp_path / "token")
    line("page", "connect", "--page-id", sandbox.page_id, "--name", "Bikes", "--token-file", token)
    assert line("campaign", "resume", "C")[0] == 0
    assert line("run", "--until-idle")[0] == 0
    assert status(line)["sent"] == PEOPLE == len(sandbox.ledger())


def test_without_a_network_it_ends_and_the_next_run_goes_on(
    line: Line, campaign: Callable[..., str], sandbox: Sandbox
) -> None:
    campaign()
    port = sandbox.port
    sandbox.stop()
    began = time.monotonic()
    code, said = line("run", "--until-idle", "--give-up-after", "0.5")
    assert code == 1
    assert time.monotonic() - began < 15
    assert "The platform does not answer (no connection could be made)." in said
    assert f"Given up for now: {said.splitlines()[0]} 10 messages wait; the next run sends them." in said
    sandbox._wanted_port = port
    sandbox.start()
    assert line("run", "--until-idle")[0] == 0
    assert status(line)["sent"] == PEOPLE == len(sandbox.ledger())


def test_doubts_are_told_with_the_choices(
    line: Line, campaign: Callable[..., str], sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(settle, "MAX_READS", 1)
    sandbox.faults.order(Fault("drop", psid=sandbox.person(0).psid, accepted=True))
    sandbox.faults.order(Fault("error", target="conversations", code=100))
    campaign()
    code, said = line("run", "--until-idle")
    assert code == 1
    assert "0 messages failed and 1 are unconfirmed" in said
    assert "nothing is sent again by itself" in said
    code, said = line("campaign", "resolve", "C")
    assert code == 3
    assert all(choice in said for choice in ("--as-sent", "--send-again (may reach people twice)", "--leave"))
    assert line("campaign", "resolve", "C", "--leave")[0] == 0
    assert status(line)["unconfirmed"] == 1
    assert line("campaign", "resolve", "C", "--as-sent")[0] == 0
    assert status(line)["sent"] == PEOPLE


def test_a_second_run_is_refused_in_one_sentence(line: Line, tmp_path: Path) -> None:
    store = connect(f"sqlite:///{tmp_path / 'home' / 'broadcaster.db'}")
    first = SenderLock(store)
    first.acquire()
    code, said = line("run", "--until-idle")
    first.release()
    store.close()
    assert code == 2
    assert said.count("\n") == 1
    assert "Another Broadcaster already sends from this workspace." in said


def test_a_fast_campaign_is_warned_about(campaign: Callable[..., str]) -> None:
    assert "above 40 the Page's own inbox can freeze" in campaign(throttle_per_second=60)


def test_causes_in_the_status_add_up(line: Line, campaign: Callable[..., str]) -> None:
    """Also what the platform never saw: texts too long with a person's own values in them."""
    campaign(message={"text": "{{psid}}" + "x" * 1985})
    assert line("run", "--until-idle")[0] == 1
    found = status(line)
    assert found["failed"] == PEOPLE
    errors = found["errors"]
    assert isinstance(errors, list)
    assert sum(error["count"] for error in errors) == found["failed"]
    assert found["adds_up"] is True
