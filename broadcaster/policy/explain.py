"""Why one person may or may not be written to: every rule with its fact, its text, and when it flips."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection

from broadcaster.policy.facts import facts_of
from broadcaster.policy.question import Question
from broadcaster.policy.rules import RuleVerdict, first_failing, judge
from broadcaster.states import Reason

__all__ = ["Explanation", "RuleVerdict", "explain"]


@dataclass(frozen=True, slots=True)
class Explanation:
    """``eligible`` is what the rules say; ``in_audience`` whether the campaign is for them at all."""

    psid: str
    eligible: bool
    reason: Reason | None
    rules: tuple[RuleVerdict, ...]
    pack: str
    as_of: datetime
    in_audience: bool = True


def explain(conn: Connection, q: Question, contact_id: int) -> Explanation:
    """Judge one person of the Page. Raises NotFound."""
    facts = facts_of(conn, q, contact_id)
    verdicts = judge(facts, q.terms())
    reason = first_failing(verdicts)
    return Explanation(
        psid=facts.psid,
        eligible=reason is None,
        reason=reason,
        rules=verdicts,
        pack=f"{q.pack.name} {q.pack.version}",
        as_of=q.at,
        in_audience=facts.in_audience,
    )
