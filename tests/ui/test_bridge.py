"""Core events reach the window in bundles, from any thread; PySide6 loses no references."""

from __future__ import annotations

import sys
import threading

from PySide6.QtCore import QObject, Signal
from pytestqt.qtbot import QtBot

from broadcaster.events import Changed, EventHub
from ui.bridge import Bridge


def test_a_thousand_events_from_a_thread_arrive_as_few_bundles_in_the_main_thread(
    qtbot: QtBot, hub: EventHub, bridge: Bridge
) -> None:
    bundles: list[tuple[frozenset[Changed], threading.Thread]] = []
    bridge.changed.connect(lambda changes: bundles.append((changes, threading.current_thread())))

    def post() -> None:
        for number in range(1000):
            hub.post("delivery", number)

    poster = threading.Thread(target=post)
    poster.start()
    poster.join()
    qtbot.waitUntil(lambda: sum(len(changes) for changes, _ in bundles) == 1000)
    assert len(bundles) <= 3
    assert {thread for _, thread in bundles} == {threading.main_thread()}


def test_the_same_event_twice_is_one_event(qtbot: QtBot, hub: EventHub, bridge: Bridge) -> None:
    with qtbot.waitSignal(bridge.changed) as heard:
        hub.post("page", 1)
        hub.post("page", 1)
    assert heard.args == [frozenset({Changed("page", 1)})]


def test_a_closed_bridge_hears_nothing(qtbot: QtBot, hub: EventHub, bridge: Bridge) -> None:
    bridge.close()
    with qtbot.assertNotEmitted(bridge.changed, wait=200):
        hub.post("page", 1)


class Emitter(QObject):
    said = Signal(bool)


def test_five_thousand_signals_lose_no_reference_to_true_or_none(qtbot: QtBot) -> None:
    emitter, heard = Emitter(), []
    emitter.said.connect(heard.append)
    before_true, before_none = sys.getrefcount(True), sys.getrefcount(None)
    for _ in range(5000):
        emitter.said.emit(True)
        emitter.setObjectName("x")
    lost_true = before_true - sys.getrefcount(True) + len(heard)
    lost_none = before_none - sys.getrefcount(None)
    assert len(heard) == 5000
    assert lost_true < 100
    assert lost_none < 100
