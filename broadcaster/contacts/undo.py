"""Taking an import back as a whole, as long as nothing else has used what it brought."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import Connection, delete, exists, insert, or_, select, union_all, update

from broadcaster.audit.log import record
from broadcaster.clock import from_epoch_ms
from broadcaster.contacts.staging import BEFORE
from broadcaster.errors import BadInput, RefusedByPolicy
from broadcaster.store import Store
from broadcaster.store.tables import (
    BlockedRecipient,
    Contact,
    ContactAttributes,
    ContactLabel,
    Delivery,
    ImportChange,
    ImportRun,
    Interaction,
    OptRecord,
    metadata,
)

RUNS = ImportRun.__table__  # type: ignore[attr-defined]
CHANGES = ImportChange.__table__  # type: ignore[attr-defined]
CONTACTS = Contact.__table__  # type: ignore[attr-defined]
LOOSE = ContactAttributes.__table__  # type: ignore[attr-defined]
OPTS = OptRecord.__table__  # type: ignore[attr-defined]
INTERACTIONS = Interaction.__table__  # type: ignore[attr-defined]
LABELLED = ContactLabel.__table__  # type: ignore[attr-defined]
DELIVERIES = Delivery.__table__  # type: ignore[attr-defined]
BLOCKED = BlockedRecipient.__table__  # type: ignore[attr-defined]
HANGING = tuple(
    metadata.tables[name]
    for name in (
        "contact_label", "contact_attributes", "interaction", "opt_record", "receipt_mark", "audience_member",
    )
)  # fmt: skip
_INSTANTS = frozenset({"last_interaction_at", "opted_out_at"})


def undo_import(store: Store, import_id: int, actor: str, at: datetime) -> int:
    """Put everybody back as they stood before; returns how many. RefusedByPolicy once it was used."""
    with store.write() as conn:
        run = conn.execute(select(RUNS).where(RUNS.c.id == import_id)).one_or_none()
        if run is None or run.state == "undone":
            raise BadInput("There is no such import to take back.", "Choose one of the list.")
        _require_unused(conn, import_id, run.page_id)
        query = select(CHANGES.c.contact_id, CHANGES.c.before).where(CHANGES.c.import_id == import_id)
        changed = conn.execute(query).all()
        for row in changed:
            _put_back(conn, row.contact_id, row.before, run.started_at)
        conn.execute(delete(CHANGES).where(CHANGES.c.import_id == import_id))
        created = select(CONTACTS.c.id).where(CONTACTS.c.import_id == import_id)
        for table in HANGING:
            conn.execute(delete(table).where(table.c.contact_id.in_(created)))
        gone = conn.execute(delete(CONTACTS).where(CONTACTS.c.import_id == import_id))
        conn.execute(update(RUNS).where(RUNS.c.id == import_id).values(state="undone", finished_at=at))
        record(
            conn,
            at=at,
            actor=actor,
            action="import undone",
            subject_kind="import",
            subject=str(import_id),
            detail={"file": run.file_name, "people": gone.rowcount + len(changed)},
        )
    return gone.rowcount + len(changed)


def _require_unused(conn: Connection, import_id: int, page_id: int) -> None:
    touched = union_all(
        select(CHANGES.c.contact_id).where(CHANGES.c.import_id == import_id),
        select(CONTACTS.c.id).where(CONTACTS.c.import_id == import_id),
    )
    changed_too = exists().where(CHANGES.c.import_id == RUNS.c.id, CHANGES.c.contact_id.in_(touched))
    later = exists().where(
        RUNS.c.page_id == page_id,
        RUNS.c.id > import_id,
        RUNS.c.state != "undone",
        # of people that a file left as they were, only their number is known
        or_(RUNS.c.state == "running", RUNS.c.unchanged > 0, changed_too),
    )
    uses = (
        ("a later import", later),
        ("a campaign", exists().where(DELIVERIES.c.contact_id.in_(touched))),
        ("a campaign", exists().where(BLOCKED.c.contact_id.in_(touched))),
        (
            "what the people did since",
            exists().where(INTERACTIONS.c.contact_id.in_(touched), INTERACTIONS.c.source != "import"),
        ),
    )
    for words, used in uses:
        if conn.execute(select(used)).scalar_one():
            raise RefusedByPolicy(
                f"The import cannot be taken back: {words} has used it.", "Mend the people by hand."
            )


def _put_back(conn: Connection, contact_id: int, before: dict[str, Any], since: datetime) -> None:
    values = {name: before.get(name) for name in BEFORE}
    for name in _INSTANTS:
        kept = before.get(name)
        values[name] = None if kept is None else from_epoch_ms(kept)
    values["opted_out"] = bool(values["opted_out"])
    conn.execute(update(CONTACTS).where(CONTACTS.c.id == contact_id).values(**values, updated_at=since))
    conn.execute(delete(LABELLED).where(LABELLED.c.contact_id == contact_id))
    if labels := before.get("labels"):
        conn.execute(insert(LABELLED), [{"contact_id": contact_id, "label_id": label} for label in labels])
    conn.execute(delete(LOOSE).where(LOOSE.c.contact_id == contact_id))
    if loose := before.get("loose"):
        conn.execute(insert(LOOSE).values(contact_id=contact_id, values=loose))
    if not values["opted_out"]:
        conn.execute(delete(OPTS).where(OPTS.c.contact_id == contact_id, OPTS.c.at >= since))
    moved = INTERACTIONS.c.at > (values["last_interaction_at"] or from_epoch_ms(0))
    conn.execute(
        delete(INTERACTIONS).where(
            INTERACTIONS.c.contact_id == contact_id, INTERACTIONS.c.source == "import", moved
        )
    )
