"""What the platform answers when it says no: one exception, filled from the dated table in resources."""

from __future__ import annotations

import tomllib
from functools import cache
from importlib.resources import files
from typing import Any


class Refusal(Exception):
    """A Graph error object on its way out. ``status`` is the HTTP status; ``body()`` is the JSON."""

    def __init__(
        self,
        code: int,
        message: str,
        *,
        subcode: int | None = None,
        kind: str = "OAuthException",
        status: int = 400,
        transient: bool = False,
        title: str = "",
        user_message: str = "",
    ) -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.subcode = subcode
        self.kind = kind
        self.status = status
        self.transient = transient
        self.title = title
        self.user_message = user_message

    def body(self, trace: str) -> dict[str, Any]:
        """``{"error": {...}}`` as in section 3.3 of the platform reference."""
        error: dict[str, Any] = {"message": self.message, "type": self.kind, "code": self.code}
        if self.subcode is not None:
            error["error_subcode"] = self.subcode
        error["is_transient"] = self.transient
        if self.title:
            error["error_user_title"] = self.title
            error["error_user_msg"] = self.user_message
        error["fbtrace_id"] = trace
        return {"error": error}


@cache
def _table() -> dict[str, dict[str, Any]]:
    text = (files("resources") / "sandbox" / "refusals.toml").read_text(encoding="utf-8")
    return tomllib.loads(text)


def refusal(name: str, /, **words: object) -> Refusal:
    """The named refusal of ``resources/sandbox/refusals.toml``, its text filled with ``words``."""
    row = _table()[name]
    return Refusal(
        row["code"],
        row["message"].format(**words),
        subcode=row.get("subcode"),
        kind=row.get("kind", "OAuthException"),
        status=row.get("status", 400),
        transient=row.get("transient", False),
        title=row.get("title", ""),
        user_message=row.get("user_message", "").format(**words),
    )


def refusal_for(code: int, subcode: int | None) -> Refusal:
    """The refusal with these numbers, in the table's words where it knows them (for ordered faults)."""
    for name, row in _table().items():
        if row["code"] == code and row.get("subcode") == subcode:
            try:
                return refusal(name)
            except KeyError:
                continue
    transient = code in {-2, -1, 1, 2, 4, 17, 32, 341, 613, 80001, 80002, 80006}
    return Refusal(code, f"(#{code}) An error was ordered.", subcode=subcode, transient=transient)
