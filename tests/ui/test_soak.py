"""At full pace with receipts pouring in and the Queue page open: all sent once, memory flat, the window alive."""

from __future__ import annotations

import gc
import json
import subprocess
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import psutil
import pytest
from PySide6.QtCore import Qt, QTimer
from pytestqt.qtbot import QtBot

from broadcaster.audiences import saved
from broadcaster.campaigns import catalogue, lifecycle
from broadcaster.campaigns.definition import parse_campaign
from broadcaster.contacts import importing
from broadcaster.pages.connect import connect_page
from broadcaster.queue import counting
from broadcaster.settings import Settings
from broadcaster.states import CampaignState
from broadcaster.workspace import Workspace
from ui.app import SWITCH_SECONDS, MainThreadCollector
from ui.main_window import MainWindow
from ui.preferences import Preferences

BEAT_MS = 5
BLOCKED_MS = 50
SETTLED_MS = 500
"""Until the window is drawn for the first time."""
SAMPLE_SECONDS = 2.0
WARM_UP = 0.25
"""Share of the run after which memory may not grow any more."""
GROWTH_MB = 40


@dataclass
class BusyPage:
    """The platform in its own process."""

    process: subprocess.Popen[str]
    told: dict[str, Any]
    contacts: str

    def ask(self, line: str) -> dict[str, Any]:
        assert self.process.stdin and self.process.stdout
        self.process.stdin.write(line + "\n")
        self.process.stdin.flush()
        answer: dict[str, Any] = json.loads(self.process.stdout.readline())
        return answer


@dataclass
class Watch:
    """Gaps between beats of the window's thread (ms), and this process's own memory (MB) over time."""

    gaps: list[float] = field(default_factory=list)
    memory: list[float] = field(default_factory=list)
    _beat: float = field(default_factory=time.perf_counter)
    _sampled: float = 0.0

    def beat(self) -> None:
        now = time.perf_counter()
        self.gaps.append((now - self._beat) * 1000 - BEAT_MS)
        self._beat = now
        if now - self._sampled > SAMPLE_SECONDS:
            self._sampled = now
            held = psutil.Process().memory_info()
            self.memory.append((held.rss - getattr(held, "shared", 0)) / 1e6)
            self._beat = time.perf_counter()

    @property
    def grown(self) -> float:
        """Megabytes between the end of the warm-up and the end."""
        settled = self.memory[int(len(self.memory) * WARM_UP) :]
        return max(settled[len(settled) // 2 :]) - settled[0]


@pytest.fixture(autouse=True)
def switching_as_in_the_app() -> Iterator[None]:
    before = sys.getswitchinterval()
    sys.setswitchinterval(SWITCH_SECONDS)
    yield
    sys.setswitchinterval(before)
    gc.unfreeze()


@pytest.fixture
def busy_page(request: pytest.FixtureRequest) -> Iterator[BusyPage]:
    command = [sys.executable, "-m", "tests.ui.busy_page", str(request.param)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout
        told, contacts = json.loads(process.stdout.readline()), json.loads(process.stdout.readline())
        yield BusyPage(process, told, contacts)
        process.kill()


def launched(space: Workspace, page: BusyPage, folder: Path) -> int:
    """The Page connected, its people imported, a campaign to all of them due now."""
    told, now = page.told, space.clock.now()
    connected = connect_page(
        space.store, space.secrets, space.clock, space.settings, page_id=told["page"], name="Busy",
        platform="messenger", token=told["token"], app_secret=told["secret"], app_id=told["app"],
        verify_token=told["verify"], actor="anna",
    )  # fmt: skip
    file = folder / "people.csv"
    file.write_text(page.contacts, "utf-8")
    importing.import_contacts(space.store, space.clock, connected.id, file)
    with space.store.write() as conn:
        saved.save(conn, connected.id, "All", {"all": []}, now=now)
        given = {
            "name": "Soak", "page": told["page"], "audience": "All", "permission": "standard",
            "message": {"text": "Hi {{first_name|there}}, we are open until six."}, "throttle_per_second": 300,
        }  # fmt: skip
        made = catalogue.create(conn, parse_campaign(given), actor="anna", at=now)
        lifecycle.submit(conn, made, actor="anna", at=now)
        lifecycle.approve(conn, made, actor="ben", at=now, note="fine")
        lifecycle.schedule(conn, made, now, actor="anna", at=now)
    return made


def send(space: Workspace, page: BusyPage, campaign: int, seconds: float) -> None:
    """Start the receiver and the sender; returns when the campaign is finished."""
    port = space.start_receiver(0)
    page.ask(f"subscribe http://127.0.0.1:{port}/webhook")
    space.start_sending()
    ends = time.monotonic() + seconds
    while True:
        with space.store.read() as conn:
            if catalogue.get(conn, campaign).state == CampaignState.FINISHED:
                return
        assert time.monotonic() < ends, "it did not end in time"
        time.sleep(0.5)


def soak(qtbot: QtBot, page: BusyPage, folder: Path, seconds: float) -> tuple[Watch, dict[str, Any], Any]:
    settings = Settings(
        home=folder,
        database_url=f"sqlite:///{folder / 'broadcaster.db'}",
        graph_url=page.told["url"],
        actor="anna",
    )
    with Workspace.open(replace(settings, settle_seconds=2.0)) as space:
        campaign = launched(space, page, folder)
        window = MainWindow(Preferences(folder))
        MainThreadCollector(window)
        window.resize(1280, 800)
        window.show()
        window.attach(space)
        gc.collect()
        gc.freeze()  # as the app does: what was imported is not searched for garbage again
        window.go("queue")
        qtbot.wait(SETTLED_MS)
        watch, timer = Watch(), QTimer()
        timer.setTimerType(Qt.TimerType.PreciseTimer)
        timer.timeout.connect(watch.beat)
        timer.start(BEAT_MS)
        with ThreadPoolExecutor(1) as beside:  # the app starts both beside its window too
            ended = beside.submit(send, space, page, campaign, seconds)
            qtbot.waitUntil(ended.done, timeout=int(seconds * 1000) + 10_000)
            ended.result()
        timer.stop()
        platform = page.ask("ledger")
        qtbot.wait(2000)
        with space.store.read() as conn:
            counts = counting.counts(conn, campaign)
        window.close()
        window.deleteLater()
    return watch, platform, counts


def report(watch: Watch, platform: dict[str, Any]) -> str:
    gaps = sorted(watch.gaps)
    at = {share: gaps[int(len(gaps) * share)] for share in (0.5, 0.99)}
    rate = platform["taken"] * 1000 / max(1, platform["milliseconds"])
    return (
        f"{platform['taken']} messages at {rate:.0f}/s, at most {platform['busiest_second']} in a second; "
        f"window's thread kept waiting {at[0.5]:.1f} ms (median), {at[0.99]:.1f} (p99), {gaps[-1]:.0f} (most), "
        f"{sum(gap > BLOCKED_MS for gap in gaps)} times over {BLOCKED_MS}; "
        f"memory {watch.memory[0]:.0f} to {watch.memory[-1]:.0f} MB, {watch.grown:+.0f} after the warm-up"
    )


def verify(platform: dict[str, Any], counts: Any, people: int) -> None:
    assert (platform["taken"], platform["people"]) == (people, people)
    assert counts.adds_up
    assert (counts.sent, counts.intended) == (people, people)
    assert counts.read == platform["read"] > 0
    assert platform["busiest_second"] <= 300


@pytest.mark.parametrize("busy_page", [1500], indirect=True)
def test_a_short_soak(qtbot: QtBot, busy_page: BusyPage, tmp_path: Path) -> None:
    watch, platform, counts = soak(qtbot, busy_page, tmp_path, seconds=90)
    print(report(watch, platform))
    verify(platform, counts, 1500)


@pytest.mark.slow
@pytest.mark.timeout(1800)
@pytest.mark.parametrize("busy_page", [100_000], indirect=True)
def test_soak(qtbot: QtBot, busy_page: BusyPage, tmp_path: Path) -> None:
    watch, platform, counts = soak(qtbot, busy_page, tmp_path, seconds=1200)
    print(report(watch, platform))
    verify(platform, counts, 100_000)
    assert watch.grown < GROWTH_MB
    assert max(watch.gaps) < BLOCKED_MS
