"""Where in a TOML file a value stands, so that a refusal can name the line."""

from __future__ import annotations

import re

Path = tuple[str | int, ...]

_HEADER = re.compile(r"\s*(\[\[?)\s*([^\]]+?)\s*\]\]?\s*(?:#.*)?$")
_KEY = re.compile(r"""\s*("[^"]*"|'[^']*'|[A-Za-z0-9_-]+)\s*=\s*(.*)$""")
_QUOTED = re.compile(r'"(?:\\.|[^"\\])*"' + r"|'[^']*'")
_FENCES = ('"""', "'" * 3)


def key_lines(text: str) -> dict[Path, int]:
    """Line (from 1) of every table and key of a TOML document, by path: ``("permission", 0, "rule", 2)``.

    Arrays of tables count from 0 inside their parent. Values over several lines stand at their first one.
    """
    found: dict[Path, int] = {}
    counts: dict[Path, int] = {}
    table: Path = ()
    open_fence, depth = "", 0
    for number, line in enumerate(text.splitlines(), 1):
        if open_fence:
            open_fence = "" if open_fence in line else open_fence
            continue
        if depth:
            depth += _nesting(line)
            continue
        header, key = _HEADER.match(line), _KEY.match(line)
        if header:
            table = _table(header.group(2), header.group(1) == "[[", counts)
            found[table] = number
        elif key:
            found[(*table, _bare(key.group(1)))] = number
            value = key.group(2)
            open_fence = next((fence for fence in _FENCES if value.count(fence) == 1), "")
            depth = 0 if open_fence else _nesting(value)
    return found


def line_of(places: dict[Path, int], path: Path) -> int:
    """The line of ``path``, or of the nearest thing around it that has one."""
    while path:
        if path in places:
            return places[path]
        path = path[:-1]
    return 1


def _table(name: str, repeated: bool, counts: dict[Path, int]) -> Path:
    names = [_bare(part.strip()) for part in name.split(".")]
    path: Path = ()
    for part in names[:-1]:
        path = (*path, part)
        if path in counts:
            path = (*path, counts[path])
    path = (*path, names[-1])
    if repeated:
        counts[path] = counts.get(path, -1) + 1
        for deeper in [known for known in counts if len(known) > len(path) and known[: len(path)] == path]:
            if deeper[len(path)] == counts[path]:
                del counts[deeper]
        path = (*path, counts[path])
    return path


def _nesting(text: str) -> int:
    """How many brackets stay open after ``text``, strings and comments aside."""
    bare = _QUOTED.sub("", text).split("#", 1)[0]
    return sum(bare.count(sign) for sign in "[{") - sum(bare.count(sign) for sign in "]}")


def _bare(name: str) -> str:
    return name[1:-1] if name[:1] in "\"'" else name
