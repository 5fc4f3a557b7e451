"""Cells read a whole column at once must say what each of them says by itself."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from broadcaster.contacts import columns
from broadcaster.contacts.columns import PERSON_FIELDS, AttributeDef, Cell, Cells, Column, readers
from broadcaster.states import AttributeType

NOW = datetime(2026, 11, 20, 12, tzinfo=UTC)
COLUMNS = [Column(0, "psid", "psid"), Column(1, "score", "attribute.score")]
KNOWN = {"score": AttributeDef("score", AttributeType.NUMBER, "n1")}
TEXTS = st.lists(
    st.one_of(
        st.text("0123456789", min_size=1, max_size=70),
        st.text("0123456789.-+eE_ '\n٣", max_size=6),
        st.sampled_from(["", "nan", "inf", "9" * 310, "1e400", "=1", "-.5", "5.", "1-2", "²"]),
        st.floats(allow_nan=False, allow_infinity=False).map(str),
        st.integers(-(10**6), 10**6).map(lambda n: str(n / 100)),
    ),
    min_size=1,
)


def one_by_one(field: str, texts: list[str]) -> tuple[list[Cell], dict[str, str]]:
    cells = Cells(readers(COLUMNS, KNOWN, NOW)[field])
    return [cells[text] for text in texts], cells.refused


@pytest.mark.parametrize("field", ["psid", "attribute.score"])
@pytest.mark.parametrize("kept", [0, 5_000])
@given(texts=TEXTS)
def test_a_column_at_once_reads_as_its_cells_do(field: str, kept: int, texts: list[str]) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(columns, "KEPT", kept)
        cells = Cells(readers(COLUMNS, KNOWN, NOW)[field])
        assert (cells.all(texts), cells.refused) == one_by_one(field, texts)


EVERY = [Column(0, field, field) for field in PERSON_FIELDS] + [
    Column(1, kind, f"attribute.{kind}") for kind in AttributeType
]
OF_EACH_KIND = {kind.value: AttributeDef(kind.value, kind, None) for kind in AttributeType}
ODD = [
    "Mars/City", "Europe", "../etc/passwd", "/etc/localtime", "Europe/Berlin\0", "UTC+99", "+14:15", "-24:00", "Z",
    "0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59-14:00", "2026-02-30", "2026-11-20T24:00:00Z", "2026-11-20",
    "2026-W47-5", "20261120T090000Z", "2026-11-20T09:00:00+25:00", "45000.5", "31.02.1990", "٣١", "1e999", "-0", "0x10",
    "_1", "1_000", "NaN", "∞", "²", "yes", "NEIN", "\0", "\ud800", "\N{ZERO WIDTH SPACE}", "'=1+2", "9" * 5000,
]  # fmt: skip


@given(st.lists(st.one_of(st.sampled_from(ODD), st.text(max_size=30), st.datetimes().map(str)), min_size=1))
def test_any_cell_is_taken_or_has_its_reason(texts: list[str]) -> None:
    for field, read in readers(EVERY, OF_EACH_KIND, NOW).items():
        cells = Cells(read)
        assert len(cells.all(texts)) == len(texts)
        assert all(reason for reason in cells.refused.values()), field
