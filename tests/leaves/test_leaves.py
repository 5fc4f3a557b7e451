"""The small things everything stands on: settings, secrets, logs, clock, states, doors."""

from __future__ import annotations

import json
import logging
import os
import stat
import subprocess
import sys
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from broadcaster import reasons, settings
from broadcaster.clock import ManualClock, epoch_ms, from_epoch_ms, iso, parse_instant
from broadcaster.errors import BadInput
from broadcaster.events import Changed, EventHub
from broadcaster.logs import start_logging, stop_logging
from broadcaster.secrets import FileSecrets
from broadcaster.states import CAMPAIGN_MOVES, DELIVERY_MOVES, CampaignState, DeliveryState, Reason

ROOT = Path(__file__).resolve().parents[2]
AWARE = st.datetimes(
    min_value=datetime(1971, 1, 1),
    max_value=datetime(2200, 1, 1),
    timezones=st.integers(-14 * 60, 14 * 60).map(lambda minutes: timezone(timedelta(minutes=minutes))),
)


@given(AWARE)
def test_instants_survive_text_and_milliseconds(instant: datetime) -> None:
    assert parse_instant(iso(instant)) == instant
    kept = from_epoch_ms(epoch_ms(instant))
    assert timedelta(0) <= instant - kept < timedelta(milliseconds=1)


def test_a_time_without_offset_is_refused() -> None:
    with pytest.raises(ValueError, match="no offset"):
        parse_instant("2026-11-20T12:00:00")


def test_flags_come_before_environment_before_defaults(tmp_path: Path) -> None:
    environ = {"BROADCASTER_HOME": str(tmp_path / "env"), "BROADCASTER_USER": "env"}
    assert settings.load(environ=environ).home == tmp_path / "env"
    chosen = settings.load(home=str(tmp_path / "flag"), actor="ada", environ=environ)
    assert (chosen.home, chosen.actor) == (tmp_path / "flag", "ada")
    assert chosen.database_url == f"sqlite:///{tmp_path / 'flag' / 'broadcaster.db'}"


def test_settle_time_is_safe_unless_set() -> None:
    assert settings.load(environ={}).settle_seconds >= settings.HTTP_TIMEOUT_SECONDS + 60
    assert settings.load(environ={"BROADCASTER_SETTLE_SECONDS": "2"}).settle_seconds == 2
    with pytest.raises(BadInput, match="BROADCASTER_SETTLE_SECONDS"):
        settings.load(environ={"BROADCASTER_SETTLE_SECONDS": "soon"})


def test_secrets_file_is_for_its_owner_only(tmp_path: Path) -> None:
    secrets = FileSecrets(tmp_path / "secrets.json")
    secrets.set("page:1:token", "t")
    secrets.set("page:2:token", "u")
    secrets.delete("page:1:token")
    assert (secrets.get("page:1:token"), secrets.get("page:2:token")) == (None, "u")
    if os.name == "posix":
        assert stat.S_IMODE(secrets.path.stat().st_mode) == 0o600
    assert list(tmp_path.iterdir()) == [secrets.path]


def test_logs_are_json_lines_without_tokens(tmp_path: Path) -> None:
    handler = start_logging(tmp_path, datetime(2026, 11, 20, tzinfo=UTC))
    try:
        logging.getLogger("broadcaster.x").warning(
            "GET /me?access_token=%s failed", "EAAsecret", extra={"page": 7}
        )
    finally:
        stop_logging(handler)
    line = json.loads(next(tmp_path.glob("run-*.jsonl")).read_text("utf-8"))
    assert line["page"] == 7
    assert "EAAsecret" not in json.dumps(line)


def test_old_run_logs_go(tmp_path: Path) -> None:
    for number in range(30):
        (tmp_path / f"run-2026010{number:02}.jsonl").write_text("{}")
    stop_logging(start_logging(tmp_path, datetime(2026, 11, 20, tzinfo=UTC)))
    assert len(list(tmp_path.glob("run-*.jsonl"))) <= 20


def test_a_failing_listener_does_not_stop_the_others(caplog: pytest.LogCaptureFixture) -> None:
    hub, heard = EventHub(), []

    def broken(_change: Changed) -> None:
        raise RuntimeError("broken")

    hub.subscribe(broken)
    leave = hub.subscribe(heard.append)
    hub.post("page", 1)
    leave()
    hub.post("page", 2)
    assert heard == [Changed("page", 1)]
    assert "a listener failed" in caplog.text


def test_every_state_has_its_moves_and_every_reason_its_words() -> None:
    assert set(CAMPAIGN_MOVES) == set(CampaignState)
    assert set(DELIVERY_MOVES) == set(DeliveryState)
    for reason in Reason:
        text = reasons.reason_text(reason)
        assert text.title
        assert "{" not in text.explain(None, None)


def test_receipts_never_move_down() -> None:
    order = [DeliveryState.SENT, DeliveryState.DELIVERED, DeliveryState.READ]
    for higher, state in enumerate(order):
        assert not DELIVERY_MOVES[state] & set(order[: higher + 1])


def test_a_manual_clock_moves_only_when_told() -> None:
    clock = ManualClock(datetime(2026, 11, 20, tzinfo=UTC))
    clock.move(timedelta(hours=1))
    clock.set_wall(datetime(2026, 11, 19, tzinfo=UTC))
    assert (clock.now().day, clock.monotonic()) == (19, 3600.0)


def test_the_core_loads_no_qt() -> None:
    modules = [
        ".".join(path.relative_to(ROOT).with_suffix("").parts)
        for path in (ROOT / "broadcaster").rglob("*.py")
        if "migrations" not in path.parts and path.name != "__main__.py"
    ]
    code = (
        f"import importlib, sys\nfor name in {modules!r}: importlib.import_module(name.removesuffix('.__init__'))\n"
        "assert not [name for name in sys.modules if name.startswith(('PySide6', 'shiboken6'))]"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr
