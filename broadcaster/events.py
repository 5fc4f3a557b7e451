"""Signals inside the core. An event only says *look again*; the truth is in the database."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from dataclasses import dataclass

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Changed:
    """Something of ``kind`` changed; ``id`` is its database id, or None for many."""

    kind: str
    """One of: page, contact, import, audience, campaign, delivery, webhook, template, policy, audit, setting."""
    id: int | None = None


Listener = Callable[[Changed], None]


class EventHub:
    """Delivers each event to every listener in the posting thread. Listeners must be quick."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._listeners: tuple[Listener, ...] = ()

    def subscribe(self, listener: Listener) -> Callable[[], None]:
        """Add a listener; call what is returned to remove it."""
        with self._lock:
            self._listeners = (*self._listeners, listener)

        def leave() -> None:
            with self._lock:
                self._listeners = tuple(kept for kept in self._listeners if kept is not listener)

        return leave

    def post(self, kind: str, id: int | None = None) -> None:
        for listener in self._listeners:
            try:
                listener(Changed(kind, id))
            except Exception:
                log.exception("a listener failed", extra={"kind": kind})
