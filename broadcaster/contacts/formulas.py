"""Cells that a spreadsheet would run as a formula: written with an apostrophe, which reading takes away again."""

from __future__ import annotations

_STARTS = frozenset("=+-@\t\r")


def guarded(value: object) -> object:
    """A cell as it may stand in a file; only text can be a formula."""
    if isinstance(value, str) and value[:1] in _STARTS and not _is_offset(value):
        return f"'{value}"
    return value


def unguarded(text: str) -> str:
    """What was meant by a cell of a file."""
    return text[1:] if text[:1] == "'" and text[1:2] in _STARTS else text


def _is_offset(value: str) -> bool:
    """``+02:00`` is a time zone, not a formula."""
    return len(value) == 6 and value[3] == ":" and value[1:3].isdigit()
