"""The ways to send by their key, and Meta's tag names for them."""

from __future__ import annotations

KEYS = (
    "standard",
    "human_agent",
    "customer_feedback",
    "utility",
    "news",
    "confirmed_event_update",
    "post_purchase_update",
    "account_update",
)
_OTHER_NAMES = {"": "standard", "none": "standard", "response": "standard", "update": "standard",
                "non_promotional_subscription": "news"}  # fmt: skip


def permission_key(tag_or_key: str | None) -> str:
    """``CONFIRMED_EVENT_UPDATE`` → ``confirmed_event_update``; nothing → ``standard``. KeyError if unknown."""
    given = (tag_or_key or "").strip().casefold()
    key = _OTHER_NAMES.get(given, given)
    if key not in KEYS:
        raise KeyError(tag_or_key)
    return key
