"""The people behind a figure are as many as the figure says, and the right ones."""

from __future__ import annotations

from datetime import timedelta
from itertools import pairwise
from typing import Any

import pytest
from sqlalchemy import insert, select, update

from broadcaster.campaigns import catalogue
from broadcaster.errors import BadInput
from broadcaster.queue import counting
from broadcaster.queue.progress import doubts, progress
from broadcaster.reports import lists
from broadcaster.reports.timeline import timeline
from broadcaster.store import Store
from broadcaster.store.tables import Delivery, ReceiptMark
from tests.campaigns.conftest import NOW

ROWS = Delivery.__table__  # type: ignore[attr-defined]
MARKS = ReceiptMark.__table__  # type: ignore[attr-defined]


def let(store: Store, campaign: int, place: int, **values: Any) -> int:
    """Let the row at ``place`` be as said; returns its contact."""
    with store.write() as conn:
        row = conn.execute(
            select(ROWS.c.id, ROWS.c.contact_id)
            .where(ROWS.c.campaign_id == campaign)
            .order_by(ROWS.c.id)
            .offset(place)
        ).first()
        assert row is not None
        conn.execute(update(ROWS).where(ROWS.c.id == row.id).values(**values))
    return int(row.contact_id)


@pytest.fixture
def told(page: Store, launched: int) -> int:
    """One sent, one read by watermark, one failed, one in doubt, one waits for another try."""
    let(page, launched, 0, state="sent", sent_at=NOW, intent_at=NOW, attempt=1)
    reader = let(
        page, launched, 1, state="sent", sent_at=NOW + timedelta(seconds=30), intent_at=NOW, attempt=1
    )
    let(page, launched, 2, state="failed", error_code=551, ended_at=NOW, attempt=1)
    let(page, launched, 3, state="unconfirmed", reason="time-out", intent_at=NOW, attempt=1)
    let(page, launched, 4, attempt=1, due_at=NOW + timedelta(minutes=1))
    with page.write() as conn:
        at = NOW + timedelta(minutes=2)
        conn.execute(insert(MARKS).values(contact_id=reader, delivered_until=at, read_until=at))
    return launched


def test_every_figure_has_as_many_people_as_it_counts(page: Store, told: int) -> None:
    with page.read() as conn:
        row, counts = catalogue.get(conn, told), counting.counts(conn, told)
        for figure in (
            "intended",
            "sent",
            "delivered",
            "read",
            "failed",
            "unconfirmed",
            "waiting",
            "skipped",
        ):
            assert len(lists.message_ids(conn, row, figure)) == getattr(counts, figure), figure


def test_a_watermark_shows_the_message_as_read(page: Store, told: int) -> None:
    with page.read() as conn:
        row = catalogue.get(conn, told)
        (reader,) = lists.message_rows(conn, row, lists.message_ids(conn, row, "read"))
    assert (reader.state, reader.delivered, reader.read) == ("read", True, True)


def test_failures_of_one_code_are_listed_with_title_and_advice(page: Store, told: int) -> None:
    with page.read() as conn:
        row = catalogue.get(conn, told)
        ids = lists.message_ids(conn, row, "error:551/")
        (failed,) = lists.message_rows(conn, row, ids)
        assert len(lists.message_ids(conn, row, "error:551/1545041")) == 0
    assert failed.error_title and failed.advice


def test_an_unknown_figure_is_refused(page: Store, told: int) -> None:
    with page.read() as conn, pytest.raises(BadInput):
        lists.message_ids(conn, catalogue.get(conn, told), "applause")


def test_blocked_people_are_the_same_before_and_after_the_launch(page: Store, campaign: int) -> None:
    with page.read() as conn:
        row = catalogue.get(conn, campaign)
        before = lists.blocked_ids(conn, row, NOW)
        eligible = lists.eligible_ids(conn, row, NOW)
        assert {each.reason for each in lists.blocked_rows(conn, row, NOW, before)} == {"outside_24h"}
    assert (len(before), len(eligible)) == (5, 5)


def test_launched_people_kept_out_are_listed_by_reason_and_name(page: Store, launched: int) -> None:
    with page.read() as conn:
        row = catalogue.get(conn, launched)
        assert len(lists.blocked_ids(conn, row, NOW, reason="outside_24h")) == 5
        assert len(lists.blocked_ids(conn, row, NOW, reason="opted_out")) == 0
        assert len(lists.blocked_ids(conn, row, NOW, text="p10")) == 1


def test_the_lines_end_at_the_counts(page: Store, told: int) -> None:
    with page.read() as conn:
        lines = {line.name: line.points for line in timeline(conn, told)}
    assert {name: points[-1][1] for name, points in lines.items()} == {
        "sent": 2, "delivered": 1, "read": 1, "replied": 0,
    }  # fmt: skip
    assert all(a[0] < b[0] and a[1] <= b[1] for p in lines.values() for a, b in pairwise(p))


def test_nothing_sent_has_no_lines(page: Store, launched: int) -> None:
    with page.read() as conn:
        assert timeline(conn, launched) == []


def test_progress_tells_rate_retries_and_doubts(page: Store, told: int) -> None:
    with page.read() as conn:
        going = progress(conn, told, NOW + timedelta(seconds=40))
        (doubt,) = doubts(conn, told)
    assert going.per_second == pytest.approx(2 / 40)
    assert (going.retrying, going.undecided, going.done) == (1, 1, 4)
    assert going.next_at == NOW + timedelta(minutes=1)
    assert going.seconds_left(10.0) == pytest.approx(20)
    assert (doubt.cause, doubt.settle_at) == ("time-out", None)
