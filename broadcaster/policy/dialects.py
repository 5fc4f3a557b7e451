"""SQL functions that SQLite and PostgreSQL spell differently."""

from __future__ import annotations

from typing import Any

from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.functions import GenericFunction
from sqlalchemy.types import BigInteger


class entries(GenericFunction[Any]):  # noqa: N801 - reads as the SQL function it is
    """The keys and values of a JSON object as rows; values as text on PostgreSQL."""

    name = "json_each"
    package = "broadcaster"
    inherit_cache = True


class texts(GenericFunction[Any]):  # noqa: N801
    """The texts of a JSON array as rows: a long list bound as one value."""

    name = "jsonb_array_elements_text"
    package = "broadcaster"
    inherit_cache = True


class larger(GenericFunction[int]):  # noqa: N801
    """The larger of two numbers. What NULL gives differs between databases: keep it out."""

    type = BigInteger()
    name = "greatest"
    package = "broadcaster"
    inherit_cache = True


class smaller(GenericFunction[int]):  # noqa: N801
    """The smaller of two numbers. What NULL gives differs between databases: keep it out."""

    type = BigInteger()
    name = "least"
    package = "broadcaster"
    inherit_cache = True


def _spelled(function: type[GenericFunction[Any]], dialect: str, name: str) -> None:
    def spell(element: Any, compiler: Any, **kw: Any) -> str:
        return f"{name}({', '.join(compiler.process(clause, **kw) for clause in element.clauses)})"

    register: Any = compiles(function, dialect)
    register(spell)


@compiles(texts, "postgresql")
def _texts(element: Any, compiler: Any, **kw: Any) -> str:
    return f"jsonb_array_elements_text(CAST({compiler.process(element.clauses, **kw)} AS JSONB))"


_spelled(texts, "sqlite", "json_each")
_spelled(entries, "postgresql", "json_each_text")
_spelled(larger, "sqlite", "max")
_spelled(smaller, "sqlite", "min")
