"""What an export writes is what the csv module would write, whatever stands in the cells."""

from __future__ import annotations

import csv
import io
from pathlib import Path

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import delete, insert

from broadcaster.contacts.exporting import KNOWN, export_contacts
from broadcaster.contacts.formulas import guarded
from broadcaster.store import Store
from broadcaster.store.tables import Contact
from tests.conftest import NOW

TEXTS = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=12)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(names=st.lists(st.tuples(st.none() | TEXTS, st.none() | TEXTS), min_size=1, max_size=30))
def test_cells_are_written_as_the_csv_module_writes_them(
    store: Store, page_id: int, tmp_path: Path, names: list[tuple[str | None, str | None]]
) -> None:
    same = {"page_id": page_id, "source": "import", "created_at": NOW, "updated_at": NOW}
    people = [
        {**same, "psid": str(number), "first_name": first, "last_name": last, "locale": "=x"}
        for number, (first, last) in enumerate(names)
    ]
    with store.write() as conn:
        conn.execute(delete(Contact))
        conn.execute(insert(Contact), people)
    export_contacts(store, page_id, tmp_path / "out.csv")
    wanted = io.StringIO(newline="")
    writer = csv.writer(wanted)
    writer.writerow(KNOWN)
    writer.writerows(
        (str(number), guarded(first), guarded(last), "'=x", None, None, "false", None)
        for number, (first, last) in enumerate(names)
    )
    with (tmp_path / "out.csv").open(encoding="utf-8", newline="") as file:
        assert file.read() == wanted.getvalue()
