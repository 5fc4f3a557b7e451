"""The Page's people as a contacts file: the columns of the command line's contract plus three attributes."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator

from broadcaster.sandbox.clock import from_ms
from broadcaster.sandbox.people import Person, draw
from broadcaster.sandbox.world import Page

COLUMNS = (
    "psid", "first_name", "last_name", "locale", "timezone", "last_interaction_at", "labels",
    "city", "customer_since", "visits",
)  # fmt: skip
_LABELS = ("newsletter", "vip", "workshop", "winter tyres", "trial")


def contacts_csv(page: Page) -> str:
    """The whole file as text, header first, one row per person."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(COLUMNS)
    writer.writerows(_rows(page))
    return out.getvalue()


def _rows(page: Page) -> Iterator[tuple[str, ...]]:
    seed = page.world.seed
    for person in page.people:
        labels = [name for number, name in enumerate(_LABELS) if draw(seed, person.index, 50 + number) < 0.25]
        yield (
            person.psid,
            person.first_name,
            person.last_name,
            person.locale,
            person.timezone,
            _iso(person),
            ";".join(labels),
            person.timezone.rpartition("/")[2].replace("_", " "),
            str(2016 + int(draw(seed, person.index, 60) * 10)),
            str(int(draw(seed, person.index, 61) * 30)),
        )


def _iso(person: Person) -> str:
    when = person.last_interaction_ms
    return from_ms(when).isoformat(timespec="milliseconds").replace("+00:00", "Z") if when else ""
