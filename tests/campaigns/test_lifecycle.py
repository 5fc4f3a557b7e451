"""From draft to schedule: guarded moves, approvals that cover exactly what stands there, and their seal."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import insert

from broadcaster.audiences import saved
from broadcaster.audit import log
from broadcaster.campaigns import catalogue, lifecycle
from broadcaster.campaigns.check import check_campaign
from broadcaster.campaigns.definition import parse_campaign
from broadcaster.campaigns.seal import changes_since_approval
from broadcaster.errors import BadInput, IllegalMove, NotFound, RefusedByPolicy
from broadcaster.states import CAMPAIGN_MOVES, CampaignState
from broadcaster.store import Store
from broadcaster.store.tables import Setting

NOW = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)
LATER = NOW + timedelta(hours=1)
WRITTEN = {
    "name": "Reminder", "page": "1", "audience": "All", "permission": "standard",
    "message": {"text": "Hi {{first_name|there}}"},
}  # fmt: skip


def approve(store: Store, campaign: int, note: str = "") -> None:
    with store.write() as conn:
        lifecycle.submit(conn, campaign, actor="planner", at=NOW)
        lifecycle.approve(conn, campaign, actor="reviewer", at=NOW, note=note)


def state(store: Store, campaign: int) -> str:
    with store.read() as conn:
        return catalogue.get(conn, campaign).state


def test_the_usual_way(page: Store, campaign: int) -> None:
    approve(page, campaign)
    with page.write() as conn:
        lifecycle.schedule(conn, campaign, LATER, actor="planner", at=NOW)
        row = catalogue.get(conn, "Reminder")
        assert (row.state, row.start_at, row.eligible_at_approval) == ("scheduled", LATER, 5)
        assert [entry.action for entry in log.entries(conn, "Reminder")] == [
            "created", "submitted", "approved", "scheduled",
        ]  # fmt: skip


def test_nothing_is_scheduled_without_approval(page: Store, campaign: int) -> None:
    with pytest.raises(RefusedByPolicy, match="not approved"), page.write() as conn:
        lifecycle.schedule(conn, campaign, LATER, actor="planner", at=NOW)
    assert state(page, campaign) == "draft"


def test_illegal_moves_are_refused_and_change_nothing(page: Store, campaign: int) -> None:
    for target in CampaignState:
        if target not in CAMPAIGN_MOVES[CampaignState.DRAFT]:
            with pytest.raises(IllegalMove), page.write() as conn:
                lifecycle.move(conn, campaign, target, at=NOW)
    assert state(page, campaign) == "draft"


def test_an_edit_voids_the_approval(page: Store, campaign: int) -> None:
    approve(page, campaign)
    with page.write() as conn:
        changed = parse_campaign({**WRITTEN, "message": {"text": "Something else"}})
        catalogue.edit(conn, campaign, changed, actor="planner", at=NOW)
        row = catalogue.get(conn, campaign)
        assert (row.state, row.seal, row.revision) == ("draft", None, 2)
        assert [change.field for change in changes_since_approval(conn, row)] == ["message"]


def test_an_edit_that_changes_nothing_keeps_it(page: Store, campaign: int) -> None:
    approve(page, campaign)
    with page.write() as conn:
        catalogue.edit(conn, campaign, parse_campaign(WRITTEN), actor="planner", at=NOW)
    assert state(page, campaign) == "approved"


def test_a_changed_audience_voids_the_approval(page: Store, campaign: int) -> None:
    approve(page, campaign)
    with page.write() as conn:
        saved.save(conn, 1, "All", {"any": [{"field": "first_name", "op": "eq", "value": "P1"}]}, now=NOW)
        with pytest.raises(RefusedByPolicy, match="changed since it was approved: audience"):
            lifecycle.require_seal(conn, catalogue.get(conn, campaign))


def test_four_eyes_when_asked_for(page: Store, campaign: int) -> None:
    with page.write() as conn:
        conn.execute(insert(Setting).values(key="four_eyes", value=True))
        lifecycle.submit(conn, campaign, actor="ada", at=NOW)
        with pytest.raises(RefusedByPolicy, match="Another person"):
            lifecycle.approve(conn, campaign, actor="ada", at=NOW)
        lifecycle.approve(conn, campaign, actor="bea", at=NOW)


def test_a_way_that_is_not_for_bulk_needs_a_reason(page: Store) -> None:
    with page.write() as conn:
        written = {**WRITTEN, "name": "By hand", "permission": "human_agent"}
        campaign = catalogue.create(conn, parse_campaign(written), actor="planner", at=NOW)
    with pytest.raises(RefusedByPolicy, match="needs a reason"):
        approve(page, campaign)
    approve(page, campaign, note="Every text was written by the agent on duty")
    assert state(page, campaign) == "approved"


def test_a_retired_tag_cannot_be_scheduled(page: Store) -> None:
    with page.write() as conn:
        written = {**WRITTEN, "name": "Old", "permission": "post_purchase_update",
                   "message": {"text": "Your order 5 was shipped"}}  # fmt: skip
        campaign = catalogue.create(conn, parse_campaign(written), actor="planner", at=NOW)
        reach = check_campaign(conn, catalogue.get(conn, campaign), NOW).reach
        assert (reach.eligible, dict(reach.reasons)) == (0, {"permission_retired": 10})
    approve(page, campaign)
    with pytest.raises(RefusedByPolicy, match="retired"), page.write() as conn:
        lifecycle.schedule(conn, campaign, LATER, actor="planner", at=NOW)


def test_the_past_is_no_start(page: Store, campaign: int) -> None:
    approve(page, campaign)
    with pytest.raises(BadInput, match="in the past"), page.write() as conn:
        lifecycle.schedule(conn, campaign, NOW - timedelta(seconds=1), actor="planner", at=NOW)


@pytest.mark.parametrize(
    ("changes", "error", "words"),
    [
        ({"audience": "Nobody"}, NotFound, "no audience 'Nobody'"),
        ({"page": "2"}, NotFound, "no Page '2'"),
        ({"permission": "carrier_pigeon"}, NotFound, "carrier_pigeon"),
        ({"exclude": ["Nobody"]}, NotFound, "no audience 'Nobody'"),
        ({"permission": "utility"}, BadInput, "needs an approved template"),
        ({"message": {"template": "x", "language": "en"}}, BadInput, "takes no template"),
        ({"permission": "customer_feedback"}, BadInput, "needs Meta's feedback form"),
        ({"message": {"text": "x" * 2000}}, BadInput, "2000 characters"),
        ({"name": "Reminder"}, BadInput, "already a campaign"),
    ],
)
def test_what_cannot_be_created_is_said(
    page: Store, campaign: int, changes: dict[str, object], error: type[Exception], words: str
) -> None:
    draft = parse_campaign({**WRITTEN, "name": "Other", **changes})
    with pytest.raises(error, match=words), page.write() as conn:
        catalogue.create(conn, draft, actor="planner", at=NOW)
    with page.read() as conn:
        assert len(catalogue.listing(conn)) == 1


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"name": ""}, "'name'"),
        ({"mesage": {}}, "unknown key 'mesage'"),
        ({"throttle_per_second": 0}, "throttle_per_second"),
        ({"throttle_per_second": 301}, "throttle_per_second"),
        ({"throttle_per_second": True}, "throttle_per_second"),
        ({"quiet_hours": {"from": "25:00", "to": "08:00"}}, "quiet_hours.from"),
        ({"quiet_hours": {"from": "21:00", "to": "08:00", "timezone": "Mars"}}, "Mars"),
        ({"frequency_cap": {"max": 0, "per": "7d"}}, "frequency_cap"),
        ({"canary": {"first": 5, "percent": 1}}, "canary"),
        ({"repeat": {"every": "week"}}, "repeat"),
        ({"late_policy": "never"}, "late_policy"),
        ({"exclude": "All"}, "exclude"),
        ({"reply_brake": "yes"}, "reply_brake"),
    ],
)
def test_a_definition_names_its_mistake(changes: dict[str, object], words: str) -> None:
    with pytest.raises(BadInput, match=words):
        parse_campaign({**WRITTEN, **changes})


def test_a_campaign_file_reads_back_the_same(page: Store, campaign: int) -> None:
    with page.write() as conn:
        file = catalogue.as_file(conn, catalogue.get(conn, campaign))
        again = catalogue.create(conn, parse_campaign({**file, "name": "Copy"}), actor="planner", at=NOW)
        first, second = (
            catalogue.as_file(conn, catalogue.get(conn, campaign)),
            catalogue.as_file(conn, catalogue.get(conn, again)),
        )
    assert {**first, "name": ""} == {**second, "name": ""}
