"""Who may be written to, when, and under which tag: sections 1 and 2 of the platform reference, in code."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from broadcaster.sandbox.clock import to_ms
from broadcaster.sandbox.people import DAY_MS, HOUR_MS, Person
from broadcaster.sandbox.refusals import refusal
from broadcaster.sandbox.shapes import template_type
from broadcaster.sandbox.world import Page

RETIRED_ON_MS = to_ms(datetime(2026, 4, 27, tzinfo=UTC))
UPDATE_TAGS = frozenset({"CONFIRMED_EVENT_UPDATE", "POST_PURCHASE_UPDATE", "ACCOUNT_UPDATE"})
MESSAGING_TYPES = frozenset({"RESPONSE", "UPDATE", "MESSAGE_TAG", "UTILITY"})


def check_tag(page: Page, messaging_type: str, tag: str) -> None:
    """Refuse what is wrong about the request itself, whoever it goes to (before any window is looked at)."""
    if messaging_type not in MESSAGING_TYPES:
        raise refusal("bad_parameter", what=f"messaging_type {messaging_type}")
    if tag in UPDATE_TAGS and (page.world.clock.ms() >= RETIRED_ON_MS or page.instagram):
        raise refusal("tag_not_on_instagram", tag=tag) if page.instagram else refusal("retired_tag")
    if messaging_type == "MESSAGE_TAG" and not tag:
        raise refusal("type_without_tag")
    if not tag:
        return
    if tag not in UPDATE_TAGS | {"HUMAN_AGENT", "CUSTOMER_FEEDBACK", "NON_PROMOTIONAL_SUBSCRIPTION"}:
        raise refusal("invalid_tag", tag=tag)
    if messaging_type != "MESSAGE_TAG":
        raise refusal("tag_without_type")
    if page.instagram and tag != "HUMAN_AGENT":
        raise refusal("tag_not_on_instagram", tag=tag)
    if tag == "HUMAN_AGENT" and "human_agent" not in page.features:
        raise refusal("no_permission")


def check_window(page: Page, person: Person, messaging_type: str, tag: str, message: dict[str, Any]) -> None:
    """Refuse a message that reaches this person outside the window its type and tag allow."""
    now = page.world.clock.ms()
    if tag == "CUSTOMER_FEEDBACK" and template_type(message) != "customer_feedback":
        raise refusal("feedback_only")
    if messaging_type == "UTILITY" or (tag == "NON_PROMOTIONAL_SUBSCRIPTION" and page.news):
        return
    if tag in UPDATE_TAGS and person.last_interaction_ms:
        return
    if standard_open(page, person, now):
        return
    if tag in {"HUMAN_AGENT", "CUSTOMER_FEEDBACK"} and _within(person.last_message_ms, 7 * DAY_MS, now):
        return
    if page.instagram:
        raise refusal("outside_window_instagram")
    raise refusal("outside_window_news" if tag == "NON_PROMOTIONAL_SUBSCRIPTION" else "outside_window")


def standard_open(page: Page, person: Person, now_ms: int) -> bool:
    """The 24-hour window, or the longer one after an ad where the Page's world has that switched on."""
    if _within(person.last_interaction_ms, DAY_MS, now_ms):
        return True
    return _within(person.ad_click_ms, round(page.ad_window_hours * HOUR_MS), now_ms)


def _within(started_ms: int, length_ms: int, now_ms: int) -> bool:
    return bool(started_ms) and now_ms - started_ms < length_ms
