"""Looking up doubts: conversations are read in the call threads, at the pace Meta allows for that."""

from __future__ import annotations

import logging
from collections import deque
from collections.abc import Callable
from datetime import timedelta
from functools import partial

from broadcaster.clock import Clock
from broadcaster.errors import BroadcasterError, Unreachable
from broadcaster.graph.client import GraphClient
from broadcaster.graph.outcomes import NotGraph
from broadcaster.graph.reading import ConversationRead
from broadcaster.queue import settle
from broadcaster.queue.budget import Budget, Calls
from broadcaster.queue.lanes import Lanes
from broadcaster.queue.settle import Doubt, Open
from broadcaster.queue.steps import step
from broadcaster.store import Store

log = logging.getLogger(__name__)

LOOK_EVERY = 0.25
AFTER_A_START = 1.0
"""Seconds until the first look: what a sender that was killed read just now counts in the platform's second."""

MOST_AT_ONCE = 4
"""Readings of one Page under way."""


class Settler:
    """Part of the engine's tick; readings come back through ``_inbox``."""

    def __init__(
        self,
        store: Store,
        clients: Callable[[int], GraphClient],
        clock: Clock,
        lanes: Lanes,
        budget: Budget,
        settle_time: timedelta,
        wake: Callable[[bool], None],
    ) -> None:
        self._store = store
        self._clients = clients
        self._clock = clock
        self._lanes = lanes
        self._budget = budget
        self._settle_time = settle_time
        self._wake = wake
        self._inbox: deque[tuple[Doubt, ConversationRead | Open]] = deque()
        self._reading: dict[int, int] = {}
        self._look_at = clock.monotonic() + AFTER_A_START
        self.silence: str | None = None
        """Why no conversation can be read at all; None while the platform answers or nothing is in doubt."""

    def tick(self) -> float:
        """Write what was read, begin what may be read; returns when to look again."""
        self._write()
        now = self._clock.monotonic()
        if now < self._look_at:
            return self._look_at - now
        at = self._clock.now()
        with self._store.read() as conn:
            pages = settle.pages_in_doubt(conn, at)
            if self.silence is not None and not settle.anything_to_look_up(conn):
                self.silence = None
        for page_id in pages:
            self._begin(page_id)
        wait = LOOK_EVERY if pages or self._reading else LOOK_EVERY * 4
        self._look_at = now + wait
        return wait

    def _begin(self, page_id: int) -> None:
        under_way = sum(page == page_id for page in self._reading.values())
        key, cost, at = f"reads:{page_id}", 1.0 / settle.READS_PER_SECOND, self._clock.now()
        if under_way >= MOST_AT_ONCE or self._budget.wait(key) > 0:
            return
        with self._store.write() as conn:
            room = self._budget.grant(conn, key, cost, MOST_AT_ONCE - under_way)
            doubts = settle.due(conn, page_id, at, room, self._reading) if room else []
            if doubts:
                granted = self._budget.take(conn, key, cost, len(doubts), len(doubts))
                if not self._store.is_sqlite:
                    settle.reserve(conn, doubts, at)
            step("settle.taken")
        for doubt in doubts:
            self._reading[doubt.id] = page_id
            self._lanes.submit(partial(self._read, doubt, granted))

    def _read(self, doubt: Doubt, granted: Calls) -> None:
        found: ConversationRead | Open
        granted.begins()
        begun = self._clock.monotonic()
        try:
            client = self._clients(doubt.page_id)
            found = client.conversation_messages(doubt.psid)
            doubt = doubt.read_with(client.skew_ms)
        except NotGraph as error:
            found = Open(str(error))
        except Unreachable as error:
            found = Open(error.text, looked=False)
        except BroadcasterError as error:
            found = Open(str(error))
        except Exception:
            log.exception("reading a conversation failed in an unforeseen way")
            found = Open("The conversation could not be read.")
        granted.answered(self._clock.monotonic() - begun)
        step("settle.read")
        self._inbox.append((doubt, found))
        self._wake(False)

    def _write(self) -> None:
        came = list(self._inbox)
        if not came:
            return
        at = self._clock.now()
        with self._store.write() as conn:
            for doubt, found in came:
                finding = found if isinstance(found, Open) else settle.judge(conn, doubt, found)
                settle.write(conn, doubt, finding, at, self._settle_time)
                self.silence = found.cause if isinstance(found, Open) and not found.looked else None
            self._budget.tell(conn)
            step("settle.written")
        step("settle.committed")
        for doubt, _ in came:
            self._inbox.popleft()
            self._reading.pop(doubt.id, None)
