"""What is asked (``Terms``) and what is known of a person (``Facts``), pure: the rules stand on these two."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from broadcaster.clock import epoch_ms
from broadcaster.errors import BadInput
from broadcaster.policy.packs import SENDABLE, Kind, Pack, Permission, Rule, State
from broadcaster.policy.quiet import QuietHours
from broadcaster.states import FeatureState, Reason

HOUR = 3_600_000
"""One hour in milliseconds."""


@dataclass(frozen=True, slots=True)
class Cap:
    """At most ``most`` accepted messages in any ``span_ms``: who has that many in it must wait."""

    most: int
    span_ms: int

    @classmethod
    def parse(cls, given: Mapping[str, Any]) -> Cap:
        """From ``{"max": 2, "per": "7d"}``. Raises BadInput."""
        text = str(given.get("per", ""))
        unit = {"h": HOUR, "d": 24 * HOUR}.get(text[-1:])
        most = given.get("max")
        if (
            unit is None
            or not text[:-1].isdigit()
            or not isinstance(most, int)
            or most < 1
            or text[:-1] == "0"
        ):
            raise BadInput("The frequency cap cannot be read.", 'Write {"max": 2, "per": "7d"}.')
        return cls(most, int(text[:-1]) * unit)


@dataclass(frozen=True, slots=True)
class Terms:
    """Everything that is asked and does not depend on a person."""

    pack: Pack
    permission: Permission
    platform: str
    at: datetime
    feature: FeatureState = FeatureState.UNKNOWN
    template_approved: bool | None = None
    message_kind: str = "text"
    required_fields: tuple[str, ...] = ()
    quiet: QuietHours | None = None
    cap: Cap | None = None
    margin_ms: int = 60_000
    possible_ad_window: bool = False

    @property
    def at_ms(self) -> int:
        return epoch_ms(self.at)

    @property
    def state(self) -> State:
        return self.pack.state_on(self.permission.key, self.platform, self.at)

    def rule(self, kind: str) -> Rule | None:
        """The permission's rule of that kind in force at the instant asked about."""
        return self.permission.rule_on(kind, self.platform, self.at)

    @property
    def window(self) -> Rule | None:
        return self.rule("window")

    @property
    def window_reason(self) -> Reason:
        window = self.window
        return Reason.OUTSIDE_7D if window and (window.hours or 0) > 24 else Reason.OUTSIDE_24H

    @property
    def latest_closed_ms(self) -> int | None:
        """Whoever acted at this instant or before is outside the window; None without a window."""
        window = self.window
        return None if window is None else self.at_ms - span_ms(window) + self.margin_ms

    @property
    def ends_ms(self) -> int | None:
        """When the way to send itself ends; None: no end is known."""
        state = self.rule("state")
        until = state.valid_until if state and state.state in SENDABLE else None
        return None if until is None else epoch_ms(until)

    def same_for_all(self) -> dict[Reason, bool]:
        """Rules that treat everybody alike: reason → does it stop everybody?"""
        known_missing = self.rule("feature") is not None and self.feature == FeatureState.MISSING
        not_sent_here = self.permission.kind == Kind.INFORMATION
        return {
            Reason.PERMISSION_NOT_ON_PLATFORM: self.state == State.NOT_ON_PLATFORM,
            Reason.PERMISSION_RETIRED: self.state in (State.RETIRED, State.UNKNOWN),
            Reason.PERMISSION_NOT_GRANTED: known_missing or not_sent_here,
            Reason.TEMPLATE_NOT_APPROVED: self._lacks_its_template(),
        }

    def _lacks_its_template(self) -> bool:
        unapproved = self.rule("template") is not None and not self.template_approved
        return unapproved or self.permission.carries not in (None, self.message_kind)


@dataclass(frozen=True, slots=True)
class Facts:
    """What is known of one person, as the database has it."""

    psid: str
    opted_out: bool = False
    unreachable: bool = False
    excluded: bool = False
    last_interaction_at: datetime | None = None
    last_message_at: datetime | None = None
    ad_window_until: datetime | None = None
    timezone: str | None = None
    values: Mapping[str, object] = field(default_factory=dict)
    """Of the required fields, by key."""
    sent_at: tuple[datetime, ...] = ()
    """Accepted campaign messages."""
    already: bool = False
    in_audience: bool = True


def span_ms(window: Rule) -> int:
    """The length of a window."""
    return (window.hours or 0) * HOUR
