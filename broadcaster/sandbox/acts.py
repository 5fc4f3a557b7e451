"""What people do of their own accord, each with its effect on the window and its webhook event."""

from __future__ import annotations

from typing import Any

from broadcaster.sandbox.people import Person, phrases
from broadcaster.sandbox.world import Page

INBOX_APP_ID = 263902037430900


def write(
    page: Page,
    person: Person,
    text: str,
    *,
    quick_reply: str = "",
    attachment: str = "",
    ad_id: str = "",
    ref: str = "",
) -> str:
    """The person writes (or taps a quick reply, or sends a file); opens the window. Returns the mid."""
    now = page.world.clock.ms()
    files = [{"type": attachment, "payload": {"url": f"https://cdn.sandbox.example/{attachment}"}}]
    stored = page.threads.add(person, text, now, from_page=False, attachments=files if attachment else None)
    content: dict[str, Any] = {"mid": stored.mid}
    if text:
        content["text"] = text
    if quick_reply:
        content["quick_reply"] = {"payload": quick_reply}
    if attachment:
        content["attachments"] = files
    if ad_id:
        person.ad_click_ms = now
        content["referral"] = _referral(ref, ad_id)
    person.last_message_ms = now
    _interacted(page, person)
    page.world.emit(page, "messages", page.person_event(person.psid, "message", content))
    return stored.mid


def stop(page: Page, person: Person) -> None:
    """The person writes their language's word for *no more messages*."""
    person.opted_out = True
    write(page, person, str(phrases(person.locale)["stop"]))


def postback(page: Page, person: Person, payload: str, title: str = "Get Started", ref: str = "") -> None:
    """A tap on a button, the menu or Get Started; opens the window."""
    _interacted(page, person)
    content: dict[str, Any] = {"mid": f"m_postback{page.world.trace()}", "title": title, "payload": payload}
    if ref:
        content["referral"] = _referral(ref, "")
    page.world.emit(page, "messaging_postbacks", page.person_event(person.psid, "postback", content))


def refer(page: Page, person: Person, ref: str, ad_id: str = "") -> None:
    """A link or an ad into the existing conversation; opens the window."""
    _interacted(page, person)
    event = page.person_event(person.psid, "referral", _referral(ref, ad_id))
    page.world.emit(page, "messaging_referrals", event)


def react(page: Page, person: Person, mid: str, *, emoji: str = "❤", undo: bool = False) -> None:
    """A reaction to a message; opens the window, taking it back does not."""
    if not undo:
        _interacted(page, person)
    action = "unreact" if undo else "react"
    content: dict[str, Any] = {"mid": mid, "action": action}
    if not undo:
        content |= {"reaction": "love", "emoji": emoji}
    page.world.emit(page, "message_reactions", page.person_event(person.psid, "reaction", content))


def opt_in(page: Page, person: Person, *, kind: str = "notification_messages", ref: str = "") -> None:
    """``notification_messages`` (does not open the window), or ``plugin`` with a ref (does)."""
    if kind == "plugin":
        _interacted(page, person)
        content: dict[str, Any] = {"ref": ref or "website"}
    else:
        content = {
            "type": kind,
            "payload": ref or "weekly",
            "notification_messages_token": f"nm{person.psid}",
            "notification_messages_status": "RESUME NOTIFICATIONS",
            "token_expiry_timestamp": page.world.clock.ms() + 365 * 86_400_000,
            "title": "Updates",
        }
    page.world.emit(page, "messaging_optins", page.person_event(person.psid, "optin", content))


def answer_by_hand(page: Page, person: Person, text: str) -> str:
    """Somebody at the Page writes from its inbox: an echo with the inbox's app id and no metadata."""
    now = page.world.clock.ms()
    stored = page.threads.add(person, text, now, from_page=True)
    content = {"is_echo": True, "app_id": INBOX_APP_ID, "mid": stored.mid, "text": text}
    field = "messages" if page.instagram else "message_echoes"
    page.world.emit(page, field, page.page_event(person.psid, "message", content, now))
    return stored.mid


def comment(page: Page, person: Person) -> str:
    """A comment under a post: allows one private reply within seven days. Returns the comment's id."""
    comment_id = f"{page.id}_{len(person.comments) + 1}{person.index}"
    person.comments[comment_id] = page.world.clock.ms()
    page.commenters[comment_id] = person
    return comment_id


def block(page: Page, person: Person) -> None:  # noqa: ARG001 (one signature for everything planned)
    """The person blocks the Page. No event tells of it."""
    person.blocked = True


def unblock(person: Person) -> None:
    person.blocked = False


def vanish(person: Person) -> None:
    """The account is gone. No event tells of it."""
    person.vanished = True


def enforce_policy(page: Page, action: str, reason: str) -> None:
    """Meta warns, blocks or unblocks the Page; there is no sender (section 6.2)."""
    page.restricted = {"block": True, "unblock": False}.get(action, page.restricted)
    content = {"action": action, "reason": reason}
    event = {"recipient": {"id": page.id}, "timestamp": page.world.clock.ms(), "policy_enforcement": content}
    page.world.emit(page, "messaging_policy_enforcement", event)


def _interacted(page: Page, person: Person) -> None:
    person.last_interaction_ms = page.world.clock.ms()


def _referral(ref: str, ad_id: str) -> dict[str, Any]:
    if not ad_id:
        return {"ref": ref, "source": "SHORTLINK", "type": "OPEN_THREAD"}
    return {
        "ref": ref,
        "source": "ADS",
        "type": "OPEN_THREAD",
        "ad_id": ad_id,
        "ads_context_data": {"ad_title": "Spring service", "post_id": f"{ad_id}_post"},
    }
