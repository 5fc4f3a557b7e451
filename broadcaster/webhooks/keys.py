"""Whose webhook is it? The app secrets and verify tokens of the connected Pages, held for the receiver."""

from __future__ import annotations

import hmac
import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass, field

from sqlalchemy import select

from broadcaster.secrets import SecretStore
from broadcaster.store import Store
from broadcaster.store.tables import Page
from broadcaster.webhooks.signature import valid

PAGES = Page.__table__  # type: ignore[attr-defined]
REREAD_SECONDS = 1.0


@dataclass(frozen=True, slots=True)
class _Keys:
    pages_of_secret: Mapping[str, frozenset[str]] = field(default_factory=dict)
    verify_tokens: frozenset[str] = frozenset()


class PageKeys:
    """Read once and again when something does not fit, at most once a second: Pages come and go."""

    def __init__(self, store: Store, secrets: SecretStore) -> None:
        self._store = store
        self._secrets = secrets
        self._lock = threading.Lock()
        self._read_at = -REREAD_SECONDS
        self._keys = _Keys()

    def pages_signed_for(self, raw: bytes, header: str | None) -> frozenset[str] | None:
        """Graph ids of the Pages this signature speaks for; None when it fits no connected Page."""
        return self._signed(raw, header) or (self._signed(raw, header) if self._reread() else None)

    def verifies(self, token: str) -> bool:
        """Is this the verify token of a connected Page?"""
        return self._known(token) or (self._reread() and self._known(token))

    def _signed(self, raw: bytes, header: str | None) -> frozenset[str] | None:
        return next(
            (pages for secret, pages in self._keys.pages_of_secret.items() if valid(secret, raw, header)),
            None,
        )

    def _known(self, token: str) -> bool:
        given = token.encode()
        return any(hmac.compare_digest(given, known.encode()) for known in self._keys.verify_tokens)

    def _reread(self) -> bool:
        with self._lock:
            if time.monotonic() - self._read_at < REREAD_SECONDS:
                return False
            self._keys = self._load()
            self._read_at = time.monotonic()
            return True

    def _load(self) -> _Keys:
        with self._store.read() as conn:
            rows = conn.execute(select(PAGES.c.graph_id, PAGES.c.instagram_id, PAGES.c.app_id)).all()
        pages: dict[str, set[str]] = {}
        tokens = set()
        for row in rows:
            secret = self._secrets.get(f"app:{row.app_id or row.graph_id}:secret")
            if secret:
                ids = {row.graph_id, row.instagram_id} - {None}
                pages.setdefault(secret, set()).update(ids)
            token = self._secrets.get(f"page:{row.graph_id}:verify_token")
            if token:
                tokens.add(token)
        return _Keys({secret: frozenset(ids) for secret, ids in pages.items()}, frozenset(tokens))
