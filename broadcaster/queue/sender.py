"""The sender's thread: runs the engine, waits on a condition, and ends without leaving anything half done."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable

from broadcaster.clock import Clock
from broadcaster.errors import EnvironmentFault
from broadcaster.events import EventHub
from broadcaster.graph.client import GraphClient
from broadcaster.queue.engine import Engine
from broadcaster.queue.lanes import ThreadLanes
from broadcaster.queue.trouble import Trouble
from broadcaster.queue.wire import GraphTransport, Transport
from broadcaster.settings import Settings
from broadcaster.store import Store

log = logging.getLogger(__name__)

CALL_THREADS = 64
DRAIN_SECONDS = 5.0
GATHER_SECONDS = 0.05
"""While others are under way, answers that come within this time are written together; what is on the wire stays
in doubt so much longer."""
AFTER_FAULT = 2.0
"""Seconds to wait after the machine stood in the way (disk full, database locked)."""


class Sender:
    """The only thread of this process that claims and settles. ``trouble``: what keeps it from sending."""

    def __init__(
        self,
        store: Store,
        clients: Callable[[int], GraphClient],
        clock: Clock,
        hub: EventHub,
        settings: Settings,
        transport: Transport | None = None,
    ) -> None:
        self._clock = clock
        self._hub = hub
        self._condition = threading.Condition()
        self._kicked = False
        self._write_at = float("inf")
        self._stopping = False
        self._thread: threading.Thread | None = None
        self._lanes = ThreadLanes(CALL_THREADS)
        self.trouble = Trouble()
        self.engine = Engine(
            store, transport or GraphTransport(clients), clients, clock, hub, settings, self._lanes,
            wake=self._answered,
        )  # fmt: skip

    def start(self) -> None:
        """Recover what a crash left, then send. EnvironmentFault when another process sends already."""
        self.engine.begin()
        self._thread = threading.Thread(target=self._run, name="sender", daemon=True)
        self._thread.start()

    def stop(self, timeout: float = DRAIN_SECONDS) -> None:
        """Begin nothing more, wait at most ``timeout`` seconds for calls in flight, write what came.

        What is still on the wire then is in doubt and settled by the next start.
        """
        if self._thread is None:
            return
        with self._condition:
            self._stopping = True
            self._condition.notify_all()
        self._thread.join()
        clean = self._drain(timeout)
        self._lanes.close()
        self.engine.end(clean)
        self._thread = None

    def kick(self) -> None:
        """Look at once: something came back, or became due. Callable from any thread."""
        with self._condition:
            self._kicked = True
            self._condition.notify_all()

    def _answered(self, last: bool) -> None:
        """A call came back: look soon, together with the next ones, or at once when it was the last under way."""
        with self._condition:
            write_at = self._clock.monotonic() + (0.0 if last else GATHER_SECONDS)
            if write_at < self._write_at:
                self._write_at = write_at
                self._condition.notify_all()

    @property
    def alive(self) -> bool:
        return self._thread is not None and self._thread.is_alive()

    def _run(self) -> None:
        look = True
        ends = float("-inf")
        while not self._stopping:
            if look:
                wait = self._turn(self.engine.tick)
                ends = self._clock.monotonic() + wait
            else:
                self._turn(self.engine.drain)
            look = self._sleep(ends)

    def _sleep(self, ends: float) -> bool:
        """Until ``ends`` or an answer; whether to look for more to do then, or only to write what came."""
        with self._condition:
            while not self._kicked and not self._stopping:
                left = min(ends, self._write_at) - self._clock.monotonic()
                if left <= 0:
                    break
                self._clock.wait(self._condition, left)
            look = self._kicked or self.engine.starved or self._clock.monotonic() >= ends
            self._kicked = False
            self._write_at = float("inf")
            return look

    def _turn(self, work: Callable[[], float | None]) -> float:
        """Let the engine work; returns the seconds until the next look."""
        try:
            wait = work() or 0.0
        except EnvironmentFault as fault:
            self._note(str(fault))
            return AFTER_FAULT
        except Exception:
            log.exception("the sender stumbled")
            self._note("The sender stumbled over a fault in the program; it goes on. See the log.")
            return AFTER_FAULT
        self._note(self.engine.silence)
        return wait

    def _note(self, trouble: str | None) -> None:
        if self.trouble.note(trouble, self._clock.monotonic()):
            log.warning("the sender: %s", trouble or "works again")
            self._hub.post("setting")

    def _drain(self, timeout: float) -> bool:
        """Whether everything that came back could be written."""
        ends = self._clock.monotonic() + timeout
        while True:
            try:
                self.engine.drain()
            except EnvironmentFault:
                log.warning("results could not be written at the end; they are settled at the next start")
                return False
            left = ends - self._clock.monotonic()
            if not self.engine.on_the_wire or left <= 0:
                return True
            with self._condition:
                if self._write_at == float("inf"):
                    self._clock.wait(self._condition, left)
                self._write_at = float("inf")
