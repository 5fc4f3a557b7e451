"""Group commit: one thread stores what several POSTs brought, in one transaction, and then says so."""

from __future__ import annotations

import queue
import threading
import time
from collections.abc import Callable, Sequence
from typing import Generic, TypeVar

from broadcaster.clock import Clock
from broadcaster.store import Store
from broadcaster.webhooks.events import InboundEvent
from broadcaster.webhooks.inbox import store_events

Post = TypeVar("Post")
"""What stands for one POST until it is answered."""

MOST_POSTS = 256
GATHER_SECONDS = 0.001
"""POSTs that come within this time share a commit, whose cost is nearly the same for one or many."""


class Writer(Generic[Post]):
    """Owns its thread. Everything handed in before ``stop`` is stored or answered with its failure.

    ``stored`` hears how many new events a commit brought; then ``answer`` gets the POSTs it was made of,
    with what prevented it or None. Both are called in the writer's thread.
    """

    def __init__(
        self,
        store: Store,
        clock: Clock,
        stored: Callable[[int], None],
        answer: Callable[[Sequence[Post], BaseException | None], None],
    ) -> None:
        self._store = store
        self._clock = clock
        self._stored = stored
        self._answer = answer
        self._waiting: queue.SimpleQueue[tuple[Sequence[InboundEvent], Post] | None] = queue.SimpleQueue()
        self._thread = threading.Thread(target=self._run, name="webhook-writer", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def put(self, events: Sequence[InboundEvent], post: Post) -> None:
        self._waiting.put((events, post))

    def stop(self) -> None:
        self._waiting.put(None)
        self._thread.join()

    def _run(self) -> None:
        going = True
        while going:
            posts = [self._waiting.get()]
            time.sleep(GATHER_SECONDS)
            while len(posts) < MOST_POSTS and not self._waiting.empty():
                posts.append(self._waiting.get())
            going = None not in posts
            group = [post for post in posts if post is not None]
            if group:
                self._commit(group)

    def _commit(self, posts: Sequence[tuple[Sequence[InboundEvent], Post]]) -> None:
        failure: BaseException | None = None
        new = 0
        try:
            with self._store.write() as conn:
                new = store_events(
                    conn, [event for events, _ in posts for event in events], self._clock.now()
                )
        except Exception as error:  # the poster hears of it and the platform posts again
            failure = error
        if new:
            self._stored(new)
        self._answer([post for _, post in posts], failure)
