"""What the page asks of the core; every function runs off the window's thread."""

from __future__ import annotations

from array import array
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from broadcaster.audiences import saved
from broadcaster.contacts import (
    attributes,
    exporting,
    growth,
    importing,
    opt_out,
    past,
    people,
    privacy,
    undo,
)
from broadcaster.contacts import sync as syncing
from broadcaster.pages import listing
from broadcaster.policy.explain import explain
from ui import text
from ui.i18n import plural, tr
from ui.reach import built_ways, everyone
from ui.tasks import Work

if TYPE_CHECKING:
    from broadcaster.workspace import Workspace


MESSAGE = "campaign_"
"""How a campaign message's kind begins in a person's history; its state follows."""


@dataclass(frozen=True, slots=True)
class Portrait:
    """One person with everything that hangs on them, and why they can or cannot be reached now."""

    person: Any
    interactions: Sequence[Any]
    messages: Sequence[Any]
    ways: Sequence[tuple[str, str]]
    """(key, title) of the ways to send."""
    explanation: Any


def ids(
    conn: Any, page_id: int, typed: str, given: dict[str, Any], sort: str, descending: bool, now: datetime
) -> array[int]:
    clause = None
    if given["all"]:
        clause = saved.filter_clause(conn, page_id, given, now)
    return people.search_ids(conn, page_id, text=typed, sort=sort, descending=descending, clause=clause)


def attribute_types(conn: Any, page_id: int) -> dict[str, str]:
    """The Page's own attributes: name → type."""
    return {name: found.type for name, found in attributes.definitions(conn, page_id).items()}


def rows(conn: Any, wanted: Sequence[int]) -> list[Any]:
    return people.rows(conn, wanted)


def portrait(conn: Any, page_id: int, contact_id: int, permission: str, now: datetime) -> Portrait:
    question = everyone(conn, page_id, now, permission)
    happened = people.history(conn, contact_id)
    return Portrait(
        people.person(conn, contact_id),
        [one for one in happened if not one.kind.startswith(MESSAGE)],
        [one for one in happened if one.kind.startswith(MESSAGE)],
        [(way.key, way.title) for way in built_ways(question)],
        explain(conn, question, contact_id),
    )


def export(workspace: Workspace, page_id: int, out: Path, total: int, work: Work) -> int:
    return exporting.export_contacts(
        workspace.store,
        page_id,
        out,
        progress=lambda done: work.progress(done, total),
        cancelled=work.cancelled,
    )


def sync(workspace: Workspace, page_id: int, work: Work) -> Any:
    result = syncing.sync_contacts(
        workspace.store,
        workspace.clock,
        workspace.graph_client(page_id),
        page_id,
        progress=lambda told: work.progress(told.conversations),
        cancelled=work.cancelled,
    )
    workspace.hub.post("contact")
    workspace.hub.post("page", page_id)
    return result


def preview(path: Path) -> Any:
    return importing.preview(path)


def run_import(
    workspace: Workspace,
    page_id: int,
    path: Path,
    mapping: Mapping[str, str],
    label_mode: str,
    dry_run: bool,
    work: Work,
) -> Any:
    result = importing.import_contacts(
        workspace.store,
        workspace.clock,
        page_id,
        path,
        mapping=mapping,
        rejects=None if dry_run else path.with_name(f"{path.stem}.rejects.csv"),
        dry_run=dry_run,
        label_mode=label_mode,
        actor=workspace.settings.actor,
        progress=lambda told: work.progress(told.done, told.total),
        cancelled=work.cancelled,
    )
    if not dry_run:
        workspace.hub.post("contact")
        workspace.hub.post("import", result.import_id)
    return result


def undo_import(workspace: Workspace, import_id: int) -> Any:
    undone = undo.undo_import(workspace.store, import_id, workspace.settings.actor, workspace.clock.now())
    workspace.hub.post("contact")
    return undone


def past_imports(conn: Any, page_id: int) -> list[Any]:
    return list(past.past_imports(conn, page_id))


def ways_in(conn: Any, page_id: int) -> tuple[str, str, list[Any]]:
    """The Page's platform, its id at Meta, and which links and ads brought people."""
    page = listing.page(conn, page_id)
    return page.platform, page.graph_id, list(growth.entry_points(conn, page_id))


def link(graph_id: str, ref: str) -> str:
    """Raises BadInput for a ref that a link cannot carry."""
    return growth.m_me_link(graph_id, ref)


def qr_svg(of: str) -> str:
    return growth.qr_svg(of)


def save_qr(of: str, path: Path) -> None:
    """As SVG where the name says so, else as PNG. Raises EnvironmentFault."""
    growth.save_qr(of, path)


def set_opt_out(workspace: Workspace, contact_id: int, out: bool, why: str) -> None:
    """Note by hand that a person wants no messages, or wants them again."""
    deed = opt_out.opt_out if out else opt_out.opt_in
    with workspace.store.write() as conn:
        deed(
            conn,
            contact_id,
            source="hand",
            reason=why,
            actor=workspace.settings.actor,
            at=workspace.clock.now(),
        )
    workspace.hub.post("contact", contact_id)


def everything_held(workspace: Workspace, contact_id: int) -> dict[str, Any]:
    with workspace.store.read() as conn:
        return privacy.export_person(conn, contact_id)


def erase(workspace: Workspace, contact_id: int) -> None:
    with workspace.store.write() as conn:
        privacy.erase_person(conn, contact_id, workspace.settings.actor, workspace.clock.now())
    workspace.hub.post("contact", contact_id)


def result_words(result: Any) -> str:
    """What became of every row of an import."""
    parts = [
        tr("{n} created", n=text.number(result.created)),
        tr("{n} updated", n=text.number(result.updated)),
        tr("{n} unchanged", n=text.number(result.unchanged)),
    ]
    if result.duplicates:
        parts.append(tr("{n} twice in the file", n=text.number(result.duplicates)))
    if result.rejected:
        parts.append(tr("{n} not taken", n=text.number(result.rejected)))
    words = plural(result.rows, "{n} row: {parts}.", "{n} rows: {parts}.", parts=", ".join(parts))
    if result.rejects_file:
        words += " " + tr("Rows not taken are in {file} with the reason.", file=result.rejects_file)
    if result.warning:
        words += f" {result.warning}"
    if result.cancelled:
        words += " " + tr("It was cancelled; what was taken before stays.")
    return words
