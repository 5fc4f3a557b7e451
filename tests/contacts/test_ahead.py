"""Reading ahead: a second process reads the same, ends with its import, and its end is noticed."""

from __future__ import annotations

import io
import os
import pickle
import signal
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from broadcaster.contacts import ahead, columns, importing, people, reading, taking
from broadcaster.contacts.ahead import Orders
from broadcaster.errors import EnvironmentFault
from broadcaster.store import Store
from tests.conftest import NOW
from tests.contacts.conftest import Take

ROWS = 250
FILE = (
    "psid,first_name,city\n"
    + "".join(f"{7 * n + 1},Ann {n},Oslo\n" for n in range(ROWS))
    + "x,Bad,\n8,Twice,\n"
)


@pytest.fixture
def file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Read by a process of its own though it is small."""
    monkeypatch.setattr(ahead, "WORTH_A_PROCESS", 0)
    (tmp_path / "people.csv").write_text(FILE)
    return tmp_path / "people.csv"


def orders(file: Path) -> Orders:
    shape = reading.look_at(file)
    known = {"city": columns.AttributeDef("city", columns.AttributeType.TEXT, "t1")}
    return Orders(shape, columns.assign(shape.columns, None, "people.csv"), known, NOW, 100)


def test_a_process_of_its_own_reads_the_same(file: Path) -> None:
    beside, here = ahead.reader(0), ahead._Here()
    assert isinstance(beside, ahead._Beside)
    assert list(beside.batches(orders(file))) == list(here.batches(orders(file)))
    beside.close()


@pytest.mark.parametrize("piece", [1, 7, 99, 100])
def test_pieces_make_no_difference(file: Path, monkeypatch: pytest.MonkeyPatch, piece: int) -> None:
    whole = list(ahead._Here().batches(orders(file)))
    monkeypatch.setattr(taking, "PIECE", piece)
    assert list(ahead._Here().batches(orders(file))) == whole
    assert [read for read, _ in whole] == [100, 100, ROWS + 2 - 200]


def test_a_failure_that_cannot_be_handed_over_ends_the_reading(
    file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Unforeseen(Exception):
        """Of this place only, so that no other process could make sense of it."""

    def fail(_self: object, _orders: Orders) -> Iterator[ahead.Read]:
        raise Unforeseen

    monkeypatch.setattr(ahead._Here, "batches", fail)
    monkeypatch.setattr(threading, "excepthook", lambda _told: None)
    told, out = io.BytesIO(pickle.dumps(orders(file))), io.BytesIO()
    reads = threading.Thread(target=ahead.read_for_another, args=(told, out), daemon=True)
    reads.start()
    reads.join(10)
    assert not reads.is_alive()
    assert out.getvalue() == b""


def test_what_it_reads_is_taken(store: Store, take: Take, page_id: int, file: Path) -> None:
    result = take(file)
    assert (result.created, result.rejected, result.duplicates) == (ROWS, 1, 1)
    again = take(file)
    assert (again.created, again.unchanged) == (0, ROWS)
    with store.read() as conn:
        assert len(people.search_ids(conn, page_id)) == ROWS


def test_its_end_before_time_is_told_and_what_was_taken_stays(
    store: Store, take: Take, page_id: int, file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = importing._Import._take

    def taken_and_killed(work: importing._Import, batch: ahead.Batch) -> None:
        first(work, batch)
        reads = work.reader
        assert isinstance(reads, ahead._Beside)
        os.kill(reads._process.pid, signal.SIGKILL)
        reads._process.wait()

    many = FILE + "".join(f"{n},Bob,\n" for n in range(10_000_000, 10_200_000))
    file.write_text(many)
    monkeypatch.setattr(importing._Import, "_take", taken_and_killed)
    with pytest.raises(EnvironmentFault, match="ended before its time"):
        take(file)
    monkeypatch.setattr(importing._Import, "_take", first)
    with store.read() as conn:
        there = len(people.search_ids(conn, page_id))
    assert 0 < there < 200_000
    assert take(file).unchanged == there


def test_closing_ends_the_process(file: Path) -> None:
    beside = ahead.reader(0)
    assert isinstance(beside, ahead._Beside)
    next(iter(beside.batches(orders(file))))
    beside.close()
    assert beside._process.returncode is not None
