"""Work off the window's thread: results, errors, cancelling, newest wins, owners that are gone."""

from __future__ import annotations

import threading
from typing import Any

from PySide6.QtCore import QObject
from pytestqt.qtbot import QtBot

from broadcaster.errors import BadInput, BroadcasterError
from ui.tasks import Tasks, Work


def test_work_runs_in_another_thread_and_its_result_comes_back_to_the_windows(
    qtbot: QtBot, tasks: Tasks
) -> None:
    owner, heard = QObject(), []
    tasks.run(
        owner,
        lambda _work: threading.current_thread(),
        lambda ran: heard.append((ran, threading.current_thread())),
    )
    qtbot.waitUntil(lambda: bool(heard))
    ran, told = heard[0]
    assert ran is not told
    assert told is threading.main_thread()


def test_only_the_newest_of_a_key_is_heard(qtbot: QtBot, tasks: Tasks) -> None:
    owner, heard, gate = QObject(), [], threading.Event()

    def slow(_work: Work) -> str:
        gate.wait(5)
        return "old"

    tasks.run(owner, slow, heard.append, key="count")
    tasks.run(owner, lambda _work: "new", heard.append, key="count")
    gate.set()
    qtbot.waitUntil(lambda: not tasks.running)
    assert heard == ["new"]


def test_cancelling_runs_the_stoppers_and_drops_the_result(qtbot: QtBot, tasks: Tasks) -> None:
    owner, heard, stopped = QObject(), [], threading.Event()

    def work(handle: Work) -> str:
        handle.on_cancel(stopped.set)
        stopped.wait(5)
        return "late"

    handle = tasks.run(owner, work, heard.append)
    handle.cancel()
    qtbot.waitUntil(lambda: not tasks.running)
    assert stopped.is_set()
    assert heard == []


def test_kept_work_tells_its_result_even_when_cancelled(qtbot: QtBot, tasks: Tasks) -> None:
    owner, heard = QObject(), []

    def work(handle: Work) -> str:
        handle.cancelled.wait(5)
        return "half done"

    handle = tasks.run(owner, work, heard.append, keep=True)
    handle.cancel()
    qtbot.waitUntil(lambda: bool(heard))
    assert heard == ["half done"]


def test_a_result_for_a_deleted_owner_is_dropped(qtbot: QtBot, tasks: Tasks) -> None:
    owner, heard, gate = QObject(), [], threading.Event()
    tasks.run(owner, lambda _work: gate.wait(5), heard.append)
    owner.deleteLater()
    gate.set()
    qtbot.waitUntil(lambda: not tasks.running)
    assert heard == []


def test_known_errors_arrive_as_they_are(qtbot: QtBot, tasks: Tasks) -> None:
    owner: QObject = QObject()
    heard: list[BroadcasterError] = []

    def work(_work: Work) -> Any:
        raise BadInput("No such column.", "Map it.")

    tasks.run(owner, work, None, heard.append)
    qtbot.waitUntil(lambda: bool(heard))
    assert str(heard[0]) == "No such column. Map it."


def test_bugs_arrive_as_a_sentence(qtbot: QtBot, tasks: Tasks) -> None:
    owner: QObject = QObject()
    heard: list[BroadcasterError] = []
    tasks.run(owner, lambda _work: 1 / 0, None, heard.append)
    qtbot.waitUntil(lambda: bool(heard))
    assert "ZeroDivisionError" in heard[0].text


def test_titled_work_is_announced_with_its_progress(qtbot: QtBot, tasks: Tasks) -> None:
    owner, told = QObject(), []
    tasks.started.connect(lambda work: told.append(("started", work.title)))
    tasks.progressed.connect(lambda work: told.append(("progress", work.total)))
    tasks.ended.connect(lambda work: told.append(("ended", work.title)))
    tasks.run(owner, lambda work: work.progress(1, 3), title="Import")
    qtbot.waitUntil(lambda: ("ended", "Import") in told)
    assert told == [("started", "Import"), ("progress", 3), ("ended", "Import")]


def test_after_closing_nothing_starts(qtbot: QtBot) -> None:
    tasks, ran = Tasks(), []
    tasks.close()
    handle = tasks.run(QObject(), lambda _work: ran.append(1))
    assert handle.cancelled.is_set()
    assert ran == []
