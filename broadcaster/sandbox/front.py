"""The HTTP face of the Graph API: reads requests, meets faults, answers with usage headers and the world's date."""

from __future__ import annotations

import asyncio
import json
import logging
from collections.abc import Callable
from email.utils import format_datetime
from typing import Any

from aiohttp import web

from broadcaster.sandbox.batch import Answer, answer_batch, parts_of
from broadcaster.sandbox.dispatch import Dispatcher
from broadcaster.sandbox.faults import Fault, Faults, Target
from broadcaster.sandbox.graph import Call, answer, owner, without_version
from broadcaster.sandbox.identity import check_token
from broadcaster.sandbox.refusals import Refusal, refusal, refusal_for
from broadcaster.sandbox.shapes import object_in
from broadcaster.sandbox.world import World

_BROKEN = (
    "<!DOCTYPE html><html><head><title>Error</title></head><body>Sorry, something went wrong.</body></html>"
)
_LIMITS = {80006: "messenger_limit", 4: "app_limit", 32: "page_limit"}
_log = logging.getLogger(__name__)


class ConnectionLost(Exception):
    """Ordered: the caller gets no answer at all."""


class GraphFront:
    """Answers everything outside ``/sandbox/``. ``address`` is the server's own URL, for paging links."""

    def __init__(self, world: World, faults: Faults, dispatcher: Dispatcher) -> None:
        self._world = world
        self._faults = faults
        self._dispatcher = dispatcher
        self._date = (0, "")
        self.address = ""

    async def handle(self, request: web.BaseRequest) -> web.StreamResponse:
        try:
            given = await self._answer(request)
        except Refusal as no:
            given = self._refused(no, None)
        except ConnectionLost:
            if request.transport is not None:
                request.transport.abort()
            return web.Response(status=500)
        except Exception:
            _log.exception("the sandbox failed on a %s request", request.method)
            given = self._refused(refusal("unknown_error"), None)
        return self._response(given)

    async def _answer(self, request: web.BaseRequest) -> Answer:
        path = without_version(request.path)
        params = await read_params(request)
        if not path and request.method == "POST" and "batch" in params:
            return await self._batch(params)
        call = Call(request.method, path, params, f"{self.address}{request.path}")
        target = _target(path)
        fault = self._meet(target, call)
        if fault is None and target == "message":
            fault = self._meet("call", call)
        if fault is None and target != "any":
            fault = self._meet("any", call)
        given = await self._with(fault, call, lambda: self._plain(call))
        if given is None:
            raise ConnectionLost
        await self._dispatcher.send_urgent()
        return given

    async def _batch(self, params: dict[str, Any]) -> Answer:
        check_token(
            self._world, str(params.get("access_token") or ""), str(params.get("appsecret_proof") or "")
        )
        parts = parts_of(params, self.address)
        whole = self._meet("batch", None) or self._meet("call", None) or self._meet("any", None)
        headers = str(params.get("include_headers", "true")).lower() != "false"
        if whole is None:
            rows = await answer_batch(parts, self._part, include_headers=headers)
            await self._dispatcher.send_urgent()
            return Answer(200, rows, self._usage(parts[0][1]))
        return await self._broken_batch(whole, parts, headers)

    async def _broken_batch(
        self, fault: Fault, parts: list[tuple[dict[str, Any], Call]], headers: bool
    ) -> Answer:
        """The batch as a whole goes wrong, before or after its parts were done."""
        if fault.kind == "slow" and not fault.accepted:
            await asyncio.sleep(fault.seconds)
        rows: list[dict[str, Any] | None] = [None] * len(parts)
        if fault.accepted or fault.kind in {"slow", "invalid_json"}:
            rows = await answer_batch(parts, self._part, include_headers=headers)
            await self._dispatcher.send_urgent()
        match fault.kind:
            case "slow":
                if fault.accepted:
                    await asyncio.sleep(fault.seconds)
                return Answer(200, rows, {})
            case "drop":
                raise ConnectionLost
            case "null":
                return Answer(200, [None] * len(parts), {})
            case "http_error":
                return Answer(fault.status, _BROKEN, {})
        return self._refused(self._ordered(fault, parts[0][1]), parts[0][1])

    async def _part(self, call: Call) -> Answer | None:
        fault = self._meet(_target(call.path), call) if self._faults else None
        if fault is None:
            return self._plain(call)
        return await self._with(fault, call, lambda: self._plain(call))

    def _plain(self, call: Call) -> Answer:
        try:
            body = answer(self._world, call)
        except Refusal as no:
            return self._refused(no, call)
        except Exception:
            _log.exception("the sandbox failed on %s %s", call.method, call.path)
            return self._refused(refusal("unknown_error"), call)
        return Answer(200, body, self._usage(call))

    async def _with(self, fault: Fault | None, call: Call, run: Callable[[], Answer]) -> Answer | None:
        """The call under a fault; None where no answer comes back (connection lost, null part)."""
        if fault is None:
            return run()
        if fault.kind == "slow":
            if not fault.accepted:
                await asyncio.sleep(fault.seconds)
            given = run()
            if fault.accepted:
                await asyncio.sleep(fault.seconds)
            return given
        if fault.accepted or fault.kind == "invalid_json":
            run()
            await self._dispatcher.send_urgent()
        if fault.kind in {"drop", "null"}:
            return None
        if fault.kind == "http_error":
            return Answer(fault.status, _BROKEN, {})
        no = self._ordered(fault, call)
        page = owner(self._world, call)
        if page is not None and _target(call.path) == "message":
            page.ledger.refuse(no.code, no.subcode)
        return self._refused(no, call)

    def _ordered(self, fault: Fault, call: Call) -> Refusal:
        if fault.kind == "invalid_json":
            return refusal("invalid_json_reply")
        if fault.kind != "limit":
            return refusal_for(fault.code, fault.subcode)
        page = owner(self._world, call)
        name = _LIMITS.get(fault.code, "call_limit")
        return page.limits.limited(name, fault.minutes) if page is not None else refusal(name)

    def _meet(self, target: Target, call: Call | None) -> Fault | None:
        if not self._faults:
            return None
        return self._faults.meet(target, _person_of(call) if call is not None else "")

    def _refused(self, no: Refusal, call: Call | None) -> Answer:
        return Answer(no.status, no.body(self._world.trace()), self._usage(call) if call else {})

    def _usage(self, call: Call) -> dict[str, str]:
        page = owner(self._world, call)
        return page.limits.headers() if page is not None else {}

    def _response(self, given: Answer) -> web.Response:
        second = self._world.clock.ms() // 1000
        if second != self._date[0]:
            self._date = (second, format_datetime(self._world.clock.now(), usegmt=True))
        headers = {"Date": self._date[1], "facebook-api-version": "v26.0"} | given.headers
        kind = "text/html" if isinstance(given.body, str) else "application/json"
        return web.Response(status=given.status, text=given.text(), content_type=kind, headers=headers)


async def read_params(request: web.BaseRequest) -> dict[str, Any]:
    """Query and body as one mapping; JSON, form or multipart. A file becomes its size and type only."""
    params: dict[str, Any] = dict(request.rel_url.query) if request.query_string else {}
    if request.method in {"POST", "DELETE", "PUT"} and request.body_exists:
        kind = request.content_type
        if kind == "application/json":
            params.update(_json_object(await request.read()))
        elif kind in {"application/x-www-form-urlencoded", "multipart/form-data"}:
            for name, value in (await request.post()).items():
                if isinstance(value, web.FileField):
                    params[f"{name}.size"] = len(value.file.read())
                    params[f"{name}.type"] = value.content_type
                else:
                    params[name] = value
    authorization = request.headers.get("Authorization", "")
    if authorization.startswith(("Bearer ", "OAuth ")):
        params.setdefault("access_token", authorization.split(" ", 1)[1].strip())
    return params


def _json_object(body: bytes) -> dict[str, Any]:
    try:
        value = json.loads(body) if body else {}
    except ValueError:
        raise refusal("bad_parameter", what="the body is not valid JSON") from None
    if not isinstance(value, dict):
        raise refusal("bad_parameter", what="the body must be a JSON object")
    return value


def _target(path: str) -> Target:
    edge = path.rpartition("/")[2]
    if edge == "messages":
        return "message"
    if edge == "conversations" or path.startswith("t_"):
        return "conversations"
    return "profile" if edge.isdecimal() else "any"


def _person_of(call: Call) -> str:
    try:
        recipient = object_in(call.params, "recipient")
    except Refusal:
        return ""
    return str(recipient.get("id") or call.params.get("user_id") or call.path.rpartition("/")[2])
