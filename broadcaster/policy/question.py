"""What is asked of the policy: pure terms, and SQL clauses that name the people."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any, Protocol

from sqlalchemy import ColumnElement

from broadcaster.policy.packs import Pack
from broadcaster.policy.quiet import QuietHours
from broadcaster.policy.terms import Cap, Terms
from broadcaster.states import FeatureState


class Slotted(Protocol):
    """A custom attribute and the column of ``contact`` that holds it (None: only in the JSON beside it)."""

    @property
    def slot(self) -> str | None: ...


@dataclass(frozen=True)
class Question:
    """Who of ``audience`` may be written to at ``at`` by ``permission``? Clauses are over ``contact``.

    ``template_approved`` is None where there is no template; ``message_kind`` is ``feedback`` for Meta's
    feedback form; ``already`` names the people who have the message; ``required_fields`` are columns of a
    person or ``attribute.NAME``.
    """

    page_id: int
    platform: str
    permission: str
    at: datetime
    pack: Pack
    audience: ColumnElement[bool]
    features: Mapping[str, FeatureState] = field(default_factory=dict)
    template_approved: bool | None = None
    message_kind: str = "text"
    excluded: ColumnElement[bool] | None = None
    required_fields: tuple[str, ...] = ()
    definitions: Mapping[str, Slotted] = field(default_factory=dict)
    quiet_hours: Mapping[str, Any] | None = None
    frequency_cap: Mapping[str, Any] | None = None
    already: ColumnElement[bool] | None = None
    margin_seconds: int = 60
    possible_ad_window: bool = False

    def at_time(self, at: datetime) -> Question:
        """The same question about another instant; the audience stays as it was named."""
        return replace(self, at=at)

    def terms(self, permission: str | None = None, at: datetime | None = None) -> Terms:
        """The part without people. Raises NotFound for an unknown permission, BadInput for bad settings."""
        chosen, moment = self.pack.permission(permission or self.permission), at or self.at
        feature = chosen.rule_on("feature", self.platform, moment)
        known = self.features.get(feature.feature or "") if feature else None
        return Terms(
            pack=self.pack,
            permission=chosen,
            platform=self.platform,
            at=moment,
            feature=known or FeatureState.UNKNOWN,
            template_approved=self.template_approved,
            message_kind=self.message_kind,
            required_fields=self.required_fields,
            quiet=QuietHours.parse(self.quiet_hours) if self.quiet_hours else None,
            cap=Cap.parse(self.frequency_cap) if self.frequency_cap else None,
            margin_ms=self.margin_seconds * 1000,
            possible_ad_window=self.possible_ad_window,
        )
