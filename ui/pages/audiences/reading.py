"""What the page asks of the core; every function runs off the window's thread."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from broadcaster.audiences import counting, filters, saved
from broadcaster.campaigns import catalogue
from broadcaster.contacts import attributes, people
from broadcaster.errors import BadInput
from ui.pages.audiences.fields import Vocabulary, vocabulary
from ui.tasks import Cancelled, Work

if TYPE_CHECKING:
    from broadcaster.workspace import Workspace

SAMPLE = 8


@dataclass(frozen=True, slots=True)
class Shelf:
    """The saved audiences of a Page, what a filter can be built from, and where each is used."""

    audiences: Sequence[Any] = ()
    words: Vocabulary = field(default_factory=Vocabulary)
    used: Mapping[int, tuple[str, ...]] = field(default_factory=dict)
    """Audience id → names of campaigns that send to it or leave it out."""
    people: int = 0


@dataclass(frozen=True, slots=True)
class Looked:
    """One filter, looked at."""

    count: int
    people: int
    words: str
    sample: Sequence[Any]


def shelf(conn: Any, page_id: int) -> Shelf:
    rows = saved.listing(conn, page_id)
    campaigns = [row for row in catalogue.listing(conn) if row.page_id == page_id]
    definitions = attributes.definitions(conn, page_id)
    types = {name: definition.type for name, definition in definitions.items()}
    used = {
        row.id: tuple(c.name for c in campaigns if c.audience_id == row.id or row.name in c.exclude)
        for row in rows
    }
    return Shelf(
        rows,
        vocabulary(
            types,
            people.labels(conn, page_id),
            [c.name for c in campaigns],
            [row.name for row in rows],
            _values(conn, page_id),
        ),
        used,
        people.count(conn, page_id),
    )


def _values(conn: Any, page_id: int) -> dict[str, Sequence[str]]:
    """Values found in the data, for the fields that are chosen rather than typed."""
    return {name: people.values(conn, page_id, name) for name in ("locale", "timezone", "entry_ref")}


def look(
    workspace: Workspace, page_id: int, given: dict[str, Any], now: datetime, seed: int, work: Work
) -> Looked:
    """Count a filter and draw a sample; a newer question interrupts the query."""
    with workspace.store.read() as conn:
        clause = saved.filter_clause(conn, page_id, given, now)
        words = filters.in_words(filters.parse(given, attributes.definitions(conn, page_id)))
    return _looked(workspace, page_id, clause, words, seed, work)


def look_saved(
    workspace: Workspace, page_id: int, audience_id: int, now: datetime, seed: int, work: Work
) -> Looked:
    """The same for an audience that is a list rather than a question."""
    with workspace.store.read() as conn:
        clause = saved.members_clause(conn, audience_id, now)
        words = filters.in_words(filters.parse(saved.get_by_id(conn, audience_id).filter, {}))
    return _looked(workspace, page_id, clause, words, seed, work)


def _looked(workspace: Workspace, page_id: int, clause: Any, words: str, seed: int, work: Work) -> Looked:
    task = counting.CountTask(workspace.store, page_id, clause)
    work.on_cancel(task.cancel)
    count = task.run()
    if count is None:
        raise Cancelled
    with workspace.store.read() as conn:
        everybody = people.count(conn, page_id)
        work.check()
        return Looked(count, everybody, words, counting.sample(conn, page_id, clause, SAMPLE, seed))


def save(workspace: Workspace, page_id: int, name: str, given: dict[str, Any], kind: str) -> Any:
    now = workspace.clock.now()
    with workspace.store.write() as conn:
        stored = saved.save(conn, page_id, name, given, kind=kind, now=now)
    workspace.hub.post("audience", stored.id)
    return stored


def static_list(workspace: Workspace, page_id: int, name: str, path: Path) -> Listed:
    """An audience of exactly the ids in the file, one per line. BadInput when it cannot be read."""
    try:
        psids = [line.strip() for line in path.read_text("utf-8-sig").splitlines() if line.strip()]
    except (OSError, UnicodeDecodeError) as error:
        raise BadInput(f"{path} cannot be read.", "Give a text file with one id per line.") from error
    now = workspace.clock.now()
    with workspace.store.write() as conn:
        stored = saved.save(conn, page_id, name, {"all": []}, kind="static", now=now)
        listed = saved.set_static(conn, stored.id, psids)
    workspace.hub.post("audience", stored.id)
    return Listed(stored.id, listed.taken, len(listed.unknown))


@dataclass(frozen=True, slots=True)
class Listed:
    """A static list, stored: how many ids were people of the Page, how many were not."""

    id: int
    taken: int
    unknown: int
