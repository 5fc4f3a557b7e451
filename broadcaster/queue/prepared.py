"""One statement for many rows, run many times a second: compiled once, then given to the driver as it is.

Building the parameters of each row costs SQLAlchemy more than SQLite needs to change the row.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from operator import itemgetter
from typing import Any

from sqlalchemy import Connection, Insert, Update

Row = tuple[Any, ...]


class Prepared:
    """``statement`` names by ``bindparam`` what comes with a run; whatever else it holds is always the same.

    ``own``: names of what each row brings, in the order of its tuple. Values are as the database holds them:
    instants in ms.
    """

    def __init__(self, statement: Update | Insert, *own: str) -> None:
        self._statement = statement
        self._own = own
        self._compiled: dict[str, tuple[str, list[str] | None, dict[str, Any]]] = {}
        self._picks: dict[tuple[str, ...], Callable[[Row], Row]] = {}

    def run(self, conn: Connection, rows: Sequence[Row], **shared: Any) -> int:
        """Run it for every row, with ``shared`` the same for all of them; how many rows changed."""
        sql, order, same = self._compiled.get(conn.dialect.name) or self._compile(conn)
        if order is None:
            given = [{**same, **shared, **dict(zip(self._own, row, strict=True))} for row in rows]
            keep = {"preserve_rowcount": True}
            return conn.exec_driver_sql(sql, given, execution_options=keep).rowcount
        constant = {name: value for name, value in same.items() if name not in self._own} | shared
        names = (*self._own, *constant)
        pick = self._picks.get(names)
        if pick is None:
            pick = self._picks[names] = itemgetter(*map(names.index, order))
        rest = tuple(constant.values())
        driver: Any = conn.connection.driver_connection
        changed: int = driver.executemany(sql, [pick(row + rest) for row in rows]).rowcount
        return changed

    def _compile(self, conn: Connection) -> tuple[str, list[str] | None, dict[str, Any]]:
        compiled = self._statement.compile(dialect=conn.dialect)
        found = (str(compiled), compiled.positiontup, dict(compiled.params))
        self._compiled[conn.dialect.name] = found
        return found
