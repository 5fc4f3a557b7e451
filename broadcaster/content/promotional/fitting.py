"""Does a text say what its way to send is for? Evidence that must be there, and what excludes it."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

from broadcaster.content.promotional.lexicon import Language
from broadcaster.content.promotional.phrases import Readable

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


_TIME = re.compile(r"(?<!\d)\d{1,2}\s?(?:[:.h]\s?\d{2}|am\b|pm\b|uhr\b|h\b)(?!\d)")
_UNCLEAR_WORDS = 7
"""A text with fewer words, no number and none of the signs says nothing about its purpose."""


def problem(text: str, key: str, languages: Sequence[Language], promotional: bool) -> str | None:
    """Why a text does not suit its way to send, in one sentence; None when it does.

    Without a known language there are no signs to look for: only promotion and emptiness count.
    """
    if key == "standard":
        return None
    if not text.strip():
        return "The text is empty."
    plain = Readable(text)
    if promotional:
        return "Promotional content is not allowed by this way to send."
    if any(_found(plain, sign, languages) for sign in EXCLUDED.get(key, ())):
        return f"This way to send is for {WORDS[key]}; the text reads like something else."
    if languages and key in EVIDENCE and not _has_evidence(plain, key, languages):
        return f"This way to send is for {WORDS[key]}; the text names none."
    return None


def _has_evidence(plain: Readable, key: str, languages: Sequence[Language]) -> bool:
    if any(_found(plain, sign, languages) for sign in EVIDENCE[key]):
        return True
    if key == "confirmed_event_update":
        other = ("order", "account", "past_event")
        return bool(_TIME.search(plain.text)) and not any(_found(plain, sign, languages) for sign in other)
    if key == "utility":
        clear = any(c.isdigit() for c in plain.text) or len(plain.text.split()) >= _UNCLEAR_WORDS
        return clear and not _found(plain, "smalltalk", languages)
    return False


def _found(plain: Readable, sign: str, languages: Sequence[Language]) -> bool:
    return any(one.fit[sign].stand_in(plain) for one in languages if sign in one.fit)
