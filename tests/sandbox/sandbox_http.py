"""What speaks to a sandbox over HTTP in tests: a caller, and a receiver for its webhooks."""

from __future__ import annotations

import hashlib
import hmac
import json
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

import requests

from broadcaster.sandbox import Sandbox


class Caller:
    """Graph calls to one sandbox with its Page token."""

    def __init__(self, sandbox: Sandbox, page: Any = None) -> None:
        self.sandbox = sandbox
        self.page_id = page.id if page else sandbox.page_id
        self.token = sandbox.token_of(page) if page else sandbox.page_token
        self.http = requests.Session()
        self.http.trust_env = False

    def get(self, path: str, **params: Any) -> requests.Response:
        return self.http.get(
            f"{self.sandbox.url}/v26.0/{path}", params=params, headers=self._headers(), timeout=10
        )

    def post(self, path: str, body: dict[str, Any], **more: Any) -> requests.Response:
        return self.http.post(
            f"{self.sandbox.url}/v26.0/{path}",
            json=body,
            headers=self._headers(),
            timeout=more.get("timeout", 10),
        )

    def send(self, psid: str, text: str = "Hello", timeout: float = 10, **more: Any) -> requests.Response:
        body = {"recipient": {"id": psid}, "messaging_type": "UPDATE", "message": {"text": text}} | more
        return self.post(f"{self.page_id}/messages", body, timeout=timeout)

    def batch(self, parts: list[dict[str, Any]], **more: str) -> requests.Response:
        form = {"batch": json.dumps(parts), "access_token": self.token} | more
        return self.http.post(f"{self.sandbox.url}/v26.0/", data=form, timeout=10)

    def part(self, psid: str, text: str = "Hello") -> dict[str, Any]:
        body = urlencode(
            {
                "recipient": json.dumps({"id": psid}),
                "messaging_type": "UPDATE",
                "message": json.dumps({"text": text}),
            }
        )
        return {"method": "POST", "relative_url": f"v26.0/{self.page_id}/messages", "body": body}

    def control(self, path: str, body: dict[str, Any] | None = None) -> Any:
        address = f"{self.sandbox.url}/sandbox/{path}"
        answer = (
            self.http.get(address, timeout=10)
            if body is None
            else self.http.post(address, json=body, timeout=10)
        )
        return answer.json()

    def _headers(self) -> dict[str, str]:
        return {"Authorization": f"Bearer {self.token}"}


def refused(answer: requests.Response) -> tuple[int, int | None]:
    """Code and subcode of an error answer."""
    error = answer.json()["error"]
    return error["code"], error.get("error_subcode")


class Receiver:
    """Takes signed webhooks and keeps what it was told. ``status`` is what it answers."""

    def __init__(self, verify_token: str, secret: str) -> None:
        self.posts: list[bytes] = []
        self.badly_signed = 0
        self.status = 200
        receiver = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self) -> None:
                query = parse_qs(urlsplit(self.path).query)
                right = query["hub.verify_token"] == [verify_token]
                self._answer(200 if right else 403, query["hub.challenge"][0].encode())

            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                expected = "sha256=" + hmac.new(secret.encode(), body, hashlib.sha256).hexdigest()
                receiver.badly_signed += self.headers["X-Hub-Signature-256"] != expected
                if receiver.status == 200:
                    receiver.posts.append(body)
                self._answer(receiver.status, b"ok")

            def _answer(self, status: int, body: bytes) -> None:
                self.send_response(status)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_: Any) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self._server.server_port}/webhook"
        threading.Thread(target=self._server.serve_forever, args=(0.01,), daemon=True).start()

    def events(self, key: str = "") -> list[dict[str, Any]]:
        """Every messaging event so far, in order of arrival; only those with ``key`` when given."""
        entries = [entry for post in self.posts for entry in json.loads(post)["entry"]]
        found = [event for entry in entries for event in entry.get("messaging", [])]
        return [event for event in found if not key or key in event]

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()


def until(condition: Any, seconds: float = 5.0) -> None:
    """Wait for something that happens on another thread."""
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "it did not happen in time"
        time.sleep(0.005)
