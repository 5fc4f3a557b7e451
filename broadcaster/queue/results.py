"""Answers become states: one transaction for everything that came back since the last."""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import NamedTuple

from sqlalchemy import Connection

from broadcaster.contacts.reach import mark_unreachable
from broadcaster.graph.errors import STOPS_PAGE, ErrorClass, ErrorKind, classify
from broadcaster.graph.outcomes import Accepted, NotSent, Outcome, Refusal, Refused, Unknown
from broadcaster.queue import breaker, early, ledger
from broadcaster.queue.ledger import Failed, Returned, Taken
from broadcaster.queue.wire import Outgoing
from broadcaster.states import PauseCause

MAX_RETRIES = 5
FIRST_WAIT, LONGEST_WAIT = 2.0, 300.0
"""Seconds: the range of the random wait doubles from the first to the longest."""

RATE_WAIT = 60.0
"""Seconds to wait at a rate limit when neither the headers nor the catalogue say."""


class Answer(NamedTuple):
    """One message's outcome."""

    page_id: int
    row: Outgoing
    outcome: Outcome


@dataclass(slots=True)
class Aftermath:
    """What the answers mean beyond their own rows."""

    stopped_pages: set[int] = field(default_factory=set)
    blocked_pages: set[int] = field(default_factory=set)
    paused_campaigns: set[int] = field(default_factory=set)


@dataclass(slots=True)
class _Sorted:
    taken: list[Taken] = field(default_factory=list)
    returned: list[Returned] = field(default_factory=list)
    failed: list[Failed] = field(default_factory=list)
    doubted: list[tuple[int, int, str]] = field(default_factory=list)
    unreachable: dict[str, list[int]] = field(default_factory=dict)
    stops: dict[int, ErrorClass] = field(default_factory=dict)
    blocks: dict[int, float] = field(default_factory=dict)
    wrong: dict[int, str] = field(default_factory=dict)


class Results:
    """Writes answers into the ledger for one sender. ``chance`` makes the random waits."""

    def __init__(self, owner: str, settle: timedelta, fuses: breaker.Breaker, chance: random.Random) -> None:
        self._owner = owner
        self._settle = settle
        self._fuses = fuses
        self._chance = chance

    def write(self, conn: Connection, answers: Sequence[Answer], at: datetime) -> Aftermath:
        """All rows first, then what stops: the Page, the campaign, the pace."""
        sorted_ = self._sort(answers, at)
        ledger.take(conn, sorted_.taken, at)
        early.catch_up(conn, [row.message_id for row in sorted_.taken])
        ledger.give_back(conn, sorted_.returned, self._owner)
        ledger.end_cancelled(conn, [row.id for row in sorted_.returned], at)
        ledger.fail(conn, sorted_.failed, self._owner, at)
        ledger.doubt(conn, sorted_.doubted, self._owner, at + self._settle)
        for text, contact_ids in sorted_.unreachable.items():
            mark_unreachable(conn, contact_ids, text, at)
        after = Aftermath(set(sorted_.stops), set(sorted_.blocks))
        for page_id, seconds in sorted_.blocks.items():
            breaker.block_page(conn, page_id, at + timedelta(seconds=seconds))
        for campaign_id, text in sorted_.wrong.items():
            if breaker.pause_campaign(conn, campaign_id, PauseCause.CONTENT, text, at):
                after.paused_campaigns.add(campaign_id)
        for page_id, found in sorted_.stops.items():
            after.paused_campaigns.update(breaker.stop_page(conn, page_id, found, at))
        return after

    def _sort(self, answers: Sequence[Answer], at: datetime) -> _Sorted:
        done = _Sorted()
        for answer in answers:
            row, outcome = answer.row, answer.outcome
            if isinstance(outcome, Accepted):
                done.taken.append(Taken(row.id, row.attempt, row.contact_id, outcome.message_id))
                self._fuses.good(row.campaign_id)
            elif isinstance(outcome, Unknown):
                done.doubted.append((row.id, row.attempt, outcome.cause))
            elif isinstance(outcome, NotSent):
                done.returned.append(Returned(row.id, row.attempt, text=outcome.cause))
            elif isinstance(outcome, Refused):
                self._refused(done, answer, outcome.refusal, at)
        return done

    def _refused(self, done: _Sorted, answer: Answer, refusal: Refusal, at: datetime) -> None:
        found, row = classify(refusal), answer.row
        if found.kind is ErrorKind.DOUBT:
            done.doubted.append((row.id, row.attempt, found.title))
        elif found.kind in STOPS_PAGE:
            done.stops.setdefault(answer.page_id, found)
            done.returned.append(_returned(row, refusal))
        elif found.kind is ErrorKind.RATE:
            seconds = float(found.wait_seconds or RATE_WAIT)
            done.blocks[answer.page_id] = max(seconds, done.blocks.get(answer.page_id, 0.0))
            done.returned.append(_returned(row, refusal))
        elif found.kind is ErrorKind.PLATFORM and row.retries < (1 if found.retry == "once" else MAX_RETRIES):
            wait = self._chance.uniform(0, min(LONGEST_WAIT, FIRST_WAIT * 2**row.retries))
            done.returned.append(_returned(row, refusal, at + timedelta(seconds=wait), counts=True))
        else:
            done.failed.append(Failed(row.id, row.attempt, refusal.code, refusal.subcode, refusal.text))
            if found.unreachable:
                done.unreachable.setdefault(found.title, []).append(row.contact_id)
            if found.kind is ErrorKind.CONTENT and self._fuses.bad(
                row.campaign_id, refusal.code, refusal.subcode
            ):
                done.wrong[row.campaign_id] = (
                    f"The same failure {breaker.SAME_IN_A_ROW} times in a row: {found.title}. {found.advice}"
                )


def _returned(
    row: Outgoing, refusal: Refusal, due_at: datetime | None = None, counts: bool = False
) -> Returned:
    return Returned(row.id, row.attempt, due_at, counts, refusal.code, refusal.subcode, refusal.text)
