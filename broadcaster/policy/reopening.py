"""An estimate, apart from the exact forecast: how many people may open a closed window again, hour by hour.

It stands on the Page's own history: how many came back in the same hour of the week before. Import times
are left out, since a file gives everybody one action at no matter which hour.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from statistics import fmean

from sqlalchemy import BigInteger, Connection, func, or_, select, type_coerce

from broadcaster.clock import epoch_ms
from broadcaster.policy.clauses import CONTACTS, in_question
from broadcaster.policy.forecast import Forecast
from broadcaster.policy.question import Question
from broadcaster.policy.terms import HOUR
from broadcaster.states import WINDOW_OPENERS, InteractionKind
from broadcaster.store.tables import Interaction

INTERACTIONS = Interaction.__table__  # type: ignore[attr-defined]
WEEK_HOURS = 168


@dataclass(frozen=True, slots=True)
class Reopening:
    """Expected people of one hour, with the fewest and the most of that hour in the weeks before."""

    at: datetime
    expected: float
    low: int
    high: int


@dataclass(frozen=True, slots=True)
class Reopenings:
    """``weeks`` of history it stands on; 0: too little is known, and ``hours`` is empty."""

    hours: list[Reopening]
    weeks: int


def reopenings(conn: Connection, q: Question, start: datetime, hours: int, weeks: int = 4) -> Reopenings:
    """Estimate for ``hours`` from ``start``, from at most ``weeks`` full weeks before."""
    begin = epoch_ms(start) - weeks * WEEK_HOURS * HOUR
    counts = _per_hour(conn, q, begin, epoch_ms(start))
    known = (weeks * WEEK_HOURS - min(counts)) // WEEK_HOURS if counts else 0
    rows = []
    for index in range(hours if known else 0):
        slots = [(weeks - week) * WEEK_HOURS + index % WEEK_HOURS for week in range(1, known + 1)]
        found = [counts.get(slot, 0) for slot in slots]
        rows.append(Reopening(start + timedelta(hours=index), fmean(found), min(found), max(found)))
    return Reopenings(rows, known)


def expected_reach(exact: Forecast, again: Reopenings, window_hours: int) -> list[Reopening]:
    """The exact curve with those who may come back, each for the length of a window; empty without history.

    Whoever comes back during an hour counts from the next. Quiet hours hold them back in the same share
    as everybody else.
    """
    found = []
    for index in range(min(len(exact.hours), len(again.hours)) if again.weeks else 0):
        back = again.hours[max(0, index - window_hours) : index]
        at, sure = exact.hours[index]
        share = sure / exact.open_windows[index] if exact.open_windows[index] else 1.0
        sums = (sum(getattr(hour, name) for hour in back) for name in ("expected", "low", "high"))
        expected, low, high = (sure + share * more for more in sums)
        found.append(Reopening(at, expected, round(low), round(high)))
    return found


def _per_hour(conn: Connection, q: Question, begin: int, end: int) -> dict[int, int]:
    """Hour since ``begin`` → how many actions opened a window that was shut."""
    at = type_coerce(INTERACTIONS.c.at, BigInteger)
    window = q.terms().window
    length = (window.hours if window and window.hours else 24) * HOUR
    before = func.lag(at).over(partition_by=INTERACTIONS.c.contact_id, order_by=at)
    kinds = sorted(WINDOW_OPENERS - {InteractionKind.IMPORT})
    actions = (
        select(at.label("at"), before.label("before"))
        .join(CONTACTS, CONTACTS.c.id == INTERACTIONS.c.contact_id)
        .where(
            INTERACTIONS.c.page_id == q.page_id,
            at >= begin - length,
            at < end,
            INTERACTIONS.c.kind.in_(kinds),
            in_question(q),
        )
        .subquery()
    )
    opened = or_(actions.c.before.is_(None), actions.c.at - actions.c.before >= length)
    hour = ((actions.c.at - begin) // HOUR).label("hour")
    query = select(hour, func.count()).where(opened, actions.c.at >= begin).group_by(hour)
    return {row[0]: row[1] for row in conn.execute(query)}
