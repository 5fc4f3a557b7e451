"""What became of messages, as SQL over the ledger: accepted, delivered, read, replied.

A delivered or read watermark holds for everything sent to a person before it, so it stands once per
person (``receipt_mark``) and is joined here instead of being written into every row. Rows are compared
by the moment the call began: our own clock at the answer may be later than the platform's mark.
"""

from __future__ import annotations

from sqlalchemy import ColumnElement, FromClause, and_, or_

from broadcaster.states import ACCEPTED_STATES, DeliveryState
from broadcaster.store.tables import Delivery, ReceiptMark

_DELIVERIES = Delivery.__table__  # type: ignore[attr-defined]
_MARKS = ReceiptMark.__table__  # type: ignore[attr-defined]

_AT_LEAST_DELIVERED = (DeliveryState.DELIVERED, DeliveryState.READ)


def with_marks() -> FromClause:
    """The ledger with each person's watermarks beside it: what the other expressions here stand on."""
    joined: FromClause = _DELIVERIES.outerjoin(_MARKS, _MARKS.c.contact_id == _DELIVERIES.c.contact_id)
    return joined


def accepted() -> ColumnElement[bool]:
    """The platform took it. Needs only the ledger."""
    clause: ColumnElement[bool] = _DELIVERIES.c.state.in_(sorted(ACCEPTED_STATES))
    return clause


def delivered() -> ColumnElement[bool]:
    """It reached a device (read counts as delivered). Over ``with_marks()``."""
    below = _DELIVERIES.c.intent_at <= _MARKS.c.delivered_until
    return or_(
        _DELIVERIES.c.state.in_(_AT_LEAST_DELIVERED),
        and_(_DELIVERIES.c.state == DeliveryState.SENT, or_(below, _below_read())),
    )


def read() -> ColumnElement[bool]:
    """It was read. Over ``with_marks()``."""
    return or_(
        _DELIVERIES.c.state == DeliveryState.READ,
        and_(_DELIVERIES.c.state.in_(sorted(ACCEPTED_STATES)), _below_read()),
    )


def replied() -> ColumnElement[bool]:
    """The person wrote after it was accepted. Needs only the ledger."""
    return and_(accepted(), _DELIVERIES.c.replied_at.is_not(None))


def _below_read() -> ColumnElement[bool]:
    clause: ColumnElement[bool] = _DELIVERIES.c.intent_at <= _MARKS.c.read_until
    return clause
