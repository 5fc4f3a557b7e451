"""From the columns of a file to fields of a person: mapped, typed, and each cell checked with its reason."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import islice
from math import isfinite

from broadcaster.clock import epoch_ms, iso
from broadcaster.contacts.formulas import unguarded
from broadcaster.contacts.reading import RawRow
from broadcaster.errors import BadInput
from broadcaster.states import AttributeType
from broadcaster.zones import known_zones

PERSON_FIELDS = (
    "psid", "first_name", "last_name", "locale", "timezone", "last_interaction_at", "opted_out", "labels",
)  # fmt: skip
IGNORED = frozenset({"line", "reason"})
"""Columns of a rejects file: importing a mended one needs no mapping."""
BLOCK = 10_000
KEPT = 5_000
"""Distinct texts of a column that are remembered."""
NOT_TAKEN = "-"
"""A column mapped to this is left out."""
FUTURE_TOLERANCE = timedelta(minutes=5)
MAX_TEXT = 10_000
PSID_LENGTH = 64
NUMBER_LENGTH = 300
"""Digits that no finite number can have more of."""

Cell = str | float | int | bool | None
Reader = Callable[[str], Cell]


class Refused(ValueError):
    """Why a cell cannot be taken."""


@dataclass(frozen=True, slots=True)
class AttributeDef:
    """``slot`` is the column of ``contact`` that holds it, None when it stands in the JSON beside."""

    name: str
    type: AttributeType
    slot: str | None


@dataclass(frozen=True, slots=True)
class Column:
    """``field``: a known column, or ``attribute.NAME``; ``index`` is its place in the row.

    ``type``: what an attribute was said to be; None: its values decide.
    """

    index: int
    title: str
    field: str
    type: AttributeType | None = None


def assign(columns: Sequence[str], mapping: Mapping[str, str] | None, where: str) -> list[Column]:
    """Which column fills which field. Raises BadInput when nothing gives a PSID, or a mapping fits nothing."""
    wanted = dict(mapping or {})
    if unknown := [title for title in wanted if title not in columns]:
        raise BadInput(f"{where} has no column {unknown[0]!r}.", f"Its columns: {', '.join(columns)}.")
    fields = [_mapped(wanted[title]) if title in wanted else _field(title) for title in columns]
    found = [
        Column(i, title, *_typed(field)) for i, (title, field) in enumerate(zip(columns, fields, strict=True))
    ]
    found = [column for column in found if column.field]
    fields = [column.field for column in found]
    if "psid" not in fields:
        raise BadInput(
            f"{where} has no column psid.",
            f"Rename the column with the ids, or map it: --map COLUMN=psid. Its columns: {', '.join(columns)}.",
        )
    if twice := [field for field in fields if fields.count(field) > 1]:
        raise BadInput(f"{where}: two columns fill {twice[0]!r}.", "Map one of them elsewhere.")
    return found


def _mapped(field: str) -> str:
    """A field as it was given: a known column, an attribute with or without ``attribute.``, or ``-``."""
    if field in ("", NOT_TAKEN):
        return ""
    return field if field in PERSON_FIELDS or field.startswith("attribute.") else f"attribute.{field}"


def _typed(field: str) -> tuple[str, AttributeType | None]:
    """``attribute.score:number`` → field and type."""
    name, _, word = field.rpartition(":")
    if name.startswith("attribute.") and word in tuple(AttributeType):
        return name, AttributeType(word)
    return field, None


def _field(title: str) -> str:
    plain = title.strip().casefold().replace(" ", "_")
    if not plain or plain in IGNORED:
        return ""
    if plain in PERSON_FIELDS:
        return plain
    return f"attribute.{title.strip()}"


def infer_types(columns: Sequence[Column], rows: Iterator[RawRow]) -> dict[str, AttributeType]:
    """The narrowest type that fits every value of each attribute column."""
    open_: dict[int, set[AttributeType]] = {column.index: set(_CHECKS) for column in columns}
    filled: set[int] = set()
    while any(open_.values()) and (block := list(islice(rows, BLOCK))):
        cells = list(zip(*(row.cells for row in block if not row.problem), strict=True))
        for index, types in open_.items() if cells else ():
            if not types:
                continue
            texts = {unguarded(text.strip()) for text in set(cells[index])} - {""}
            if texts:
                filled.add(index)
            types -= {type_ for type_ in types if not all(map(_CHECKS[type_], texts))}
    order = (AttributeType.YES_NO, AttributeType.NUMBER, AttributeType.DATE)
    return {
        column.field: column.type
        or next(
            (type_ for type_ in order if column.index in filled and type_ in open_[column.index]),
            AttributeType.TEXT,
        )
        for column in columns
    }


_PLAIN_NUMBER = "0123456789.-"
_FLOAT = re.compile(r"[-+]?(\d+\.?\d*|\.\d+)([eE][-+]?\d{1,3})?", re.ASCII)
_NUMBER = re.compile(r"-?(0|[1-9]\d{0,14})(\.\d{1,10})?")
_DATE = re.compile(r"\d{4}-\d\d-\d\d([T ]\d\d:\d\d.*)?")
_YES_NO = {"true": True, "false": False, "yes": True, "no": False}

_CHECKS: dict[AttributeType, Callable[[str], object]] = {
    AttributeType.NUMBER: _NUMBER.fullmatch,
    AttributeType.DATE: lambda value: _DATE.fullmatch(value) and _fits(_date, value),
    AttributeType.YES_NO: lambda value: value.casefold() in _YES_NO,
}


def _fits(read: Reader, text: str) -> bool:
    try:
        read(text)
    except Refused:
        return False
    return True


class Cells(dict[str, Cell]):
    """What the texts of one column are stored as: every distinct text is read once (an empty one is None).

    ``refused`` holds the texts that cannot be taken, with the reason, until it is cleared.
    """

    def __init__(self, read: Reader) -> None:
        super().__init__({"": None})
        self._read = read
        self.refused: dict[str, str] = {}

    def __missing__(self, text: str) -> Cell:
        plain = unguarded(text.strip())
        try:
            value = self._read(plain) if plain else None
        except Refused as problem:
            self.refused[text] = str(problem)
            return None
        if len(self) < KEPT:
            self[text] = value
        return value

    def all(self, texts: Sequence[str]) -> list[Cell]:
        """What each of a column's next cells is stored as."""
        if self._read is _psid and _all_psids(texts):
            return list(texts)
        if self._read is _number and len(self) >= KEPT and (numbers := _all_numbers(texts)) is not None:
            return numbers
        return list(map(self.__getitem__, texts))


def _all_psids(texts: Sequence[str]) -> bool:
    """Is each of them a PSID as it stands? They are hardly ever alike: looking at all at once takes a tenth."""
    together = "".join(texts)
    return together.isascii() and together.isdigit() and all(texts) and max(map(len, texts)) <= PSID_LENGTH


def _all_numbers(texts: Sequence[str]) -> list[Cell] | None:
    """All of them read at once; None when one of them has a sign that only a careful reading can judge."""
    if "".join(texts).strip(_PLAIN_NUMBER) or max(map(len, texts)) > NUMBER_LENGTH:
        return None
    try:
        return list(map(float, texts))
    except ValueError:
        return None


def readers(columns: Sequence[Column], known: Mapping[str, AttributeDef], now: datetime) -> dict[str, Reader]:
    """Field → function from a cell's text (not empty) to what is stored. They raise Refused."""
    fixed: dict[str, Reader] = {
        "psid": _psid,
        "first_name": _text,
        "last_name": _text,
        "locale": _text,
        "timezone": _zone,
        "opted_out": _yes_no,
        "last_interaction_at": lambda text: _instant(text, now),
        "labels": _text,
    }
    typed: dict[AttributeType, Reader] = {
        AttributeType.NUMBER: _number,
        AttributeType.DATE: _date,
        AttributeType.YES_NO: lambda text: "true" if _yes_no(text) else "false",
        AttributeType.TEXT: _text,
    }
    return {
        column.field: fixed.get(column.field) or typed[known[column.field.removeprefix("attribute.")].type]
        for column in columns
    }


def _psid(text: str) -> str:
    if text.isascii() and text.isdigit() and len(text) <= PSID_LENGTH:
        return text
    if re.fullmatch(r"\d+([.,]\d+)?[eE]\+?\d+", text):
        raise Refused(
            f"psid {text!r} was turned into a number by a spreadsheet and lost digits; format the column as text"
        )
    raise Refused(f"psid {text[:40]!r} is not a number")


def _text(text: str) -> str:
    if "\x00" in text:
        raise Refused("a cell has a NUL character")
    if len(text) > MAX_TEXT:
        raise Refused(f"a cell has {len(text)} characters; {MAX_TEXT} are the most")
    return text


def _number(text: str) -> float:
    if not _FLOAT.fullmatch(text) or not isfinite(value := float(text)):
        raise Refused(f"{text[:40]!r} is not a number")
    return value


def _yes_no(text: str) -> bool:
    try:
        return (_YES_NO | {"1": True, "0": False})[text.casefold()]
    except KeyError as error:
        raise Refused(f"{text[:40]!r} is neither true nor false") from error


def _date(text: str) -> str:
    """ISO text: a date, or an instant in UTC."""
    try:
        if len(text) == 10:
            return datetime.fromisoformat(text).date().isoformat()
        instant = datetime.fromisoformat(text).replace(microsecond=0)
        return instant.isoformat() if instant.tzinfo is None else iso(instant)
    except (ValueError, OverflowError) as error:
        raise Refused(f"{text[:40]!r} is not a date; write 2026-11-20") from error


def _instant(text: str, now: datetime) -> int:
    try:
        instant = datetime.fromisoformat(text)
        instant = instant if instant.tzinfo is None else instant.astimezone(UTC)
    except (ValueError, OverflowError) as error:
        serial = " (it looks like a spreadsheet's serial number)" if _NUMBER.fullmatch(text) else ""
        raise Refused(
            f"last_interaction_at {text[:40]!r} is not a time{serial}; write 2026-11-20T09:00:00+01:00"
        ) from error
    if instant.tzinfo is None:
        raise Refused(f"last_interaction_at {text[:40]!r} has no offset; write 2026-11-20T09:00:00+01:00")
    if instant > now + FUTURE_TOLERANCE:
        raise Refused(f"last_interaction_at {text[:40]!r} is in the future")
    return epoch_ms(instant)


def _zone(text: str) -> str:
    """An IANA name, or an offset written as ``+02:00``."""
    offset = re.fullmatch(r"(?:UTC)?([+-])(\d{1,2}):?(\d\d)?", text)
    zone = f"{offset[1]}{int(offset[2]):02}:{offset[3] or '00'}" if offset else {"Z": "UTC"}.get(text, text)
    if zone not in known_zones():
        raise Refused(f"timezone {text[:40]!r} is neither an IANA name nor an offset from UTC")
    return zone
