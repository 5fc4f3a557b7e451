"""One Page at the Graph API. Safe from any thread; knows no database and repeats nothing by itself."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from datetime import UTC
from typing import Any
from urllib.parse import urlencode

from broadcaster.clock import Clock
from broadcaster.errors import Unreachable
from broadcaster.graph.calls import (
    BATCH_LIMIT,
    SendRequest,
    batch_of,
    batch_outcomes,
    outcome_of,
    send_body,
)
from broadcaster.graph.errors import classify
from broadcaster.graph.outcomes import CallRefused, NotGraph, Outcome, Refusal, refusal_of
from broadcaster.graph.reading import (
    NEWEST,
    THREAD_FIELDS,
    Account,
    ConversationPage,
    ConversationRead,
    Profile,
    TokenFacts,
    profile_of,
    thread_page,
    token_facts,
)
from broadcaster.graph.usage import Usage, server_time, usage_of
from broadcaster.graph.wire import Lost, Reply, Surroundings, Wire
from broadcaster.states import Platform

WEBHOOK_FIELDS = (
    "messages",
    "message_echoes",
    "message_deliveries",
    "message_reads",
    "message_reactions",
    "messaging_postbacks",
    "messaging_referrals",
    "messaging_optins",
    "messaging_policy_enforcement",
    "message_template_status_update",
)
INSTAGRAM_WEBHOOK_FIELDS = (
    "messages",
    "messaging_seen",
    "message_reactions",
    "messaging_postbacks",
    "messaging_referrals",
    "messaging_optins",
)


class GraphClient:
    """Calls for one Page with its token. Sends return outcomes; other calls raise CallRefused, Unreachable.

    ``last_usage`` is the newest answer's (Meta leaves the headers out while little is used);
    ``skew_ms``, server's clock minus ours in ms, the newest that was told.
    """

    def __init__(
        self,
        base_url: str,
        version: str,
        *,
        token: str,
        page_graph_id: str,
        platform: str = Platform.MESSENGER,
        instagram_id: str | None = None,
        app_secret: str | None = None,
        timeout: float = 30.0,
        clock: Clock,
        surroundings: Surroundings | None = None,
    ) -> None:
        self.version = version
        self.page_graph_id = page_graph_id
        self.platform = platform
        self.last_usage = Usage()
        self.skew_ms: int | None = None
        self._token = token
        self._own_ids = frozenset({page_graph_id, instagram_id or page_graph_id})
        self._clock = clock
        self._wire = Wire(base_url, token, app_secret=app_secret, timeout=timeout, surroundings=surroundings)

    def close(self) -> None:
        """Close the kept connections."""
        self._wire.close()

    def send(
        self,
        psid: str,
        message: Mapping[str, Any],
        *,
        messaging_type: str,
        tag: str | None = None,
        metadata: str,
    ) -> Outcome:
        """Send one message to one person."""
        body = send_body(SendRequest(psid, message, messaging_type, tag, metadata), self.platform)
        return outcome_of(self._exchange("POST", f"{self.version}/{self.page_graph_id}/messages", json=body))

    def send_batch(self, requests: Sequence[SendRequest]) -> list[Outcome]:
        """Send up to 50 messages in one call; outcomes in the same order."""
        if not 0 < len(requests) <= BATCH_LIMIT:
            raise ValueError(f"a batch holds 1 to {BATCH_LIMIT} messages, not {len(requests)}")
        parts = batch_of(list(requests), self.platform, f"{self.version}/{self.page_graph_id}/messages")
        # a part of its own in a multipart form (as Meta's examples send it): nothing is encoded a second time
        reply = self._exchange("POST", "", form={"include_headers": "false"}, files={"batch": (None, parts)})
        return batch_outcomes(reply, len(requests))

    def conversation_messages(self, psid: str, limit: int = NEWEST) -> ConversationRead:
        """The newest messages of one person's conversation. Works while listing does not (2 calls/s)."""
        query = {"platform": self.platform, "user_id": psid, "fields": _thread_fields(limit)}
        page = thread_page(self._get(self._own("conversations"), query), self._own_ids)
        return next((one.read for one in page.conversations if one.psid == psid), ConversationRead(False))

    def conversations(self, after: str | None = None, limit: int = 50) -> ConversationPage:
        """A page of the list, most recently changed first. Fails above 40 messages/s on the Page."""
        query = {"platform": self.platform, "limit": str(limit), "fields": THREAD_FIELDS}
        if after:
            query["after"] = after
        return thread_page(self._get(self._own("conversations"), query), self._own_ids)

    def profile(self, psid: str) -> Profile:
        """A person's profile; CallRefused where they or the app's review do not allow it."""
        instagram = self.platform == Platform.INSTAGRAM
        fields = "name,username" if instagram else "first_name,last_name,name,locale,timezone"
        return profile_of(self._get(f"{self.version}/{psid}", {"fields": fields}))

    def me(self) -> dict[str, Any]:
        """Id and name of this Page: proves that the token opens it."""
        return self._get(f"{self.version}/{self.page_graph_id}", {"fields": "id,name"})

    def feature_status(self) -> dict[str, bool]:
        """Messaging features of the Page (``hop_v2``: conversation routing); empty where none are told."""
        try:
            body = self._get(f"{self.version}/{self.page_graph_id}", {"fields": "messaging_feature_status"})
        except (CallRefused, NotGraph):
            return {}
        status = body.get("messaging_feature_status")
        return {str(name): bool(on) for name, on in status.items()} if isinstance(status, dict) else {}

    def linked_instagram(self) -> str | None:
        """Id of the Instagram account behind the Page, which Instagram's own answers use; None if none is told."""
        try:
            body = self._get(f"{self.version}/{self.page_graph_id}", {"fields": "instagram_business_account"})
        except (CallRefused, NotGraph):
            return None
        account = body.get("instagram_business_account")
        return str(account["id"]) if isinstance(account, dict) and account.get("id") else None

    def debug_token(self) -> TokenFacts:
        """What the token is good for. Asked inside a batch: in a plain call it would stand in the URL."""
        path = f"{self.version}/debug_token?{urlencode({'input_token': self._token})}"
        form = {"batch": json.dumps([{"method": "GET", "relative_url": path}]), "include_headers": "false"}
        parts = self._checked(self._exchange("POST", "", form=form))
        part = parts[0] if isinstance(parts, list) and parts and isinstance(parts[0], dict) else {}
        try:
            body = json.loads(part.get("body") or "")
        except ValueError:
            body = None
        refusal = refusal_of(body, int(part.get("code") or 0))
        if refusal is not None:
            raise _refused(refusal)
        data = body.get("data") if isinstance(body, dict) else None
        return token_facts(data if isinstance(data, dict) else {})

    def accounts(self) -> list[Account]:
        """The Pages behind a user token, each with its own Page token."""
        found: list[Account] = []
        query = {"fields": "id,name,tasks,access_token", "limit": "100"}
        while True:
            body = self._get(f"{self.version}/me/accounts", query)
            found += [
                Account(str(row["id"]), str(row["name"]), tuple(row.get("tasks") or ()), row["access_token"])
                for row in body.get("data", [])
                if row.get("access_token")
            ]
            paging = body.get("paging") or {}
            if not paging.get("next"):
                return found
            query = {**query, "after": str(paging["cursors"]["after"])}

    def subscribe(self, fields: Sequence[str] | None = None) -> None:
        """Let the app receive this Page's webhooks."""
        standard = INSTAGRAM_WEBHOOK_FIELDS if self.platform == Platform.INSTAGRAM else WEBHOOK_FIELDS
        self.post(self._own("subscribed_apps"), {"subscribed_fields": ",".join(fields or standard)})

    def unsubscribe(self) -> None:
        self._checked(self._exchange("DELETE", self._own("subscribed_apps")))

    def subscribed_fields(self) -> dict[str, tuple[str, ...]]:
        """App id → fields, of every app that receives this Page's webhooks."""
        rows = self._get(self._own("subscribed_apps")).get("data", [])
        return {str(row.get("id")): tuple(row.get("subscribed_fields") or ()) for row in rows}

    def get(self, edge: str, query: Mapping[str, str] | None = None) -> dict[str, Any]:
        """GET an edge of the Page (``message_templates``)."""
        return self._get(self._own(edge), query)

    def post(
        self, path: str, form: Mapping[str, str], files: Mapping[str, Any] | None = None
    ) -> dict[str, Any]:
        body = self._checked(self._exchange("POST", path, form=form, files=files))
        return body if isinstance(body, dict) else {}

    def post_edge(
        self, edge: str, form: Mapping[str, str], files: Mapping[str, Any] | None = None
    ) -> dict[str, Any]:
        """POST to an edge of the Page, form-encoded, or multipart with files."""
        return self.post(self._own(edge), form, files)

    def delete_edge(self, edge: str, query: Mapping[str, str]) -> None:
        self._checked(self._exchange("DELETE", self._own(edge), query=query))

    def get_root(self, path: str, query: Mapping[str, str]) -> dict[str, Any]:
        """GET a path that does not belong to the Page (``message_template_library``)."""
        return self._get(f"{self.version}/{path}", query)

    def _own(self, edge: str) -> str:
        return f"{self.version}/{self.page_graph_id}/{edge}"

    def _get(self, path: str, query: Mapping[str, str] | None = None) -> dict[str, Any]:
        body = self._checked(self._exchange("GET", path, query=query))
        return body if isinstance(body, dict) else {}

    def _exchange(self, method: str, path: str, **given: Any) -> Reply | Lost:
        reply = self._wire.call(method, path, **given)
        if isinstance(reply, Reply):
            self._note(reply.headers)
        return reply

    def _note(self, headers: Mapping[str, str]) -> None:
        self.last_usage = usage_of(headers) or Usage()
        there = server_time(headers)
        if there is not None:
            # the header has whole seconds, cut off: half a second is the fairest guess of the rest
            offset = there.astimezone(UTC) - self._clock.now()
            self.skew_ms = round(offset.total_seconds() * 1000) + 500

    def _checked(self, reply: Reply | Lost) -> Any:
        """The body of a good answer. Raises CallRefused, or Unreachable when nobody sensible answered."""
        if isinstance(reply, Lost):
            raise Unreachable(
                f"The Graph API at {self._wire.base_url} does not answer: {reply.cause}.",
                "Check the address, the network and the proxy settings, then try again.",
            )
        refusal = refusal_of(reply.body, reply.status)
        if refusal is not None:
            raise _refused(refusal)
        if not 200 <= reply.status < 300 or reply.body is None:
            raise NotGraph(self._wire.base_url, reply.status)
        return reply.body


def _thread_fields(limit: int) -> str:
    return THREAD_FIELDS.replace(f"limit({NEWEST})", f"limit({min(limit, NEWEST)})")


def _refused(refusal: Refusal) -> CallRefused:
    found = classify(refusal)
    number = f"{refusal.code}/{refusal.subcode}" if refusal.subcode else f"{refusal.code}"
    return CallRefused(refusal, f"{found.title} (error {number}): {refusal.text or found.text}", found.advice)
