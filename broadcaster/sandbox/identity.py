"""Who calls: tokens on every call, debug_token, me, me/accounts, the profile of a person."""

from __future__ import annotations

import hmac
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from broadcaster.sandbox.clock import from_ms
from broadcaster.sandbox.fields import parse_fields
from broadcaster.sandbox.people import Person
from broadcaster.sandbox.refusals import Refusal, refusal
from broadcaster.sandbox.shapes import number_in
from broadcaster.sandbox.world import Page, Token, World

_TASKS = ["ADVERTISE", "ANALYZE", "CREATE_CONTENT", "MESSAGING", "MODERATE", "MANAGE"]


def check_token(world: World, text: str, proof: str = "") -> Token:
    """The living token of a call; refused with 2500, 190 or 104."""
    if not text:
        raise refusal("no_token")
    if hmac.compare_digest(text.encode(), world.app_token().encode()):
        return Token(text, "app", 0)
    token = world.tokens.get(text)
    if token is None:
        raise refusal("bad_token")
    if reason := _dead(world, token):
        raise refusal(reason)
    if proof and not hmac.compare_digest(proof.encode(), world.proof(text).encode()):
        raise refusal("bad_proof")
    return token


def debug_token(world: World, caller: Token, inspected: str) -> dict[str, Any]:
    """GET /debug_token with the app's token, or with the inspected token itself (section 8)."""
    if caller.holder not in {"app", "user"} and caller.text != inspected:
        raise refusal("no_permission")
    token = world.tokens.get(inspected)
    if token is None:
        no = refusal("bad_token")
        error = {"code": no.code, "message": no.message}
        return {"data": {"error": error, "is_valid": False, "scopes": []}}
    data: dict[str, Any] = {
        "app_id": world.app_id,
        "type": "USER" if token.holder == "user" else "PAGE",
        "application": world.app_name,
        "data_access_expires_at": (token.issued_ms + 90 * 86_400_000) // 1000,
        "expires_at": token.expires_ms // 1000,
        "is_valid": True,
        "issued_at": token.issued_ms // 1000,
        "scopes": list(token.scopes),
        "granular_scopes": [{"scope": scope, "target_ids": list(world.pages)} for scope in token.scopes],
        "user_id": world.user_id,
    }
    if token.holder != "user":
        data["profile_id"] = token.holder
    if reason := _dead(world, token):
        dead = refusal(reason)
        data |= {
            "is_valid": False,
            "error": {"code": dead.code, "message": dead.message, "subcode": dead.subcode},
        }
    return {"data": data}


def accounts(world: World, caller: Token, params: dict[str, Any], address: str) -> dict[str, Any]:
    """GET /me/accounts with a user token: every Page with its own token, 25 at a time unless said."""
    if caller.holder != "user":
        raise refusal("unknown_field", field="accounts")
    rows = [
        {
            "access_token": world.page_token(page.id),
            "category": "Local service",
            "category_list": [{"id": "2500", "name": "Local service"}],
            "name": page.name,
            "id": page.id,
            "tasks": _TASKS,
        }
        for page in world.pages.values()
    ]
    start, limit = number_in(params, "after", 0), max(1, number_in(params, "limit", 25))
    paging: dict[str, Any] = {"cursors": {"before": str(start), "after": str(start + limit)}}
    if start + limit < len(rows):
        paging["next"] = f"{address}?limit={limit}&after={start + limit}"
    return {"data": rows[start : start + limit], "paging": paging}


def page_json(page: Page, params: dict[str, Any]) -> dict[str, Any]:
    """GET /<page>?fields=…: id and name unless asked for more."""
    known: dict[str, Any] = {
        "id": page.id,
        "name": page.name,
        "category": "Local service",
        "link": f"https://www.facebook.com/{page.id}",
        "username": page.name if page.instagram else "",
        "tasks": _TASKS,
        "messaging_feature_status": {"hop_v2": True, "msgr_multi_app": True, "ig_multi_app": page.instagram},
    }
    wanted = parse_fields(str(params.get("fields") or "id,name"))
    for name in wanted:
        if name not in known:
            raise refusal("unknown_field", field=name)
    return {name: known[name] for name in [*wanted, "id"] if known[name] != ""}


def user_json(world: World) -> dict[str, Any]:
    return {"name": "Practice User", "id": world.user_id}


def profile(page: Page, person: Person, params: dict[str, Any]) -> dict[str, Any]:
    """GET /<psid>: the fields the person lets the Page see; some people have no profile (section 7)."""
    if person.no_profile:
        raise refusal("profile_phone" if person.no_profile == "phone" else "profile_not_permitted")
    if "business_asset_user_profile_access" not in page.features:
        raise Refusal(2018247, "Insufficient permission to access user profile.")
    if not person.name:
        return {"id": person.psid}
    zone = ZoneInfo(person.timezone)
    known: dict[str, Any] = {
        "id": person.psid,
        "first_name": person.first_name,
        "last_name": person.last_name,
        "name": person.name,
        "profile_pic": f"https://cdn.sandbox.example/{person.psid}.jpg",
        "locale": person.locale,
        "timezone": _offset(zone, from_ms(page.world.clock.ms())),
        "gender": person.gender,
        "username": person.name.lower().replace(" ", "."),
    }
    names = str(params.get("fields") or "first_name,last_name,profile_pic,id").split(",")
    return {name.strip(): known[name.strip()] for name in [*names, "id"] if name.strip() in known}


def _offset(zone: ZoneInfo, now: datetime) -> float:
    offset = now.astimezone(zone).utcoffset()
    return offset.total_seconds() / 3600 if offset else 0.0


def _dead(world: World, token: Token) -> str:
    if token.dead:
        return token.dead
    return "token_expired" if token.expires_ms and token.expires_ms <= world.clock.ms() else ""
