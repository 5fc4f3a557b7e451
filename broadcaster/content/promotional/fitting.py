"""Does a text say what its way to send is for? Evidence that must be there, and what excludes it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from broadcaster.content.promotional.lexicon import Language

EVIDENCE: Mapping[str, tuple[str, ...]] = {
    "post_purchase_update": ("order",),
    "confirmed_event_update": ("event",),
    "account_update": ("account",),
    "customer_feedback": ("survey",),
    "utility": ("order", "event", "account", "service"),
}
EXCLUDED: Mapping[str, tuple[str, ...]] = {
    "account_update": ("recurring",),
    "confirmed_event_update": ("past_event",),
    "human_agent": ("bulk",),
    "post_purchase_update": ("survey",),
}
WORDS = {
    "post_purchase_update": "an order, a payment, a delivery or a return",
    "confirmed_event_update": "an event or appointment that the person booked",
    "account_update": "a change of an account or an application that does not recur",
    "customer_feedback": "a question about an experience the person had",
    "utility": "an order, an appointment, an account or a service",
    "human_agent": "a person's answer to an enquiry",
}


def problem(plain: str, key: str, languages: Sequence[Language], promotional: bool) -> str | None:
    """Why a text does not suit its way to send, in one sentence; None when it does."""
    if key == "standard":
        return None
    if not plain.strip():
        return "The text is empty."
    if promotional:
        return "Promotional content is not allowed by this way to send."
    if any(_found(plain, sign, languages) for sign in EXCLUDED.get(key, ())):
        return f"This way to send is for {WORDS[key]}; the text reads like something else."
    signs = EVIDENCE.get(key)
    if signs and not any(_found(plain, sign, languages) for sign in signs):
        return f"This way to send is for {WORDS[key]}; the text names none."
    return None


def _found(plain: str, sign: str, languages: Sequence[Language]) -> bool:
    return any(True for one in languages if sign in one.fit for _ in one.fit[sign].found(plain))
