"""Column types shared by the tables."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from sqlalchemy import BigInteger, Dialect
from sqlalchemy.types import TypeDecorator

from broadcaster.clock import epoch_ms, from_epoch_ms


class Instant(TypeDecorator[datetime]):
    """An instant as whole milliseconds since 1970 UTC: exact, small, and the same arithmetic everywhere.

    In Python an aware datetime. Comparing or adding plain integers (ms) in SQL is fine too.
    """

    impl = BigInteger
    cache_ok = True

    def process_bind_param(self, value: Any, dialect: Dialect) -> int | None:  # noqa: ARG002
        if value is None or isinstance(value, int):
            return value
        if value.tzinfo is None:
            raise ValueError("an instant needs a time zone")
        return epoch_ms(value.astimezone(UTC))

    def process_result_value(self, value: int | None, dialect: Dialect) -> datetime | None:  # noqa: ARG002
        return None if value is None else from_epoch_ms(value)

    def coerce_compared_value(self, op: Any, value: Any) -> Any:  # noqa: ARG002
        return BigInteger() if isinstance(value, int) else self
