"""One statement for many rows, run many times a second: compiled once, then given to the driver as it is.

Building the parameters of each row costs SQLAlchemy more than SQLite needs to change the row.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import Connection, Insert, Update


class Prepared:
    """``statement`` names its parameters by ``bindparam``; whatever else it holds is the same for all rows."""

    def __init__(self, statement: Update | Insert) -> None:
        self._statement = statement
        self._compiled: dict[str, tuple[str, list[str] | None, dict[str, Any]]] = {}

    def run(self, conn: Connection, rows: Sequence[Mapping[str, Any]]) -> int:
        """Run it for every row; how many rows changed. Values as the database holds them: instants in ms."""
        sql, order, same = self._compiled.get(conn.dialect.name) or self._compile(conn)
        given: list[Any] = [{**same, **row} for row in rows]
        if order is not None:
            given = [tuple([row[name] for name in order]) for row in given]
        keep = {"preserve_rowcount": True}
        return conn.exec_driver_sql(sql, given, execution_options=keep).rowcount

    def _compile(self, conn: Connection) -> tuple[str, list[str] | None, dict[str, Any]]:
        compiled = self._statement.compile(dialect=conn.dialect)
        found = (str(compiled), compiled.positiontup, dict(compiled.params))
        self._compiled[conn.dialect.name] = found
        return found
