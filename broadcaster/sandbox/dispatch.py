"""Webhook delivery: signed POSTs over the raw bytes, in batches; late, twice, shuffled or lost on request."""

from __future__ import annotations

import asyncio
import hashlib
import heapq
import hmac
import itertools
import json
import logging
import random
import time
from dataclasses import dataclass
from typing import Any

import aiohttp

from broadcaster.sandbox.world import FIELDS, Page, World

ANSWER_SECONDS = 5.0
DISABLE_AFTER_MS = 3_600_000
_BACKOFF = (0.05, 0.2, 1.0, 5.0, 15.0, 60.0)

_log = logging.getLogger(__name__)


@dataclass
class DeliveryMode:
    """How events travel. Shares are 0..1, ``delay`` seconds of real time from and to.

    ``watermark_only`` leaves the mids out of that share of delivery events. ``echo_first`` delivers the echo
    before the send is answered. ``held`` keeps everything back until a flush. ``shuffle`` lets events overtake
    one another (within the delay, a quarter second where there is none). ``only`` restricts all of this but
    ``held`` to these webhook fields (``["message_echoes"]``), the others then travel undisturbed.
    """

    duplicate: float = 0.0
    drop: float = 0.0
    shuffle: bool = False
    delay: tuple[float, float] = (0.0, 0.0)
    watermark_only: float = 0.0
    echo_first: bool = False
    held: bool = False
    events_per_post: int = 50
    events_per_entry: int = 1
    only: tuple[str, ...] = ()


_UNDISTURBED = DeliveryMode()


@dataclass(order=True, slots=True)
class _Parcel:
    due: float
    number: float
    page: Page
    field: str
    event: dict[str, Any]
    attempt: int = 0


class Dispatcher:
    """Holds events until they are due and posts them; lives on the server's event loop."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._random = random.Random(world.seed)
        self._heap: list[_Parcel] = []
        self._urgent: list[_Parcel] = []
        self._numbers = itertools.count()
        self._wake = asyncio.Event()
        self._in_flight = 0
        self._failing_since_ms = 0
        self._session: aiohttp.ClientSession | None = None
        self.mode = DeliveryMode()
        self.callback_url = ""
        self.disabled = False
        self.counts = {"events": 0, "posts": 0, "failed_posts": 0, "dropped": 0, "duplicated": 0}
        world.emit = self.put

    async def subscribe(self, callback_url: str, fields: set[str] | None = None) -> None:
        """Shake hands with the receiver and send it every Page's events; ValueError when it does not answer right."""
        challenge = str(self._random.randrange(10**9))
        query = {
            "hub.mode": "subscribe",
            "hub.verify_token": self._world.verify_token,
            "hub.challenge": challenge,
        }
        try:
            async with self._http().get(callback_url, params=query) as answer:
                text = (await answer.text()).strip()
                status = answer.status
        except (aiohttp.ClientError, TimeoutError) as error:
            raise ValueError(f"the receiver at {callback_url} cannot be reached: {error}") from error
        if status != 200 or text != challenge:
            raise ValueError(f"the receiver at {callback_url} did not return the challenge (HTTP {status})")
        self.use(callback_url, fields)

    def use(self, callback_url: str, fields: set[str] | None = None) -> None:
        """Send to this address without a handshake; "" for nowhere."""
        self.callback_url = callback_url
        self.disabled = False
        self._failing_since_ms = 0
        for page in self._world.pages.values():
            page.subscribed = set(FIELDS if fields is None else fields)

    def put(self, page: Page, field: str, event: dict[str, Any]) -> None:
        """Take an event as the delivery mode says; nobody subscribed to it, nothing happens."""
        if not self.callback_url or self.disabled or field not in page.subscribed:
            return
        mode = self.mode if not self.mode.only or field in self.mode.only else _UNDISTURBED
        if field == "message_deliveries" and self._random.random() < mode.watermark_only:
            event["delivery"].pop("mids", None)
        self.counts["events"] += 1
        if mode.drop and self._random.random() < mode.drop:
            self.counts["dropped"] += 1
            return
        self._keep(mode, page, field, event)
        if mode.duplicate and self._random.random() < mode.duplicate:
            self.counts["duplicated"] += 1
            self._keep(mode, page, field, event)

    def waiting(self) -> int:
        """Events not delivered yet."""
        return len(self._heap) + len(self._urgent) + self._in_flight

    async def run(self) -> None:
        """Deliver until cancelled."""
        while True:
            parcels = [] if self.mode.held else self._due()
            if parcels:
                await self._post(parcels)
                continue
            self._wake.clear()
            next_due = self._heap[0].due - time.monotonic() if self._heap and not self.mode.held else 60.0
            try:
                await asyncio.wait_for(self._wake.wait(), max(0.001, next_due))
            except TimeoutError:
                continue

    async def send_urgent(self) -> None:
        """Deliver the echoes that go out before the send is answered."""
        parcels, self._urgent = self._urgent, []
        if parcels:
            await self._post(parcels)

    async def flush(self, timeout: float = 10.0) -> bool:
        """Deliver everything held or delayed now; False when something is still undelivered after ``timeout``."""
        held, self.mode.held = self.mode.held, False
        deadline = time.monotonic() + timeout
        for parcel in self._heap:
            parcel.due = 0.0
        heapq.heapify(self._heap)
        self._wake.set()
        while self.waiting() and time.monotonic() < deadline:
            await asyncio.sleep(0.002)
        self.mode.held = held
        return not self.waiting()

    async def close(self) -> None:
        if self._session is not None:
            await self._session.close()

    def _keep(self, mode: DeliveryMode, page: Page, field: str, event: dict[str, Any]) -> None:
        number = float(next(self._numbers))
        if mode.echo_first and "is_echo" in event.get("message", ()):
            self._urgent.append(_Parcel(0.0, number, page, field, event))
            return
        low, high = mode.delay
        if mode.shuffle:
            high, number = high or 0.25, self._random.random()
        wait = low + (high - low) * self._random.random() if high else 0.0
        heapq.heappush(self._heap, _Parcel(time.monotonic() + wait, number, page, field, event))
        self._wake.set()

    def _due(self) -> list[_Parcel]:
        """The next parcels of one kind of object, as many as go into one POST."""
        now, parcels = time.monotonic(), list[_Parcel]()
        while self._heap and self._heap[0].due <= now and len(parcels) < self.mode.events_per_post:
            if parcels and self._heap[0].page.platform != parcels[0].page.platform:
                break
            parcels.append(heapq.heappop(self._heap))
        if self.mode.shuffle:
            self._random.shuffle(parcels)
        return parcels

    async def _post(self, parcels: list[_Parcel]) -> None:
        self._in_flight += len(parcels)
        try:
            delivered = await self._deliver(self._body(parcels))
        finally:
            self._in_flight -= len(parcels)
        self.counts["posts"] += 1
        if delivered:
            self._failing_since_ms = 0
        else:
            self.counts["failed_posts"] += 1
            self._retry(parcels)

    async def _deliver(self, body: bytes) -> bool:
        secret = self._world.app_secret.encode()
        headers = {
            "Content-Type": "application/json",
            "X-Hub-Signature-256": "sha256=" + hmac.new(secret, body, hashlib.sha256).hexdigest(),
            "X-Hub-Signature": "sha1=" + hmac.new(secret, body, hashlib.sha1).hexdigest(),
        }
        try:
            async with self._http().post(self.callback_url, data=body, headers=headers) as answer:
                await answer.read()
                return answer.status == 200
        except (aiohttp.ClientError, TimeoutError, OSError):
            return False

    def _retry(self, parcels: list[_Parcel]) -> None:
        """Again later, with growing pauses; after an hour of failure (sandbox time) the app is unsubscribed."""
        now_ms = self._world.clock.ms()
        self._failing_since_ms = self._failing_since_ms or now_ms
        if now_ms - self._failing_since_ms > DISABLE_AFTER_MS:
            self.disabled = True
            self.counts["dropped"] += len(parcels) + len(self._heap)
            self._heap.clear()
            _log.info("webhooks were switched off after an hour of failed deliveries")
            return
        for parcel in parcels:
            parcel.due = time.monotonic() + _BACKOFF[min(parcel.attempt, len(_BACKOFF) - 1)]
            parcel.attempt += 1
            heapq.heappush(self._heap, parcel)

    def _body(self, parcels: list[_Parcel]) -> bytes:
        """JSON with every non-ASCII character escaped, as the platform signs it (section 6.1)."""
        entries: list[dict[str, Any]] = []
        for parcel in parcels:
            if parcel.field == "message_template_status_update":
                change = {"field": parcel.field, "value": parcel.event}
                entries.append({"id": parcel.page.id, "time": self._world.clock.ms(), "changes": [change]})
                continue
            last = entries[-1] if entries else {}
            room = len(last.get("messaging", ())) < self.mode.events_per_entry
            if last.get("id") == parcel.page.id and "messaging" in last and room:
                last["messaging"].append(parcel.event)
            else:
                row = {"id": parcel.page.id, "time": self._world.clock.ms(), "messaging": [parcel.event]}
                entries.append(row)
        kind = "instagram" if parcels[0].page.instagram else "page"
        return json.dumps({"object": kind, "entry": entries}, separators=(",", ":")).encode("ascii")

    def _http(self) -> aiohttp.ClientSession:
        if self._session is None:
            timeout = aiohttp.ClientTimeout(total=ANSWER_SECONDS)
            self._session = aiohttp.ClientSession(timeout=timeout, trust_env=False)
        return self._session
