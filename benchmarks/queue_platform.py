"""A local platform that costs next to nothing: takes sends and Graph batches, remembers whom it reached and when.

    python -m benchmarks.queue_platform [milliseconds of work per call]

Runs in a process of its own and prints its port. The simulated Page of the product checks what Meta checks and
costs more than the senders that are compared here; this one only parses, notes and answers. It answers the
reading of one conversation too, so that doubts can be settled. ``GET /report`` tells what it counted,
``GET /first_after?INSTANT`` when the next one came, ``GET /seen?NUMBER`` what came after so many.
"""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any
from urllib.parse import parse_qs, parse_qsl, urlsplit
from urllib.request import urlopen


class Reached:
    """Who was reached, in order, with the instant of arrival by the platform's own clock."""

    def __init__(self) -> None:
        self.seen: list[tuple[float, str, str, str]] = []
        self.calls = 0

    def note(self, psid: str, message: dict[str, Any]) -> dict[str, str]:
        self.seen.append((time.time(), psid, message.get("text", ""), message.get("metadata", "")))
        return {"recipient_id": psid, "message_id": f"m_{len(self.seen)}"}

    def report(self) -> dict[str, float]:
        instants = [at for at, *_ in self.seen]
        people = Counter(psid for _, psid, *_ in self.seen)
        return {
            "accepted": len(instants),
            "people": len(people),
            "duplicates": len(instants) - len(people),
            "calls": self.calls,
            "seconds": instants[-1] - instants[0] if instants else 0.0,
            "most_in_a_second": most_within(instants, 1.0),
            "first_at": instants[0] if instants else 0.0,
            "last_at": instants[-1] if instants else 0.0,
        }

    def conversation(self, psid: str, page: str) -> dict[str, Any]:
        """What the person wrote an hour ago, and what reached them since; newest first."""
        sent = [
            _message(f"m_{number}", at, page, text)
            for number, (at, who, text, _) in enumerate(self.seen, 1)
            if who == psid
        ]
        messages = [*sent[::-1], _message("m_0", time.time() - 3600, psid, "Hello!")]
        people = {"data": [{"id": psid}, {"id": page}]}
        row = {"id": f"t_{psid}", "updated_time": messages[0]["created_time"], "participants": people}
        return {"data": [{**row, "message_count": len(messages), "messages": {"data": messages}}]}


def _message(number: str, at: float, sender: str, text: str) -> dict[str, Any]:
    instant = datetime.fromtimestamp(at, UTC).strftime("%Y-%m-%dT%H:%M:%S+0000")
    return {"id": number, "created_time": instant, "from": {"id": sender}, "message": text}


def most_within(instants: list[float], seconds: float) -> int:
    """The most events in any window of this length."""
    most = first = 0
    for last, at in enumerate(instants):
        while instants[first] <= at - seconds:
            first += 1
        most = max(most, last - first + 1)
    return most


class Front(asyncio.Protocol):
    def __init__(self, reached: Reached, work: float) -> None:
        self._reached = reached
        self._work = work
        self._held = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        self._held += data
        while (end := self._held.find(b"\r\n\r\n")) >= 0:
            head = self._held[:end].decode("latin-1")
            length = next(
                (int(line[15:]) for line in head.split("\r\n") if line.lower().startswith("content-length:")),
                0,
            )
            if len(self._held) < end + 4 + length:
                return
            body = self._held[end + 4 : end + 4 + length]
            self._held = self._held[end + 4 + length :]
            answer = json.dumps(self._answer(head, body)).encode()
            text = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n%s"
            asyncio.get_running_loop().call_later(self._work, self._send, text % (len(answer), answer))

    def _send(self, answer: bytes) -> None:
        if not self._transport.is_closing():
            self._transport.write(answer)

    def _answer(self, head: str, body: bytes) -> Any:
        target = head.split(" ", 2)[1]
        where = urlsplit(target)
        if where.path == "/report":
            return self._reached.report()
        if where.path == "/seen":
            return self._reached.seen[int(where.query) :]
        if where.path == "/first_after":
            after = float(where.query)
            return {"at": next((at for at, *_ in self._reached.seen if at > after), None)}
        if where.path.endswith("/conversations"):
            page = where.path.split("/")[-2]
            return self._reached.conversation(parse_qs(where.query)["user_id"][0], page)
        self._reached.calls += 1
        if where.path.endswith("/messages"):
            given = json.loads(body) if body[:1] == b"{" else _form(body.decode())
            return self._take(given)
        parts = json.loads(_batch(body))
        return [{"code": 200, "body": json.dumps(self._take(_form(part["body"])))} for part in parts]

    def _take(self, given: dict[str, Any]) -> dict[str, str]:
        return self._reached.note(given["recipient"]["id"], given["message"])


def _batch(body: bytes) -> bytes | str:
    """The batch of a form: ours comes as a part of a multipart form, the official SDK's URL-encoded."""
    if body[:2] != b"--":
        return dict(parse_qsl(body.decode()))["batch"]
    start = body.index(b"\r\n\r\n", body.index(b'name="batch"')) + 4
    return body[start : body.index(b"\r\n--", start)]


def _form(text: str) -> dict[str, Any]:
    return {name: json.loads(value) if value[:1] in "{[" else value for name, value in parse_qsl(text)}


@contextmanager
def running(milliseconds: float = 0.0) -> Iterator[str]:
    """The platform in a process of its own; yields its address."""
    process = subprocess.Popen(
        [sys.executable, "-m", "benchmarks.queue_platform", str(milliseconds)],
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    try:
        yield f"http://127.0.0.1:{int(process.stdout.readline())}"
    finally:
        process.kill()
        process.wait()


def ask(url: str, what: str) -> dict[str, Any]:
    with urlopen(f"{url}/{what}") as answer:
        found: dict[str, Any] = json.load(answer)
    return found


async def _serve(work: float) -> None:
    reached = Reached()
    server = await asyncio.get_running_loop().create_server(
        lambda: Front(reached, work), "127.0.0.1", 0, backlog=1024
    )
    print(server.sockets[0].getsockname()[1], flush=True)
    await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(_serve(float(sys.argv[1]) / 1000 if len(sys.argv) > 1 else 0.0))
