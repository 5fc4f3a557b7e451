"""What follows an accepted message: the echo, delivered, read, and what the person then does."""

from __future__ import annotations

from collections import deque
from typing import Any

from broadcaster.sandbox import acts
from broadcaster.sandbox.ledger import Accepted
from broadcaster.sandbox.people import Person, draw, phrases
from broadcaster.sandbox.world import Page


def send_echo(page: Page, entry: Accepted, attachments: list[dict[str, Any]] | None) -> None:
    """Tell the webhook of our own message: its metadata, app and id (section 6.2, message_echoes)."""
    content: dict[str, Any] = {"is_echo": True, "app_id": int(page.world.app_id), "mid": entry.mid}
    if entry.metadata:
        content["metadata"] = entry.metadata
    if entry.text:
        content["text"] = entry.text
    if attachments:
        content["attachments"] = attachments
    event = page.page_event(entry.psid, "message", content, entry.accepted_ms)
    page.world.emit(page, "messages" if page.instagram else "message_echoes", event)


def expect_receipts(page: Page, person: Person, entry: Accepted) -> None:
    """Plan what the person's phone does with the message."""
    if person.never_delivered:
        return
    waiting = page.undelivered.setdefault(person.index, deque())
    waiting.append(entry)
    luck = _luck(page, entry, 1)
    page.world.agenda.plan(
        _between(page.people.behaviour.delivered_after, luck), _delivered, page, person, entry
    )


def _delivered(page: Page, person: Person, entry: Accepted) -> None:
    now = page.world.clock.ms()
    mids = _take_until(page.undelivered, person.index, entry)
    for arrived in mids:
        page.ledger.mark_delivered(arrived, now)
    if mids:
        page.unread.setdefault(person.index, deque()).extend(mids)
        if not page.instagram:
            content = {"mids": [arrived.mid for arrived in mids], "watermark": entry.accepted_ms}
            page.world.emit(page, "message_deliveries", page.person_event(person.psid, "delivery", content))
    if person.blocked or person.vanished:
        return
    if _luck(page, entry, 2) < page.people.behaviour.reads:
        after = _between(page.people.behaviour.read_after, _luck(page, entry, 3))
        page.world.agenda.plan(after, read_up_to, page, person, entry)


def read_up_to(page: Page, person: Person, entry: Accepted) -> None:
    """The person has seen everything up to this message."""
    now = page.world.clock.ms()
    seen = _take_until(page.unread, person.index, entry)
    for message in seen:
        page.ledger.mark_read(message, now)
    if not seen:
        return
    if page.instagram:
        event = page.person_event(person.psid, "read", {"mid": entry.mid})
        page.world.emit(page, "messaging_seen", event)
    else:
        event = page.person_event(person.psid, "read", {"watermark": entry.accepted_ms})
        page.world.emit(page, "message_reads", event)
    _respond(page, person, entry)


def _respond(page: Page, person: Person, entry: Accepted) -> None:
    plan, luck = page.people.behaviour, _luck(page, entry, 4)
    after = _between(plan.answer_after, _luck(page, entry, 5))
    agenda, words = page.world.agenda, phrases(person.locale)
    if luck < plan.blocks:
        agenda.plan(after, acts.block, page, person)
    elif (luck := luck - plan.blocks) < plan.opts_out:
        agenda.plan(after, acts.stop, page, person)
    elif (luck := luck - plan.opts_out) < plan.answers:
        answers: list[str] = words["answers"]
        text = answers[int(_luck(page, entry, 6) * len(answers))]
        agenda.plan(after, acts.write, page, person, text)
    elif luck - plan.answers < plan.reacts:
        agenda.plan(after, acts.react, page, person, entry.mid)


def _take_until(waiting: dict[int, deque[Accepted]], index: int, entry: Accepted) -> list[Accepted]:
    rows, taken = waiting.get(index), []
    while rows and rows[0].number <= entry.number:
        taken.append(rows.popleft())
    if rows is not None and not rows:
        del waiting[index]
    return taken


def _luck(page: Page, entry: Accepted, salt: int) -> float:
    return draw(page.world.seed, entry.number, 100 + salt)


def _between(span: tuple[float, float], luck: float) -> float:
    return span[0] + (span[1] - span[0]) * luck
