"""Everything the platform side knows: Pages with their people and ledgers, tokens, clock, what is planned."""

from __future__ import annotations

import hashlib
import hmac
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

from broadcaster.sandbox.agenda import Agenda
from broadcaster.sandbox.clock import SandboxClock
from broadcaster.sandbox.ledger import Accepted, Ledger
from broadcaster.sandbox.limits import Limits
from broadcaster.sandbox.people import Behaviour, People, Person
from broadcaster.sandbox.templates import Templates
from broadcaster.sandbox.threads import Threads

Platform = Literal["messenger", "instagram"]
Emit = Callable[["Page", str, dict[str, Any]], None]

FIELDS = (
    "messages", "message_echoes", "message_deliveries", "message_reads", "messaging_seen", "message_reactions",
    "messaging_postbacks", "messaging_referrals", "messaging_optins", "messaging_policy_enforcement",
    "message_template_status_update",
)  # fmt: skip
SCOPES = (
    "pages_show_list", "pages_messaging", "pages_manage_metadata", "pages_read_engagement",
    "pages_utility_messaging", "instagram_basic", "instagram_manage_messages",
)  # fmt: skip
FEATURES = ("human_agent", "business_asset_user_profile_access")


@dataclass(slots=True)
class Attachment:
    id: str
    kind: str
    size: int
    created_ms: int


@dataclass(slots=True)
class Token:
    """``holder`` is a Page id, ``user`` or ``app``. ``dead`` names the refusal it meets, "" while alive."""

    text: str
    holder: str
    issued_ms: int
    expires_ms: int = 0
    dead: str = ""
    scopes: tuple[str, ...] = SCOPES


class Page:
    """One Page (or Instagram account): its people, conversations, templates, limits and ledger."""

    def __init__(self, world: World, page_id: str, name: str, platform: Platform, people: People) -> None:
        self.world = world
        self.id = page_id
        self.name = name
        self.platform: Platform = platform
        self.people = people
        self.instagram = platform == "instagram"
        self.threads = Threads(people, int(page_id) % 10**9 * 10**7)
        self.ledger = Ledger()
        self.limits = Limits(lambda: len(people), world.clock, page_id, instagram=self.instagram)
        self.templates = Templates(self)
        self.attachments: dict[str, Attachment] = {}
        self.features: set[str] = set(FEATURES)
        self.subscribed: set[str] = set()
        self.restricted = False
        self.news = False
        self.ad_window_hours = 24.0
        self.reading_lag_seconds = 0.0
        self.controlled_by = ""
        self.commenters: dict[str, Person] = {}
        self.undelivered: dict[int, deque[Accepted]] = {}
        self.unread: dict[int, deque[Accepted]] = {}

    @property
    def scopes(self) -> set[str]:
        """What the Page's living tokens were granted."""
        held = (
            token.scopes for token in self.world.tokens.values() if token.holder == self.id and not token.dead
        )
        return {scope for scopes in held for scope in scopes}

    def person_event(
        self, psid: str, key: str, content: dict[str, Any], at_ms: int | None = None
    ) -> dict[str, Any]:
        """One messaging event from a person to the Page, as section 6.2 of the reference has it."""
        return {
            "sender": {"id": psid},
            "recipient": {"id": self.id},
            "timestamp": self.world.clock.ms() if at_ms is None else at_ms,
            key: content,
        }

    def page_event(self, psid: str, key: str, content: dict[str, Any], at_ms: int) -> dict[str, Any]:
        return {"sender": {"id": self.id}, "recipient": {"id": psid}, "timestamp": at_ms, key: content}


class World:
    """The one place that holds state. Touched only by the server's event loop (see ``Sandbox.run``)."""

    def __init__(self, seed: int, now: datetime | None = None) -> None:
        self.seed = seed
        self.clock = SandboxClock(now)
        self.agenda = Agenda(self.clock)
        self.app_id = str(300_000_000_000_000 + self._number("app") % 10**12)
        self.app_name = "Broadcaster practice app"
        self.app_secret = self._secret("app secret")[:32]
        self.verify_token = self._secret("verify token")[:20]
        self.pages: dict[str, Page] = {}
        self.tokens: dict[str, Token] = {}
        self.user_id = str(10_000_000_000_000_000 + self._number("user") % 10**15)
        self.user_token = self._issue("user").text
        self.emit: Emit = _nobody_listens
        self._traces = 0

    def add_page(
        self, contacts: int, platform: Platform, behaviour: Behaviour, page_id: str | None, name: str | None
    ) -> Page:
        """A further Page with people of its own; ValueError when the id is taken or not a number."""
        number = page_id or str(100_000_000_000_000 + self._number(f"page {len(self.pages)}") % 10**13)
        if number in self.pages or not number.isdecimal():
            raise ValueError(f"a Page id must be a new decimal number, not {number!r}")
        base = 4_000_000_000_000_000 + self._number(f"people {number}") % 10**15
        seed = self.seed * 1_000_003 + len(self.pages)
        people = People(contacts, seed, behaviour, self.clock.ms(), base)
        title = name or ("Lindenhof Workshop" if platform == "messenger" else "lindenhof.workshop")
        page = self.pages[number] = Page(self, number, title, platform, people)
        self._issue(number)
        return page

    def page_token(self, page_id: str) -> str:
        """The newest token of a Page."""
        return [token.text for token in self.tokens.values() if token.holder == page_id][-1]

    def renew(self, holder: str) -> str:
        """A fresh token for the Page (or ``user``), as after reconnecting."""
        return self._issue(holder).text

    def revoke(self, holder: str, reason: str = "token_revoked") -> None:
        """Every token of the Page (or ``user``) meets this refusal from now on."""
        for token in self.tokens.values():
            if token.holder == holder:
                token.dead = reason

    def app_token(self) -> str:
        return f"{self.app_id}|{self.app_secret}"

    def proof(self, token: str) -> str:
        """What ``appsecret_proof`` must be for this token."""
        return hmac.new(self.app_secret.encode(), token.encode(), hashlib.sha256).hexdigest()

    def trace(self) -> str:
        self._traces += 1
        return f"A{self._traces:08x}SandboxTrace"

    def _issue(self, holder: str) -> Token:
        text = "EAAS" + self._secret(f"{holder} token {len(self.tokens)}")
        token = self.tokens[text] = Token(text, holder, self.clock.ms())
        return token

    def _secret(self, purpose: str) -> str:
        return hashlib.sha256(f"{self.seed} {purpose}".encode()).hexdigest()

    def _number(self, purpose: str) -> int:
        return int(self._secret(purpose)[:15], 16)


def _nobody_listens(page: Page, field: str, event: dict[str, Any]) -> None:
    """Events before anybody subscribed are lost, as on the platform."""
