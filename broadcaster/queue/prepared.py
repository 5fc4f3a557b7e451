"""Statements that are run many times a second: compiled once, then given to the driver as they are.

Building the parameters of each row costs SQLAlchemy more than SQLite needs to change the row. What is asked and what
comes back is as the database holds it: instants in ms, JSON as text.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from operator import itemgetter
from typing import Any

from sqlalchemy import ClauseElement, Connection, Insert, Update

Row = tuple[Any, ...]


class _Compiled:
    """A statement's text, its binds in the driver's order (None: by name) and what it always holds, by dialect."""

    def __init__(self, statement: ClauseElement) -> None:
        self._statement = statement
        self._known: dict[str, tuple[str, list[str] | None, dict[str, Any]]] = {}

    def __call__(self, conn: Connection) -> tuple[str, list[str] | None, dict[str, Any]]:
        found = self._known.get(conn.dialect.name)
        if found is None:
            compiled: Any = self._statement.compile(dialect=conn.dialect)
            found = (str(compiled), compiled.positiontup, dict(compiled.params))
            self._known[conn.dialect.name] = found
        return found


class Prepared:
    """``statement`` names by ``bindparam`` what comes with a run; whatever else it holds is always the same.

    ``own``: names of what each row brings, in the order of its tuple. Values are as the database holds them:
    instants in ms.
    """

    def __init__(self, statement: Update | Insert, *own: str) -> None:
        self._compiled = _Compiled(statement)
        self._own = own
        self._picks: dict[tuple[str, ...], Callable[[Row], Row]] = {}

    def run(self, conn: Connection, rows: Sequence[Row], **shared: Any) -> int:
        """Run it for every row, with ``shared`` the same for all of them; how many rows changed."""
        sql, order, same = self._compiled(conn)
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


class PreparedQuery:
    """A question whose values are all named by ``bindparam``, asked again and again."""

    def __init__(self, statement: ClauseElement) -> None:
        self._compiled = _Compiled(statement)

    def rows(self, conn: Connection, **given: Any) -> list[Row]:
        """What the database answers. On SQLite it does not begin a transaction by itself."""
        sql, order, same = self._compiled(conn)
        values = same | given
        if order is None:
            return [tuple(row) for row in conn.exec_driver_sql(sql, values)]
        driver: Any = conn.connection.driver_connection
        rows: list[Row] = driver.execute(sql, [values[name] for name in order]).fetchall()
        return rows
