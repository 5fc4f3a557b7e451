"""Leased rows become messages: each person's values merged in, many people at once."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import Connection

from broadcaster.campaigns.catalogue import CampaignRow
from broadcaster.campaigns.recipients import personal_values
from broadcaster.content.message import Message, UnfitMessage, readable_text, text_hash
from broadcaster.content.placeholders import MissingValue
from broadcaster.policy.packs import Permission
from broadcaster.queue.claim import Claimed
from broadcaster.queue.ledger import Failed
from broadcaster.queue.wire import Outgoing, shown_hash, wire_key
from broadcaster.states import Reason


@dataclass(frozen=True, slots=True)
class _Body:
    """A rendered message with the hashes that the ledger keeps of it."""

    body: dict[str, Any]
    text_hash: str
    shown_hash: str

    @classmethod
    def of(cls, message: Message, values: Mapping[str, str | None]) -> _Body:
        body = message.render(values)
        shown = readable_text(body)
        return cls(body, text_hash(body), shown_hash(shown) if shown else "")


@dataclass(slots=True)
class Rendered:
    """Messages ready to go; people to skip (a value is missing); and rows whose text breaks a limit."""

    ready: list[Outgoing] = field(default_factory=list)
    skipped: list[tuple[int, str]] = field(default_factory=list)
    failed: list[Failed] = field(default_factory=list)


def render(
    conn: Connection,
    campaign: CampaignRow,
    message: Message,
    permission: Permission,
    rows: Sequence[Claimed],
    install: str,
) -> Rendered:
    """Merge the message for every row; what one person's values spoil concerns that person only."""
    fields = message.fields()
    people = [row.contact_id for row in rows]
    values = personal_values(conn, campaign.page_id, people, (*fields, "psid")) if rows else {}
    done, same, media = Rendered(), None, message.is_media
    for row in rows:
        theirs = values[row.contact_id]
        try:
            made = same or _Body.of(message, theirs)
        except MissingValue:
            done.skipped.append((row.id, Reason.MISSING_VALUE))
            continue
        except UnfitMessage as error:
            done.failed.append(Failed(row.id, row.attempt, None, None, error.problem))
            continue
        if not fields:
            same = made  # everybody gets the same
        done.ready.append(
            Outgoing(
                id=row.id,
                campaign_id=campaign.id,
                contact_id=row.contact_id,
                psid=str(theirs["psid"]),
                attempt=row.attempt + 1,
                retries=row.retries,
                wire_key=wire_key(install, row.id, row.attempt + 1),
                body=made.body,
                messaging_type=permission.messaging_type or "UPDATE",
                tag=permission.tag,
                text_hash=made.text_hash,
                shown_hash=made.shown_hash,
                media=media,
            )
        )
    return done
