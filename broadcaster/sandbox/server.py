"""The sandbox as an object: a world behind a real HTTP server with a thread and an event loop of its own."""

from __future__ import annotations

import asyncio
import errno
import socket
import sys
import threading
from collections.abc import Callable
from datetime import datetime
from types import TracebackType
from typing import TypeVar

from aiohttp import web

from broadcaster.sandbox.clock import SandboxClock
from broadcaster.sandbox.control import Control
from broadcaster.sandbox.dispatch import DeliveryMode, Dispatcher
from broadcaster.sandbox.export import contacts_csv
from broadcaster.sandbox.faults import Faults
from broadcaster.sandbox.front import GraphFront
from broadcaster.sandbox.ledger import Accepted
from broadcaster.sandbox.people import Behaviour, People, Person
from broadcaster.sandbox.world import Page, Platform, World

T = TypeVar("T")
_TICK_SECONDS = 0.01
_BODY_LIMIT = 64 * 1024 * 1024


class SandboxPortTaken(OSError):
    """The port is in use by another program. ``port`` says which."""

    def __init__(self, port: int) -> None:
        super().__init__(errno.EADDRINUSE, "it is taken by another program")
        self.port = port

    def __str__(self) -> str:
        return (
            f"Port {self.port} on this machine is taken by another program; choose another one, or 0 for any."
        )


class Sandbox:
    """A simulated Page over HTTP on 127.0.0.1. ``with Sandbox(contacts=50) as sandbox:`` starts and stops it.

    ``now`` sets the platform's clock (it ticks on from there); the people's history is made relative to it.
    From other threads change the world only through this object or ``run``.
    """

    def __init__(
        self,
        contacts: int = 200,
        seed: int = 1,
        port: int = 0,
        platform: Platform = "messenger",
        page_id: str | None = None,
        page_name: str | None = None,
        now: datetime | None = None,
        behaviour: Behaviour | None = None,
    ) -> None:
        self._world = World(seed, now)
        self._behaviour = behaviour or Behaviour()
        self.page: Page = self._world.add_page(contacts, platform, self._behaviour, page_id, page_name)
        self.faults = Faults(seed)
        self._wanted_port = port
        self._thread: threading.Thread | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._dispatcher: Dispatcher | None = None
        self._stopping: asyncio.Event | None = None
        self._failure: Exception | None = None
        self.url = ""

    def start(self) -> Sandbox:
        """Open the port and serve; ``SandboxPortTaken`` when it is in use."""
        sock = _listen(self._wanted_port)
        self.url = f"http://127.0.0.1:{sock.getsockname()[1]}"
        ready = threading.Event()
        self._thread = threading.Thread(
            target=self._thread_main, args=(sock, ready), name="sandbox", daemon=True
        )
        self._thread.start()
        ready.wait()
        if self._failure is not None:
            raise RuntimeError("the sandbox could not start") from self._failure
        return self

    def stop(self) -> None:
        """Close the port and end the thread; calls that still wait are cut off."""
        if self._loop is not None and self._stopping is not None and self._thread is not None:
            self._loop.call_soon_threadsafe(self._stopping.set)
            self._thread.join()
        self._loop = self._thread = self._stopping = None

    def __enter__(self) -> Sandbox:
        return self.start()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    @property
    def port(self) -> int:
        return int(self.url.rpartition(":")[2])

    @property
    def page_id(self) -> str:
        return self.page.id

    @property
    def page_name(self) -> str:
        return self.page.name

    @property
    def page_token(self) -> str:
        return self._world.page_token(self.page.id)

    @property
    def user_token(self) -> str:
        return self._world.user_token

    @property
    def app_id(self) -> str:
        return self._world.app_id

    @property
    def app_secret(self) -> str:
        return self._world.app_secret

    @property
    def verify_token(self) -> str:
        return self._world.verify_token

    @property
    def clock(self) -> SandboxClock:
        return self._world.clock

    @property
    def people(self) -> People:
        return self.page.people

    @property
    def delivery(self) -> DeliveryMode:
        """How webhook events travel; assign to its attributes."""
        return self._running().mode

    def ledger(self) -> list[Accepted]:
        """Every message the first Page accepted, in order."""
        return self.run(lambda: list(self.page.ledger.entries))

    def run(self, change: Callable[[], T]) -> T:
        """Do something to the world on the server's own thread and return what it returns."""
        if self._loop is None or threading.current_thread() is self._thread:
            return change()

        async def step() -> T:
            return change()

        return asyncio.run_coroutine_threadsafe(step(), self._loop).result()

    def add_page(
        self,
        contacts: int = 200,
        platform: Platform = "messenger",
        page_id: str | None = None,
        page_name: str | None = None,
    ) -> Page:
        """A further Page (or Instagram account) at the same address, with its own people and token."""
        return self.run(lambda: self._world.add_page(contacts, platform, self._behaviour, page_id, page_name))

    def token_of(self, page: Page) -> str:
        return self._world.page_token(page.id)

    def person(self, index: int = 0) -> Person:
        """One of the first Page's people."""
        return self.run(lambda: self.page.people.at(index))

    def subscribe(self, callback_url: str) -> None:
        """Send signed webhook events there, after the handshake; ValueError when that fails."""
        asyncio.run_coroutine_threadsafe(self._running().subscribe(callback_url), self._on()).result()

    def settle(self, timeout: float = 10.0) -> bool:
        """Let everything planned happen now and deliver every event; False when some could not be delivered."""
        self.run(self._world.agenda.run_all)
        return self.flush(timeout)

    def flush(self, timeout: float = 10.0) -> bool:
        """Deliver the webhook events that are held back or delayed; False when some could not be delivered."""
        return asyncio.run_coroutine_threadsafe(self._running().flush(timeout), self._on()).result()

    def revoke_token(self, reason: str = "token_revoked") -> None:
        """Every token of the first Page is dead from now on (190/460, or ``token_expired`` 190/463)."""
        self.run(lambda: self._world.revoke(self.page.id, reason))

    def restrict(self, restricted: bool = True) -> None:
        """The first Page may not send (10/1893063), or may again."""
        self.page.restricted = restricted

    def contacts_csv(self) -> str:
        """The first Page's people as a contacts file."""
        return self.run(lambda: contacts_csv(self.page))

    def describe(self) -> dict[str, str]:
        """What a program needs to connect: address, ids, tokens, secret."""
        return {
            "url": self.url,
            "platform": self.page.platform,
            "page_id": self.page_id,
            "page_name": self.page_name,
            "page_token": self.page_token,
            "user_token": self.user_token,
            "app_id": self.app_id,
            "app_secret": self.app_secret,
            "verify_token": self.verify_token,
        }

    def _thread_main(self, sock: socket.socket, ready: threading.Event) -> None:
        try:
            asyncio.run(self._serve(sock, ready))
        except Exception as error:
            self._failure = error
        finally:
            sock.close()
            ready.set()

    async def _serve(self, sock: socket.socket, ready: threading.Event) -> None:
        self._loop, self._stopping = asyncio.get_running_loop(), asyncio.Event()
        dispatcher = self._dispatcher = Dispatcher(self._world)
        front = GraphFront(self._world, self.faults, dispatcher)
        front.address = self.url
        control = Control(self._world, self.faults, dispatcher, self.page, self._behaviour)

        async def handle(request: web.BaseRequest) -> web.StreamResponse:
            if request.path.startswith("/sandbox/"):
                return await control.handle(request)
            return await front.handle(request)

        runner = web.ServerRunner(
            web.Server(handle, access_log=None, request_factory=_request), shutdown_timeout=0.2
        )
        await runner.setup()
        await web.SockSite(runner, sock, backlog=1024).start()
        tasks = [asyncio.create_task(dispatcher.run()), asyncio.create_task(self._live())]
        ready.set()
        await self._stopping.wait()
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await dispatcher.close()
        await runner.cleanup()

    async def _live(self) -> None:
        """Let what is due happen, a tick at a time."""
        while True:
            busy = self._world.agenda.run_due(200)
            await asyncio.sleep(0 if busy == 200 else _TICK_SECONDS)

    def _running(self) -> Dispatcher:
        if self._dispatcher is None:
            raise RuntimeError("the sandbox is not started")
        return self._dispatcher

    def _on(self) -> asyncio.AbstractEventLoop:
        if self._loop is None:
            raise RuntimeError("the sandbox is not started")
        return self._loop


def _request(*parts: object) -> web.BaseRequest:
    message, payload, protocol, writer, task = parts
    return web.BaseRequest(
        message, payload, protocol, writer, task, asyncio.get_running_loop(), client_max_size=_BODY_LIMIT  # type: ignore[arg-type]
    )  # fmt: skip


def _listen(port: int) -> socket.socket:
    sock = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    if sys.platform != "win32":
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        sock.bind(("127.0.0.1", port))
    except OSError as error:
        sock.close()
        if error.errno in {errno.EADDRINUSE, errno.EACCES} or getattr(error, "winerror", 0) == 10048:
            raise SandboxPortTaken(port) from error
        raise
    return sock
