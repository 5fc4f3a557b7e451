"""A campaign that is not stored answers like a stored one, and a start can be planned ahead."""

from __future__ import annotations

from datetime import timedelta

import pytest

from broadcaster.campaigns import catalogue, lifecycle
from broadcaster.campaigns.question import question_for
from broadcaster.campaigns.sketch import plan, sketch
from broadcaster.errors import IllegalMove
from broadcaster.policy import decide
from broadcaster.store import Store
from tests.campaigns.conftest import NOW, WRITTEN


def test_a_sketch_reaches_whom_the_stored_campaign_reaches(page: Store, campaign: int) -> None:
    with page.read() as conn:
        stored = catalogue.get(conn, campaign)
        drawn = sketch(1, stored.audience_id, "standard", WRITTEN["message"], NOW)
        expected = decide.check(conn, question_for(conn, stored, NOW))
        assert decide.check(conn, question_for(conn, drawn, NOW)) == expected


def test_a_planned_start_is_kept_and_decides_the_approval(page: Store, campaign: int) -> None:
    start = NOW + timedelta(hours=10)
    with page.write() as conn:
        plan(conn, campaign, start, wall="2026-11-20T23:00", zone="Europe/Berlin")
        lifecycle.submit(conn, campaign, actor="anna", at=NOW)
        lifecycle.approve(conn, campaign, actor="boris", at=NOW)
        row = catalogue.get(conn, campaign)
    assert (row.start_at, row.start_zone) == (start, "Europe/Berlin")
    assert row.eligible_at_approval == 3


def test_the_start_of_a_scheduled_campaign_is_not_planned_past_its_schedule(
    page: Store, campaign: int
) -> None:
    with page.write() as conn:
        lifecycle.submit(conn, campaign, actor="anna", at=NOW)
        lifecycle.approve(conn, campaign, actor="boris", at=NOW)
        lifecycle.schedule(conn, campaign, NOW + timedelta(hours=1), actor="anna", at=NOW)
    with page.write() as conn, pytest.raises(IllegalMove):
        plan(conn, campaign, NOW, wall=None, zone=None)
