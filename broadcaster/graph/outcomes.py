"""What became of a call. Four outcomes, because a send that cannot be repeated safely needs to know which.

``Accepted`` and ``Refused`` are answers of the platform. ``NotSent`` is certain: no byte of the request
left. ``Unknown`` is everything else: the message may or may not have been taken, and nobody may guess.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from broadcaster.errors import BroadcasterError, Unreachable


@dataclass(frozen=True, slots=True)
class Refusal:
    """A Graph error object (``error`` of the answer), as it came. ``is_transient`` None: not said."""

    code: int
    subcode: int | None = None
    text: str = ""
    type: str = ""
    is_transient: bool | None = None
    fbtrace_id: str = ""
    user_title: str = ""
    user_text: str = ""
    http_status: int = 400


@dataclass(frozen=True, slots=True)
class Accepted:
    message_id: str
    recipient_id: str | None


@dataclass(frozen=True, slots=True)
class Refused:
    refusal: Refusal


@dataclass(frozen=True, slots=True)
class Unknown:
    """May have been accepted: settle it by an echo or by reading the conversation, never by sending again."""

    cause: str


@dataclass(frozen=True, slots=True)
class NotSent:
    """Surely not accepted: the connection was never made, or something that is not the platform said no."""

    cause: str


Outcome = Accepted | Refused | Unknown | NotSent


class CallRefused(BroadcasterError):
    """The platform refused a call other than a send; ``refusal`` is its error object."""

    title = "The platform refused"

    def __init__(self, refusal: Refusal, text: str, hint: str) -> None:
        super().__init__(text, hint)
        self.refusal = refusal


class NotGraph(Unreachable):
    """Something answers at the address, but it is not the Graph API (HTTP ``status``)."""

    def __init__(self, address: str, status: int) -> None:
        super().__init__(
            f"What answers at {address} is not the Graph API (HTTP {status}).",
            "Check the address and the proxy settings.",
        )
        self.status = status


def refusal_of(body: Any, http_status: int) -> Refusal | None:
    """The error object of an answer, None when the answer has none."""
    error = body.get("error") if isinstance(body, dict) else None
    code = _number(error.get("code")) if isinstance(error, dict) else None
    if not isinstance(error, dict) or code is None:
        return None
    transient = error.get("is_transient")
    return Refusal(
        code=code,
        subcode=_number(error.get("error_subcode")) or None,
        text=str(error.get("message", "")),
        type=str(error.get("type", "")),
        is_transient=transient if isinstance(transient, bool) else None,
        fbtrace_id=str(error.get("fbtrace_id", "")),
        user_title=str(error.get("error_user_title") or ""),
        user_text=str(error.get("error_user_msg") or ""),
        http_status=http_status,
    )


def _number(value: Any) -> int | None:
    """A code, which some servers in between write as text."""
    if isinstance(value, bool) or not isinstance(value, int | str):
        return None
    try:
        return int(value)
    except ValueError:
        return None
