"""The webhook receiver: a small HTTP server on this machine, behind whatever makes it public.

A POST is answered 200 only after its events are committed (the platform allows five seconds and posts
again otherwise). Applying them is another thread's work and never delays an answer.
"""

from __future__ import annotations

import asyncio
import errno
import logging
import socket
import sys
import threading
from collections.abc import Sequence

from aiohttp import web
from sqlalchemy.exc import SQLAlchemyError

from broadcaster.clock import Clock
from broadcaster.errors import BadInput, BroadcasterError, EnvironmentFault
from broadcaster.events import EventHub
from broadcaster.secrets import SecretStore
from broadcaster.store import Store
from broadcaster.webhooks.applier import Applier
from broadcaster.webhooks.events import InboundEvent, parse
from broadcaster.webhooks.keys import PageKeys
from broadcaster.webhooks.signature import HEADER
from broadcaster.webhooks.writer import Writer

log = logging.getLogger(__name__)

HOST = "127.0.0.1"
BODY_LIMIT = 8 * 1024 * 1024


class Receiver:
    """Listens on ``port`` (0: any free one) from ``start`` to ``stop``; ``port`` then says which."""

    def __init__(
        self, store: Store, secrets: SecretStore, clock: Clock, hub: EventHub, port: int = 0
    ) -> None:
        self.port = port
        self._clock = clock
        self._keys = PageKeys(store, secrets)
        self._applier = Applier(store, clock, hub)
        self._writer: Writer[asyncio.Future[None]] = Writer(
            store, clock, lambda _new: self._applier.kick(), self._answer
        )
        self._loop: asyncio.AbstractEventLoop | None = None
        self._stopping: asyncio.Event | None = None
        self._thread: threading.Thread | None = None

    @property
    def url(self) -> str:
        return f"http://{HOST}:{self.port}/webhook"

    def start(self) -> None:
        """Open the port and serve. EnvironmentFault when the port is taken."""
        sock = _listen(self.port)
        self.port = sock.getsockname()[1]
        self._applier.start()
        self._writer.start()
        ready = threading.Event()
        self._thread = threading.Thread(
            target=lambda: asyncio.run(self._serve(sock, ready)), name="webhook-receiver", daemon=True
        )
        self._thread.start()
        ready.wait()

    def stop(self) -> None:
        """Take no more, store what was taken, apply what is stored so far."""
        if self._thread is None or self._loop is None or self._stopping is None:
            return
        self._loop.call_soon_threadsafe(self._stopping.set)
        self._thread.join()
        self._thread = None
        self._writer.stop()
        self._applier.stop()

    def settle(self, timeout: float = 10.0) -> bool:
        """Wait until everything stored is applied; False when that takes longer."""
        return self._applier.settle(timeout)

    async def _serve(self, sock: socket.socket, ready: threading.Event) -> None:
        self._loop, self._stopping = asyncio.get_running_loop(), asyncio.Event()
        runner = web.ServerRunner(
            web.Server(self._handle, access_log=None, request_factory=_request), shutdown_timeout=5.0
        )
        await runner.setup()
        await web.SockSite(runner, sock, backlog=1024).start()
        ready.set()
        await self._stopping.wait()
        await runner.cleanup()

    async def _handle(self, request: web.BaseRequest) -> web.StreamResponse:
        if request.method == "GET":
            return self._handshake(request)
        if request.method != "POST":
            return web.Response(status=405)
        try:
            raw = await request.read()
        except web.HTTPRequestEntityTooLarge:
            return web.Response(status=413)
        pages = self._keys.pages_signed_for(raw, request.headers.get(HEADER))
        if pages is None:
            log.warning("a webhook with a wrong signature was turned away", extra={"bytes": len(raw)})
            return web.Response(status=403)
        try:
            events = parse(raw, self._clock.now())
        except BadInput as error:
            log.warning("a signed webhook could not be read: %s", error.text)
            return web.Response(status=400)
        ours = [event for event in events if event.graph_page_id in pages]
        if len(ours) < len(events):
            log.info(
                "webhook events of other Pages were left aside", extra={"count": len(events) - len(ours)}
            )
        return await self._store(ours)

    async def _store(self, events: list[InboundEvent]) -> web.Response:
        if not events:
            return web.Response()
        committed: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._writer.put(events, committed)
        try:
            await committed
        except (BroadcasterError, SQLAlchemyError):
            log.exception("webhook events could not be stored; the platform will post them again")
            return web.Response(status=503)
        return web.Response()

    def _answer(self, posts: Sequence[asyncio.Future[None]], failure: BaseException | None) -> None:
        if self._loop is not None and not self._loop.is_closed():
            self._loop.call_soon_threadsafe(_settle, posts, failure)

    def _handshake(self, request: web.BaseRequest) -> web.Response:
        """The platform's check of the address when webhooks are set up."""
        query = request.rel_url.query
        if query.get("hub.mode") == "subscribe" and self._keys.verifies(query.get("hub.verify_token", "")):
            return web.Response(text=query.get("hub.challenge", ""))
        return web.Response(status=403)


def _settle(posts: Sequence[asyncio.Future[None]], failure: BaseException | None) -> None:
    for post in posts:
        if post.cancelled():
            continue  # the poster has gone; its events are stored all the same
        if failure is None:
            post.set_result(None)
        else:
            post.set_exception(failure)


def _request(*parts: object) -> web.BaseRequest:
    message, payload, protocol, writer, task = parts
    loop = asyncio.get_running_loop()
    return web.BaseRequest(message, payload, protocol, writer, task, loop, client_max_size=BODY_LIMIT)  # type: ignore[arg-type]


def _listen(port: int) -> socket.socket:
    sock = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    if sys.platform != "win32":
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        sock.bind((HOST, port))
    except OSError as error:
        sock.close()
        if error.errno in {errno.EADDRINUSE, errno.EACCES} or getattr(error, "winerror", 0) == 10048:
            raise EnvironmentFault(
                f"Port {port} for webhooks is taken by another program.",
                "Choose another port, or 0 for any free one.",
            ) from error
        raise
    return sock
