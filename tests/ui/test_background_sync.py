"""Background sync: which Pages are due, and by which interval."""

from __future__ import annotations

from datetime import timedelta

from broadcaster.background_sync import due_pages
from broadcaster.clock import ManualClock
from broadcaster.store import values
from broadcaster.store.tables import Page
from broadcaster.workspace import Workspace


def every(space: Workspace, minutes: int) -> None:
    with space.store.write() as conn:
        values.keep(conn, "sync_minutes", minutes)


def test_every_four_minutes_until_another_interval_is_chosen(
    space: Workspace, clock: ManualClock, page_id: int
) -> None:
    with space.store.session() as session:
        page = session.get(Page, page_id)
        assert page is not None
        page.last_sync_at = clock.now()
        session.add(page)
    clock.move(timedelta(minutes=3, seconds=59))
    assert due_pages(space) == []
    clock.move(timedelta(seconds=1))
    assert due_pages(space) == [page_id]
    every(space, 0)
    assert due_pages(space) == []


def test_a_page_never_synced_is_due(space: Workspace, page_id: int) -> None:
    every(space, 2)
    assert due_pages(space) == [page_id]


def test_a_page_is_due_again_after_the_interval(space: Workspace, clock: ManualClock, page_id: int) -> None:
    every(space, 2)
    with space.store.session() as session:
        page = session.get(Page, page_id)
        assert page is not None
        page.last_sync_at = clock.now()
        session.add(page)
    clock.move(timedelta(seconds=119))
    assert due_pages(space) == []
    clock.move(timedelta(seconds=1))
    assert due_pages(space) == [page_id]


def test_a_webhook_makes_the_sync_wait(space: Workspace, clock: ManualClock, page_id: int) -> None:
    every(space, 1)
    with space.store.session() as session:
        page = session.get(Page, page_id)
        assert page is not None
        page.last_webhook_at = clock.now()
        session.add(page)
    assert due_pages(space) == []
