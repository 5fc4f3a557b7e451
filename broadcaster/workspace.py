"""The one composition root: opens settings, secrets, database and services, and closes them in order."""

from __future__ import annotations

import logging
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from sqlalchemy import select

from broadcaster.clock import Clock, SystemClock
from broadcaster.errors import BadInput, EnvironmentFault, NotFound
from broadcaster.events import EventHub
from broadcaster.graph.client import GraphClient
from broadcaster.logs import start_logging, stop_logging
from broadcaster.secrets import SecretStore, open_secrets
from broadcaster.settings import Settings
from broadcaster.store import Store, open_store
from broadcaster.store.tables import Page

if TYPE_CHECKING:
    from broadcaster.queue.scheduler import Wake
    from broadcaster.queue.sender import Sender
    from broadcaster.webhooks.receiver import Receiver

log = logging.getLogger(__name__)
PAGES = Page.__table__  # type: ignore[attr-defined]


class Workspace:
    """Everything one open workspace consists of. Use as a context manager or call ``close``."""

    def __init__(self, settings: Settings, clock: Clock, secrets: SecretStore, store: Store) -> None:
        self.settings = settings
        self.clock = clock
        self.secrets = secrets
        self.store = store
        self.hub = EventHub()
        self.sender: Sender | None = None
        self.wake: Wake | None = None
        self.receiver: Receiver | None = None
        self._log = start_logging(settings.home / "logs", clock.now())
        self._clients: dict[int, GraphClient] = {}

    @classmethod
    def open(cls, settings: Settings, clock: Clock | None = None) -> Workspace:
        """Open or create the workspace. Raises EnvironmentFault when its folder cannot be written."""
        chosen = clock or SystemClock()
        _require_writable(settings.home)
        secrets = open_secrets(settings.home)
        return cls(settings, chosen, secrets, open_store(settings.database_url, chosen.now()))

    def graph_client(self, page_id: int) -> GraphClient:
        """The client of a connected Page (one per Page, shared by threads). NotFound, BadInput."""
        if page_id not in self._clients:
            self._clients[page_id] = self._new_client(page_id)
        return self._clients[page_id]

    def forget_client(self, page_id: int) -> None:
        """After a reconnect: the next call reads the token anew."""
        client = self._clients.pop(page_id, None)
        if client is not None:
            client.close()

    def start_sending(self) -> None:
        """Start the sender and the scheduler that wakes it. EnvironmentFault when another process sends."""
        # loaded here, not above: a command that sends nothing starts without scheduler and HTTP server
        from broadcaster.queue.scheduler import Wake
        from broadcaster.queue.sender import Sender

        if self.sender is None:
            sender = Sender(self.store, self.graph_client, self.clock, self.hub, self.settings)
            sender.start()
            self.sender = sender
            self.wake = Wake(self.store, self.sender, self.clock, self.hub)
            self.wake.start()

    def stop_sending(self) -> None:
        """Begin nothing more; what was on the wire has come back, or is in doubt, when this returns."""
        if self.wake is not None:
            self.wake.stop()
        if self.sender is not None:
            self.sender.stop()
        self.wake = self.sender = None

    def start_receiver(self, port: int) -> int:
        """Listen for webhooks on 127.0.0.1; returns the port. EnvironmentFault when it is taken."""
        from broadcaster.webhooks.receiver import Receiver

        if self.receiver is None:
            self.receiver = Receiver(self.store, self.secrets, self.clock, self.hub, port)
            self.receiver.start()
        return self.receiver.port

    def close(self) -> None:
        """Stop what runs: first what wakes, then what receives, then what sends (waits for calls in flight)."""
        if self.wake is not None:
            self.wake.stop()
        if self.receiver is not None:
            self.receiver.stop()
        if self.sender is not None:
            self.sender.stop()
        for client in self._clients.values():
            client.close()
        self.store.close()
        stop_logging(self._log)

    def __enter__(self) -> Workspace:
        return self

    def __exit__(self, *_error: object) -> None:
        self.close()

    def _new_client(self, page_id: int) -> GraphClient:
        with self.store.read() as conn:
            page = conn.execute(select(PAGES).where(PAGES.c.id == page_id)).one_or_none()
        if page is None:
            raise NotFound("That Page is not connected.", "Connect it first: broadcaster page connect.")
        token = self.secrets.get(f"page:{page.graph_id}:token")
        if not token:
            raise BadInput(
                f"The token of Page {page.name!r} is not in the {self.secrets.kind}.",
                "Connect the Page again.",
            )
        return GraphClient(
            page.graph_url,
            page.graph_version,
            token=token,
            page_graph_id=page.graph_id,
            platform=page.platform,
            instagram_id=page.instagram_id,
            app_secret=self.secrets.get(f"app:{page.app_id or page.graph_id}:secret"),
            timeout=self.settings.http_timeout,
            clock=self.clock,
        )


def _require_writable(home: Path) -> None:
    try:
        home.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=home):
            pass
    except OSError as error:
        raise EnvironmentFault(
            f"The workspace folder {home} cannot be written: {error.strerror or error}.",
            "Choose another with --home, or change its rights.",
        ) from error
