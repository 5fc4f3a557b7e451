"""Graph batches: up to 50 calls in one, answered in order, null for parts that did not complete (section 4)."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qsl

from broadcaster.sandbox.graph import Call, without_version
from broadcaster.sandbox.refusals import refusal

MOST = 50
_INHERITED = ("access_token", "appsecret_proof")


@dataclass(slots=True)
class Answer:
    """What goes back for one call: ``body`` is JSON, or text where the platform broke down."""

    status: int
    body: dict[str, Any] | list[Any] | str
    headers: dict[str, str]

    def text(self) -> str:
        return self.body if isinstance(self.body, str) else json.dumps(self.body, separators=(",", ":"))


def parts_of(params: dict[str, Any], address: str) -> list[tuple[dict[str, Any], Call]]:
    """The calls of a batch beside their descriptions; refuses a batch that cannot be read or is too large."""
    given = params.get("batch")
    try:
        rows = json.loads(given) if isinstance(given, str) else given
    except ValueError:
        raise refusal("batch_unreadable", what="batch must be valid JSON") from None
    if not isinstance(rows, list) or not rows or not all(isinstance(row, dict) for row in rows):
        raise refusal("batch_unreadable", what="batch must be a list of calls")
    if len(rows) > MOST:
        raise refusal("batch_too_large", limit=MOST)
    inherited: dict[str, Any] = {name: params[name] for name in _INHERITED if name in params}
    return [(row, _call(row, inherited, address)) for row in rows]


async def answer_batch(
    parts: list[tuple[dict[str, Any], Call]],
    answer: Callable[[Call], Awaitable[Answer | None]],
    *,
    include_headers: bool,
) -> list[dict[str, Any] | None]:
    """Every part answered in order; a part that was told to be silent on success is null then."""
    rows: list[dict[str, Any] | None] = []
    for description, call in parts:
        given = await answer(call)
        silent = description.get("omit_response_on_success") and given is not None and given.status == 200
        rows.append(None if given is None or silent else _row(given, include_headers))
    return rows


def _row(given: Answer, include_headers: bool) -> dict[str, Any]:
    row: dict[str, Any] = {"code": given.status}
    if include_headers:
        headers = {"Content-Type": "text/javascript; charset=UTF-8"} | given.headers
        row["headers"] = [{"name": name, "value": value} for name, value in headers.items()]
    row["body"] = given.text()
    return row


def _call(row: dict[str, Any], inherited: dict[str, Any], address: str) -> Call:
    path, _, query = str(row.get("relative_url", "")).partition("?")
    params = dict(inherited)
    if query:
        params.update(parse_qsl(query, keep_blank_values=True))
    body = row.get("body")
    if isinstance(body, str) and body:
        params.update(parse_qsl(body, keep_blank_values=True))
    path = without_version(path)
    return Call(str(row.get("method", "GET")).upper(), path, params, f"{address}/{path}", "batch")
