"""The control API under ``/sandbox/``: what a test in another process needs to look at and change the world.

GET state, ledger, ledger/summary, people, people/<psid>, faults, contacts.csv.
POST clock, faults, people/<psid>/<act>, people, webhooks, webhooks/flush, settle, page, token, policy, templates/review.
DELETE faults. ``?page=ID`` (or ``page`` in the body) chooses another Page than the first.
"""

# ruff: noqa: ARG002 (every POST is answered by one signature)

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import asdict, fields
from datetime import datetime, timedelta
from typing import Any

from aiohttp import web

from broadcaster.sandbox import acts
from broadcaster.sandbox.clock import from_ms
from broadcaster.sandbox.dispatch import DeliveryMode, Dispatcher
from broadcaster.sandbox.export import contacts_csv
from broadcaster.sandbox.faults import Fault, Faults
from broadcaster.sandbox.front import read_params
from broadcaster.sandbox.people import Behaviour, Person
from broadcaster.sandbox.refusals import Refusal
from broadcaster.sandbox.world import Page, World

_Answer = dict[str, Any]


class Control:
    def __init__(
        self, world: World, faults: Faults, dispatcher: Dispatcher, first: Page, behaviour: Behaviour
    ) -> None:
        self._world = world
        self._faults = faults
        self._dispatcher = dispatcher
        self._first = first
        self._behaviour = behaviour
        self._posts: dict[str, Callable[[Page, _Answer], Awaitable[_Answer]]] = {
            "clock": self._clock,
            "faults": self._order,
            "people": self._newcomer,
            "webhooks": self._webhooks,
            "webhooks/flush": self._flush,
            "settle": self._settle,
            "page": self._change_page,
            "pages": self._add_page,
            "token": self._token,
            "policy": self._policy,
            "templates/review": self._review,
        }

    async def handle(self, request: web.BaseRequest) -> web.StreamResponse:
        path = request.path.removeprefix("/sandbox/").strip("/")
        try:
            params = await read_params(request)
            page = self._page(params)
            if path == "contacts.csv":
                return web.Response(text=contacts_csv(page), content_type="text/csv", charset="utf-8")
            return web.json_response(await self._answer(request.method, path, page, params))
        except KeyError as error:
            return web.json_response({"error": f"nothing here by the name {error}"}, status=404)
        except (ValueError, TypeError, Refusal) as error:
            return web.json_response({"error": str(error)}, status=400)

    async def _answer(self, method: str, path: str, page: Page, params: _Answer) -> _Answer:
        head, _, rest = path.partition("/")
        if method == "POST" and path in self._posts:
            return await self._posts[path](page, params)
        if method == "POST" and head == "people" and "/" in rest:
            psid, _, act = rest.partition("/")
            return self._act(page, page.people[psid], act, params)
        if method == "DELETE" and path == "faults":
            self._faults.clear()
            return {"faults": []}
        if method == "GET":
            return self._look(path, head, rest, page, params)
        raise KeyError(path)

    def _look(self, path: str, head: str, rest: str, page: Page, params: _Answer) -> _Answer:
        match path:
            case "state":
                return self._state(page)
            case "ledger/summary":
                return self._summary(page)
            case "ledger":
                start, limit = int(params.get("offset", 0)), int(params.get("limit", 1000))
                rows = page.ledger.entries[start : start + limit]
                return {"total": len(page.ledger), "data": [row.as_json() for row in rows]}
            case "ledger/duplicates":
                return {"data": [row.as_json() for row in page.ledger.repeated()]}
            case "faults":
                return {"faults": [fault.as_json() for fault in self._faults.orders]}
            case "people":
                start, limit = int(params.get("offset", 0)), int(params.get("limit", 100))
                some = range(start, min(start + limit, len(page.people)))
                return {
                    "total": len(page.people),
                    "data": [_person_json(page.people.at(index)) for index in some],
                }
        if head == "people" and rest:
            return _person_json(page.people[rest])
        raise KeyError(path)

    def _page(self, params: _Answer) -> Page:
        wanted = str(params.pop("page", "") or "")
        return self._world.pages[wanted] if wanted else self._first

    def _state(self, page: Page) -> _Answer:
        return {
            "now": _iso(self._world.clock.ms()),
            "frozen": self._world.clock.frozen,
            "page_id": page.id,
            "page_name": page.name,
            "platform": page.platform,
            "pages": list(self._world.pages),
            "contacts": len(page.people),
            "restricted": page.restricted,
            "subscribed": sorted(page.subscribed),
            "features": sorted(page.features),
            "planned": len(self._world.agenda),
            "webhooks": {
                "url": self._dispatcher.callback_url,
                "disabled": self._dispatcher.disabled,
                "waiting": self._dispatcher.waiting(),
                "mode": asdict(self._dispatcher.mode),
                "counts": self._dispatcher.counts,
            },
            "limits": {"enforced": page.limits.enforced, "per_second": page.limits.per_second},
        }

    def _summary(self, page: Page) -> _Answer:
        peaks = {name: meter.peak for name, meter in page.limits.meters.items()}
        return page.ledger.summary() | {"peak_per_second": peaks}

    async def _clock(self, page: Page, params: _Answer) -> _Answer:
        clock = self._world.clock
        if "now" in params:
            clock.set(datetime.fromisoformat(params["now"]))
        if "move_seconds" in params:
            clock.move(timedelta(seconds=float(params["move_seconds"])))
        if params.get("frozen") is True:
            clock.freeze()
        if params.get("frozen") is False:
            clock.resume()
        return {"now": _iso(clock.ms()), "frozen": clock.frozen}

    async def _order(self, page: Page, params: _Answer) -> _Answer:
        return self._faults.order(Fault.from_json(params)).as_json()

    async def _newcomer(self, page: Page, params: _Answer) -> _Answer:
        return _person_json(page.people.add())

    async def _webhooks(self, page: Page, params: _Answer) -> _Answer:
        known = {part.name for part in fields(DeliveryMode)}
        url = params.pop("url", None)
        handshake = params.pop("handshake", True)
        if unknown := set(params) - known:
            raise ValueError(
                f"a delivery mode has no {sorted(unknown)[0]}; it has {', '.join(sorted(known))}"
            )
        for name, value in params.items():
            setattr(self._dispatcher.mode, name, tuple(value) if name in {"delay", "only"} else value)
        if url and handshake:
            await self._dispatcher.subscribe(str(url))
        elif url is not None:
            self._dispatcher.use(str(url))
        return {"url": self._dispatcher.callback_url, "mode": asdict(self._dispatcher.mode)}

    async def _flush(self, page: Page, params: _Answer) -> _Answer:
        return {"delivered": await self._dispatcher.flush(float(params.get("timeout", 10)))}

    async def _settle(self, page: Page, params: _Answer) -> _Answer:
        happened = self._world.agenda.run_all()
        return {"happened": happened} | await self._flush(page, params)

    async def _change_page(self, page: Page, params: _Answer) -> _Answer:
        for name in ("restricted", "news", "ad_window_hours", "controlled_by", "reading_lag_seconds"):
            if name in params:
                setattr(page, name, params[name])
        if "features" in params:
            page.features = set(params["features"])
        limits = params.get("limits") or {}
        page.limits.enforced = limits.get("enforced", page.limits.enforced)
        page.limits.per_second |= limits.get("per_second", {})
        page.limits.regain_minutes = limits.get("regain_minutes", page.limits.regain_minutes)
        for name, usage in (("app_usage", page.limits.app_usage), ("page_usage", page.limits.page_usage)):
            for figure, value in (params.get(name) or {}).items():
                setattr(usage, figure, int(value))
        return self._state(page)

    async def _add_page(self, page: Page, params: _Answer) -> _Answer:
        added = self._world.add_page(
            int(params.get("contacts", 200)),
            "instagram" if params.get("platform") == "instagram" else "messenger",
            self._behaviour,
            params.get("page_id"),
            params.get("page_name"),
        )
        return {"page_id": added.id, "page_name": added.name, "page_token": self._world.page_token(added.id)}

    async def _token(self, page: Page, params: _Answer) -> _Answer:
        if params.get("renew"):
            return {"page_token": self._world.renew(page.id)}
        self._world.revoke(page.id, str(params.get("reason") or "token_revoked"))
        return {"revoked": True}

    async def _policy(self, page: Page, params: _Answer) -> _Answer:
        acts.enforce_policy(page, str(params["action"]), str(params.get("reason", "")))
        return {"restricted": page.restricted}

    async def _review(self, page: Page, params: _Answer) -> _Answer:
        template = page.templates.rows[str(params["name"]), str(params["language"])]
        page.templates.review(template, str(params.get("status", "")), str(params.get("reason", "")))
        return template.as_json()

    def _act(self, page: Page, person: Person, act: str, params: _Answer) -> _Answer:
        answer: _Answer = {}
        match act:
            case "write":
                answer["mid"] = acts.write(page, person, str(params.pop("text", "Hello")), **params)
            case "answer":
                answer["mid"] = acts.answer_by_hand(
                    page, person, str(params.get("text", "Hello from the Page"))
                )
            case "stop":
                acts.stop(page, person)
            case "postback":
                acts.postback(page, person, **params)
            case "referral":
                acts.refer(page, person, **params)
            case "react":
                acts.react(page, person, **params)
            case "optin":
                acts.opt_in(page, person, **params)
            case "comment":
                answer["comment_id"] = acts.comment(page, person)
            case "block":
                acts.block(page, person)
            case "unblock":
                acts.unblock(person)
            case "vanish":
                acts.vanish(person)
            case "change":
                for name, value in params.items():
                    if not hasattr(person, name) or name in {"psid", "index"}:
                        raise ValueError(f"a person has no {name} that could be changed")
                    setattr(person, name, value)
            case _:
                raise KeyError(act)
        return _person_json(person) | answer


def _person_json(person: Person) -> _Answer:
    row = asdict(person)
    row["last_interaction_at"] = _iso(person.last_interaction_ms)
    row["name"] = person.name
    return row


def _iso(milliseconds: int) -> str | None:
    return from_ms(milliseconds).isoformat().replace("+00:00", "Z") if milliseconds else None
