"""HTTP to the Graph API: one session per thread, and the exact knowledge whether a request left.

A connection class notes the moment the first byte of a request is handed to the socket. That alone
decides between *surely not sent* and *unknown*; exception types do not (a TLS error can come from the
handshake or from the middle of an answer). Nothing here is ever repeated by itself.
"""

from __future__ import annotations

import hashlib
import hmac
import os
import threading
import weakref
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit
from urllib.request import getproxies

import requests
from requests.adapters import HTTPAdapter
from requests.utils import should_bypass_proxies
from urllib3 import HTTPConnectionPool, HTTPSConnectionPool
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.util.retry import Retry

CONNECT_SECONDS = 10.0

_request = threading.local()


class _Plain(HTTPConnection):
    def connect(self) -> None:
        try:
            super().connect()
        finally:
            _request.left = False  # talking to a proxy is not the request

    def send(self, data: Any) -> None:
        if self.sock is None:
            self.connect()
        _request.left = True
        super().send(data)


class _Secure(HTTPSConnection):
    def connect(self) -> None:
        try:
            super().connect()
        finally:
            _request.left = False

    def send(self, data: Any) -> None:
        if self.sock is None:
            self.connect()
        _request.left = True
        super().send(data)


class _PlainPool(HTTPConnectionPool):
    ConnectionCls = _Plain


class _SecurePool(HTTPSConnectionPool):
    ConnectionCls = _Secure


_POOLS = {"http": _PlainPool, "https": _SecurePool}


class _Adapter(HTTPAdapter):
    def __init__(self) -> None:
        super().__init__(pool_connections=2, pool_maxsize=2, max_retries=Retry(0, read=False))

    def init_poolmanager(self, *args: Any, **kwargs: Any) -> None:
        super().init_poolmanager(*args, **kwargs)
        self.poolmanager.pool_classes_by_scheme = _POOLS

    def proxy_manager_for(self, proxy: str, **kwargs: Any) -> Any:
        manager = super().proxy_manager_for(proxy, **kwargs)
        manager.pool_classes_by_scheme = _POOLS
        return manager


@dataclass(frozen=True, slots=True)
class Surroundings:
    """Proxies and certificate authorities of this machine, read once: company networks need them."""

    proxies: Mapping[str, str]
    ca_bundle: str | bool

    @classmethod
    def read(cls) -> Surroundings:
        bundle = os.environ.get("REQUESTS_CA_BUNDLE") or os.environ.get("CURL_CA_BUNDLE") or True
        return cls(getproxies(), bundle)


@dataclass(frozen=True, slots=True)
class Reply:
    """An answer. ``body`` is its JSON, None when it is not JSON."""

    status: int
    headers: Mapping[str, str]
    body: Any


@dataclass(frozen=True, slots=True)
class Lost:
    """No answer. ``left``: whether any of the request left this machine, so may have had an effect."""

    cause: str
    left: bool


class Wire:
    """Calls to one Graph address with one token. Safe from any thread; the token is only ever a header."""

    def __init__(
        self,
        base_url: str,
        token: str,
        *,
        app_secret: str | None = None,
        timeout: float = 30.0,
        surroundings: Surroundings | None = None,
    ) -> None:
        self.base_url = base_url.rstrip("/")
        self._headers = {"Authorization": f"Bearer {token}", "User-Agent": "Broadcaster"}
        self._timeout = (min(CONNECT_SECONDS, timeout), timeout)
        self._proof = _proof(app_secret, token) if app_secret else None
        self._surroundings = surroundings or Surroundings.read()
        self._local = threading.local()
        self._lock = threading.Lock()
        self._sessions: weakref.WeakSet[requests.Session] = weakref.WeakSet()

    def close(self) -> None:
        """Close the kept connections; the wire can still be used."""
        with self._lock:
            sessions = list(self._sessions)
        for session in sessions:
            session.close()

    def call(
        self,
        method: str,
        path: str,
        *,
        query: Mapping[str, str] | None = None,
        json: Mapping[str, Any] | None = None,
        form: Mapping[str, str] | None = None,
        files: Mapping[str, Any] | None = None,
    ) -> Reply | Lost:
        """One request, never repeated. With a body the proof travels in it and there is no query."""
        proof = {"appsecret_proof": self._proof} if self._proof else {}
        if json is not None:
            json = {**json, **proof}
        elif form is not None:
            form = {**form, **proof}
        else:
            query = {**(query or {}), **proof}
        _request.left = False
        try:
            if query is None:
                request = self._prepared(method, path)
                request.prepare_body(form, files, json)
            else:
                request = self._session().prepare_request(
                    requests.Request(method, f"{self.base_url}/{path}", params=query)
                )
            answer = self._session().send(request, timeout=self._timeout, allow_redirects=False)
        except (requests.RequestException, OSError) as error:
            return Lost(_words(error, _request.left, self._timeout), _request.left)
        return Reply(answer.status_code, answer.headers, _json(answer))

    def _prepared(self, method: str, path: str) -> requests.PreparedRequest:
        """A request without its body: the address and headers of every send are the same, so made once."""
        known: dict[tuple[str, str], requests.PreparedRequest] = self._local.__dict__.setdefault(
            "prepared", {}
        )
        if (method, path) not in known:
            bare = requests.Request(method, f"{self.base_url}/{path}")
            known[method, path] = self._session().prepare_request(bare)
        return known[method, path].copy()

    def _session(self) -> requests.Session:
        session: requests.Session | None = getattr(self._local, "session", None)
        if session is None:
            session = self._local.session = requests.Session()
            session.trust_env = False
            session.proxies = dict(_proxies_for(self.base_url, self._surroundings.proxies))
            session.verify = self._surroundings.ca_bundle
            session.headers.update(self._headers)
            adapter = _Adapter()
            session.mount("https://", adapter)
            session.mount("http://", adapter)
            with self._lock:
                self._sessions.add(session)
        return session


def _proof(app_secret: str, token: str) -> str:
    return hmac.new(app_secret.encode(), token.encode(), hashlib.sha256).hexdigest()


def _proxies_for(url: str, proxies: Mapping[str, str]) -> Mapping[str, str]:
    """The proxies to use for this address: none where the machine says to go directly."""
    own = urlsplit(url).hostname in {"localhost", "127.0.0.1", "::1"}
    return {} if own or should_bypass_proxies(url, no_proxy=proxies.get("no")) else proxies


def _json(answer: requests.Response) -> Any:
    try:
        return answer.json()
    except ValueError:
        return None


def _words(error: Exception, left: bool, timeout: tuple[float, float]) -> str:
    """What happened, without addresses or tokens."""
    if isinstance(error, requests.ConnectTimeout):
        return f"no connection within {timeout[0]:g} s"
    if isinstance(error, requests.Timeout):
        return f"no answer within {timeout[1]:g} s"
    if isinstance(error, requests.exceptions.ProxyError) and not left:
        return "the proxy does not answer"
    if isinstance(error, requests.exceptions.SSLError) and not left:
        return "the secure connection could not be made"
    if left:
        return "the connection was lost before the answer came"
    return "no connection could be made"
