"""Leased rows become messages: each person's values merged in, many people at once."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

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
    values = (
        personal_values(conn, campaign.page_id, [row.contact_id for row in rows], fields) if fields else {}
    )
    done = Rendered()
    for row in rows:
        try:
            body = message.render(values.get(row.contact_id, {}))
        except MissingValue:
            done.skipped.append((row.id, Reason.MISSING_VALUE))
            continue
        except UnfitMessage as error:
            done.failed.append(Failed(row.id, row.attempt, None, None, error.problem))
            continue
        done.ready.append(
            Outgoing(
                id=row.id,
                campaign_id=row.campaign_id,
                contact_id=row.contact_id,
                psid=row.psid,
                attempt=row.attempt + 1,
                retries=row.retries,
                wire_key=wire_key(install, row.id, row.attempt + 1),
                body=body,
                messaging_type=permission.messaging_type or "UPDATE",
                tag=permission.tag,
                text_hash=text_hash(body),
                shown_hash=shown_hash(readable_text(body)) if readable_text(body) else "",
                media=message.is_media,
            )
        )
    return done
