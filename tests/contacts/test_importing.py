"""Importing: what is taken, what is not and why, twice, dry, cancelled, taken back."""

from __future__ import annotations

import sqlite3
import threading
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from openpyxl import Workbook
from sqlalchemy import event, select

from broadcaster.clock import ManualClock
from broadcaster.contacts import ahead, importing, people, undo
from broadcaster.contacts.attributes import definitions
from broadcaster.contacts.exporting import export_contacts
from broadcaster.contacts.importing import import_contacts, preview
from broadcaster.contacts.interactions import InteractionFact, record
from broadcaster.errors import BadInput, EnvironmentFault, RefusedByPolicy
from broadcaster.states import AttributeType, InteractionKind, Source
from broadcaster.store import Store
from broadcaster.store.tables import Contact, ImportRun, Interaction, OptRecord
from tests.contacts.conftest import Take, new_page, table

HEADER = "psid,first_name,labels,last_interaction_at,city\n"
THREE = HEADER + (
    "11,Ada,vip;new,2026-11-20T10:00:00Z,Rome\n12,Bob,,2026-11-19T10:00:00+02:00,\n13,Cem,new,,Oslo\n"
)


def person(store: Store, page_id: int, psid: str) -> people.ContactRow:
    with store.read() as conn:
        found = people.find(conn, page_id, psid)
        assert found is not None
        return people.rows(conn, [found])[0]


def test_people_are_taken_with_labels_attributes_and_time(store: Store, take: Take, page_id: int) -> None:
    result = take(THREE)
    assert (result.rows, result.created, result.rejected, result.rejects_file) == (3, 3, 0, None)
    ada = person(store, page_id, "11")
    assert (ada.first_name, ada.labels, ada.attributes) == ("Ada", ("new", "vip"), {"city": "Rome"})
    assert ada.last_interaction_at == datetime(2026, 11, 20, 10, tzinfo=UTC)
    assert person(store, page_id, "12").last_interaction_at == datetime(2026, 11, 19, 8, tzinfo=UTC)


def test_the_same_file_twice_changes_nothing(store: Store, take: Take, page_id: int) -> None:
    take(THREE)
    before = person(store, page_id, "11")
    again = take(THREE)
    assert (again.created, again.updated, again.unchanged) == (0, 0, 3)
    assert person(store, page_id, "11") == before
    with store.read() as conn:
        assert len(conn.execute(select(Interaction)).all()) == 2


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "cp1252"])
@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
def test_encoding_and_delimiter_are_found_out(tmp_path: Path, encoding: str, delimiter: str) -> None:
    file = tmp_path / "people.csv"
    file.write_bytes("psid,name of street\n1,Königsstraße\n".replace(",", delimiter).encode(encoding))
    found = preview(file)
    assert found.delimiter == delimiter
    assert found.sample_rows == (("1", "Königsstraße"),)


def test_bad_rows_are_rejected_with_line_and_reason(take: Take, tmp_path: Path) -> None:
    rows = (
        "abc,Letters,,,\n,Empty,,,\n21,Zone,,2026-11-20T10:00:00,\n22,Future,,2026-11-21T10:00:00Z,\n"
        "23,Serial,,45981.5,\n24,Narrow\n25,Good,,,\n25,Twice,,,\n2.4E+16,Excel,,,\n26,N\0UL,,,\n"
    )
    result = take(HEADER + rows)
    assert (result.rows, result.created, result.duplicates, result.rejected) == (10, 1, 1, 8)
    reasons = {int(row["line"]): row["reason"] for row in table(tmp_path / "rejects.csv")}
    words = {2: "not a number", 3: "psid is empty", 4: "no offset", 5: "future", 6: "serial number"}
    words |= {7: "2 cells", 9: "before", 10: "spreadsheet", 11: "NUL"}
    assert reasons.keys() == words.keys()
    assert all(word in reasons[line] for line, word in words.items())


def test_a_mended_rejects_file_imports_again(store: Store, take: Take, page_id: int, tmp_path: Path) -> None:
    take(HEADER + "x31,Ada,vip,,Rome\n")
    mended = (tmp_path / "rejects.csv").read_text("utf-8").replace("x31", "31")
    assert take(mended).created == 1
    with store.read() as conn:
        assert definitions(conn, page_id).keys() == {"city"}


def test_a_quote_that_never_closes_costs_its_own_rows_only(take: Take) -> None:
    good = "".join(f"{n},Name,,,\n" for n in range(100, 5_000))
    result = take(HEADER + '41,"Ada "The" Great",,,\n42,"broken,,,\n' + good)
    assert result.created >= 4_900
    assert result.created + result.rejected == result.rows


def test_newlines_and_quotes_inside_cells_are_kept(store: Store, take: Take, page_id: int) -> None:
    take(HEADER + '51,"two\nlines, and ""quotes""",,,\n52,Next,,,\n')
    assert person(store, page_id, "51").first_name == 'two\nlines, and "quotes"'
    assert person(store, page_id, "52").first_name == "Next"


def test_attributes_get_the_narrowest_type_that_fits(store: Store, take: Take, page_id: int) -> None:
    take(
        "psid,score,since,member,zip,mixed\n1,12.5,2026-01-02,yes,01234,1\n2,-3,2025-12-31,no,99999,x\n3,,,,,\n"
    )
    with store.read() as conn:
        types = {name: one.type for name, one in definitions(conn, page_id).items()}
    assert types == {
        "score": AttributeType.NUMBER, "since": AttributeType.DATE, "member": AttributeType.YES_NO,
        "zip": AttributeType.TEXT, "mixed": AttributeType.TEXT,
    }  # fmt: skip
    known = person(store, page_id, "1").attributes
    assert known == {"score": 12.5, "since": "2026-01-02", "member": True, "zip": "01234", "mixed": "1"}


def test_attribute_names_may_be_anything(store: Store, take: Take, page_id: int) -> None:
    names = ["my city", "a.b.c", "🎂 day", "x'; DROP TABLE contact; --", 'with "quotes"']
    quoted = ",".join('"' + name.replace('"', '""') + '"' for name in names)
    take(f"psid,{quoted}\n1,a,b,c,d,e\n")
    assert person(store, page_id, "1").attributes == dict(zip(names, "abcde", strict=True))


def test_more_attributes_than_slots_stand_beside(store: Store, take: Take, page_id: int) -> None:
    names = [f"a{n}" for n in range(30)]
    file = f"psid,{','.join(names)}\n1,{','.join('x' * 30)}\n2,{',' * 29}\n"
    take(file)
    assert person(store, page_id, "1").attributes == dict.fromkeys(names, "x")
    assert take(file).unchanged == 2
    assert take(file.replace("x\n2", "y\n2")).updated == 1
    assert person(store, page_id, "1").attributes["a29"] == "y"


def test_ten_thousand_columns_are_refused_clearly(take: Take) -> None:
    with pytest.raises(BadInput, match="10001 columns; 500"):
        take("psid," + ",".join(f"c{n}" for n in range(10_000)) + "\n")


def test_an_older_time_never_overwrites_a_newer_one(store: Store, take: Take, page_id: int) -> None:
    take(THREE)
    older = take(HEADER + "11,Ada,,2026-11-18T10:00:00Z,\n")
    assert older.unchanged == 1
    assert person(store, page_id, "11").last_interaction_at == datetime(2026, 11, 20, 10, tzinfo=UTC)


@pytest.mark.parametrize(
    ("mode", "ada", "bob"),
    [("add", ("gold", "new", "vip"), ("new",)), ("replace", ("gold",), ()), ("update", ("gold",), ("new",))],
)
def test_labels_are_added_replaced_or_updated(
    store: Store, take: Take, page_id: int, mode: str, ada: tuple[str, ...], bob: tuple[str, ...]
) -> None:
    take("psid,labels\n1,vip;new\n2,new\n")
    take("psid,labels\n1,gold\n2,\n", label_mode=mode)
    assert (person(store, page_id, "1").labels, person(store, page_id, "2").labels) == (ada, bob)


def test_a_file_without_labels_takes_none_away(store: Store, take: Take, page_id: int) -> None:
    take("psid,labels\n1,vip\n")
    take("psid,first_name\n1,Ada\n", label_mode="replace")
    assert person(store, page_id, "1").labels == ("vip",)


def test_opting_out_by_a_file_is_recorded_and_never_undone_by_one(
    store: Store, take: Take, page_id: int
) -> None:
    take("psid,opted_out\n1,true\n2,false\n")
    assert take("psid,opted_out\n1,false\n2,true\n").updated == 1
    assert person(store, page_id, "1").opted_out and person(store, page_id, "2").opted_out
    with store.read() as conn:
        assert [row.source for row in conn.execute(select(OptRecord.source))] == ["import", "import"]


def test_a_dry_run_says_what_would_happen(store: Store, take: Take, page_id: int) -> None:
    take(THREE)
    told = take(HEADER + "11,Eva,,,\n12,Bob,,,\n14,Dan,extra,,\n", dry_run=True)
    assert (told.created, told.updated, told.unchanged) == (1, 1, 1)
    assert person(store, page_id, "11").first_name == "Ada"
    with store.read() as conn:
        assert people.count(conn, page_id) == 3
        assert people.labels(conn, page_id) == ["new", "vip"]


def test_a_cancelled_import_keeps_whole_batches_and_says_where_it_stopped(
    store: Store, take: Take, page_id: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ahead, "BATCH", 10)
    stop = threading.Event()
    file = "psid\n" + "".join(f"{n}\n" for n in range(1, 101))
    result = take(file, cancelled=stop, progress=lambda told: stop.set() if told.done >= 30 else None)
    assert (result.cancelled, result.rows, result.created) == (True, 30, 30)
    with store.read() as conn:
        run = conn.execute(select(ImportRun)).one()
        assert (run.state, run.done_rows, people.count(conn, page_id)) == ("cancelled", 30, 30)
    assert take(file).created == 70


def test_a_full_disk_keeps_whole_batches_and_the_file_goes_on_when_there_is_room(
    sqlite_store: Store, clock: ManualClock, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ahead, "BATCH", 1_000)
    room = {"pages": 1_000_000}

    def limit(connection: sqlite3.Connection, *_given: object) -> None:
        connection.execute(f"PRAGMA max_page_count={room['pages']}")

    def full_after_the_first(_told: importing.ImportProgress) -> None:
        with sqlite_store.read() as conn:
            room["pages"] = conn.exec_driver_sql("PRAGMA page_count").scalar_one()

    event.listen(sqlite_store.engine, "checkout", limit)
    page_id, file = new_page(sqlite_store, "1000"), tmp_path / "people.csv"
    file.write_text("psid,first_name\n" + "".join(f"{n},Person {n}\n" for n in range(1, 5_001)))
    with pytest.raises(EnvironmentFault, match="The disk is full"):
        import_contacts(sqlite_store, clock, page_id, file, progress=full_after_the_first)
    with sqlite_store.read() as conn:
        assert people.count(conn, page_id) == 1_000
    room["pages"] = 1_000_000
    again = import_contacts(sqlite_store, clock, page_id, file)
    assert (again.created, again.unchanged) == (4_000, 1_000)


def test_progress_tells_rate_and_end(take: Take, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ahead, "BATCH", 10)
    told: list[importing.ImportProgress] = []
    take("psid\n" + "".join(f"{n}\n" for n in range(1, 26)), progress=told.append)
    assert [(one.done, one.total) for one in told] == [(10, 25), (20, 25), (25, 25)]


def test_duplicates_are_found_across_batches(take: Take, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ahead, "BATCH", 2)
    result = take("psid,first_name\n1,A\n2,B\n1,C\n3,D\n")
    assert (result.created, result.duplicates, result.rejected) == (3, 1, 0)


def test_an_import_is_taken_back_as_a_whole(
    store: Store, take: Take, page_id: int, clock: ManualClock, tmp_path: Path
) -> None:
    take("psid,first_name,labels,city,opted_out,last_interaction_at\n1,Ada,vip,Rome,,2026-11-01T10:00:00Z\n")
    before, old = person(store, page_id, "1"), tmp_path / "before.csv"
    export_contacts(store, page_id, old)
    clock.move(timedelta(hours=1))
    second = take(
        "psid,first_name,labels,city,opted_out,last_interaction_at\n"
        "1,Eva,new,Oslo,true,2026-11-20T10:00:00Z\n2,Bob,new,Bern,,2026-11-20T10:00:00Z\n"
    )
    assert undo.undo_import(store, second.import_id or 0, "planner", clock.now()) == 2
    again = tmp_path / "after.csv"
    export_contacts(store, page_id, again)
    assert again.read_text() == old.read_text()
    assert person(store, page_id, "1").created_at == before.created_at
    with store.read() as conn:
        assert len(conn.execute(select(Interaction)).all()) == 1


def test_an_import_that_was_used_is_not_taken_back(
    store: Store, take: Take, page_id: int, clock: ManualClock
) -> None:
    first = take(THREE)
    with store.write() as conn:
        record(
            conn, page_id, [InteractionFact("11", InteractionKind.MESSAGE, clock.now(), Source.WEBHOOK, "k")]
        )
    with pytest.raises(RefusedByPolicy, match="what the people did since"):
        undo.undo_import(store, first.import_id or 0, "planner", clock.now())


@pytest.mark.parametrize(
    ("written", "kept"),
    [
        ("Europe/Berlin", "Europe/Berlin"), ("+02:00", "+02:00"), ("UTC+2", "+02:00"), ("-0330", "-03:30"),
        ("Z", "UTC"), ("Mars/City", None), ("Europe", None), ("../Berlin", None), ("+99:00", None), ("+02:99", None),
    ],
)  # fmt: skip
def test_a_zone_is_one_that_there_is(
    written: str, kept: str | None, sqlite_store: Store, clock: ManualClock, tmp_path: Path
) -> None:
    file = tmp_path / "people.csv"
    file.write_text(f"psid,timezone\n1,{written}\n2,\n", "utf-8")
    page_id = new_page(sqlite_store, "2000")
    result = importing.import_contacts(sqlite_store, clock, page_id, file, rejects=tmp_path / "rejects.csv")
    assert (result.created, result.rejected) == (2 - (kept is None), int(kept is None))
    if kept is None:
        assert f"timezone '{written}' is neither" in (tmp_path / "rejects.csv").read_text()
    else:
        assert person(sqlite_store, page_id, "1").timezone == kept


@pytest.mark.parametrize(
    ("later", "used"), [("7,Ida", False), ("7,Ida\n,nobody", False), ("2,Bea", True), ("2,Bob", True)]
)
def test_a_later_import_stands_in_the_way_only_when_it_met_the_same_people(
    later: str, used: bool, store: Store, take: Take, clock: ManualClock
) -> None:
    first = take("psid,first_name\n1,Ada\n2,Bob\n")
    second = take(f"psid,first_name\n{later}\n")
    if used:
        with pytest.raises(RefusedByPolicy, match="a later import"):
            undo.undo_import(store, first.import_id or 0, "planner", clock.now())
        undo.undo_import(store, second.import_id or 0, "planner", clock.now())
    assert undo.undo_import(store, first.import_id or 0, "planner", clock.now()) == 2
    with store.read() as conn:
        assert conn.execute(select(Contact.__table__.c.first_name)).scalars().all() == (
            [] if used else ["Ida"]
        )


def test_our_own_export_imports_without_a_difference(store: Store, take: Take, tmp_path: Path) -> None:
    cells = [
        '"=1+2"',
        '"+49 30 1234"',
        '"-x"',
        '"@me"',
        '"new\nline; ""q"""',
        "007",
        "3.5",
        "yes",
        "2026-01-02",
    ]
    header = "psid,first_name,last_name,labels,timezone,a,b,c,d,e,f,g,h,i\n"
    take(header + f"1,=SUM(A1),Ünal,vip;new,+02:00,{','.join(cells)}\n2,,,,Europe/Berlin,{',' * 8}\n")
    out = tmp_path / "out.csv"
    assert export_contacts(store, 1, out) == 2
    assert not any(cell.startswith(("=", "@")) for row in table(out) for cell in row.values())
    again = take(out)
    assert (again.unchanged, again.rejected) == (2, 0)
    other = new_page(store, "2000")
    importing.import_contacts(store, ManualClock(datetime(2026, 11, 20, 12, tzinfo=UTC)), other, out)
    copy = tmp_path / "copy.csv"
    export_contacts(store, other, copy)
    assert copy.read_bytes() == out.read_bytes()


def test_whatever_an_import_names_is_there(
    sqlite_store: Store, clock: ManualClock, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ahead, "BATCH", 2)
    page_id, file = new_page(sqlite_store, "3000"), tmp_path / "people.csv"
    many = ",".join(f"a{n}" for n in range(30))  # more attributes than slots: some stand beside
    for city, label in (("Rome", "vip"), ("Oslo", "new")):
        rows = "".join(
            f"{n},{label};all,true,2026-11-19T10:0{n}:00Z,{','.join([city] * 30)}\n" for n in range(5)
        )
        file.write_text(f"psid,labels,opted_out,last_interaction_at,{many}\n{rows}")
        importing.import_contacts(sqlite_store, clock, page_id, file)
    with sqlite_store.read() as conn:
        assert conn.exec_driver_sql("PRAGMA foreign_key_check").all() == []


def test_a_workbook_is_read_too(store: Store, take: Take, page_id: int, tmp_path: Path) -> None:
    book = Workbook()
    sheet = book.active
    assert sheet is not None
    sheet.append(["psid", "first_name", "visits", "since"])
    sheet.append(["24000000000000001", "Ada", 3, datetime(2026, 1, 2)])
    sheet.append([2, "Bob", 4.5, None])
    sheet.append(["x", "Bad", None, None])
    book.save(tmp_path / "people.xlsx")
    result = take(tmp_path / "people.xlsx")
    assert (result.created, result.rejected, result.encoding) == (2, 1, "xlsx")
    assert person(store, page_id, "24000000000000001").attributes["visits"] == 3
    assert table(tmp_path / "rejects.csv")[0]["line"] == "4"


def test_columns_can_be_mapped(store: Store, take: Take, page_id: int) -> None:
    mapping = {"Kennung": "psid", "Vorname": "first_name", "Ort": "attribute.city"}
    take("Kennung,Vorname,Ort\n7,Ada,Rome\n", mapping=mapping)
    assert person(store, page_id, "7").attributes == {"city": "Rome"}


@pytest.mark.parametrize(
    ("content", "text"),
    [("", "is empty"), ("name\nAda\n", "no column psid"), ("psid,a,A\n1,2,3\n", "stands there twice")],
)
def test_a_file_that_cannot_be_taken_is_refused_before_anything(take: Take, content: str, text: str) -> None:
    with pytest.raises(BadInput, match=text):
        take(content)


def test_a_file_that_still_grows_is_told(take: Take, tmp_path: Path) -> None:
    file = tmp_path / "people.csv"

    def grow(_told: object) -> None:
        with file.open("a") as more:
            more.write("3\n")

    assert "changed while it was read" in take("psid\n1\n2\n", progress=grow).warning


def test_a_rejected_formula_is_kept_harmless_and_means_the_same(
    store: Store, take: Take, page_id: int, tmp_path: Path
) -> None:
    take("psid,first_name,score\nx1,=SUM(A1),-5\n")
    row = table(tmp_path / "rejects.csv")[0]
    assert (row["first_name"], row["score"]) == ("'=SUM(A1)", "'-5")
    assert take((tmp_path / "rejects.csv").read_text("utf-8").replace("x1", "1")).created == 1
    ada = person(store, page_id, "1")
    assert (ada.first_name, ada.attributes["score"]) == ("=SUM(A1)", -5)


def test_a_column_can_be_left_out_and_an_attribute_named_shortly(
    store: Store, take: Take, page_id: int
) -> None:
    take("psid,Ort,secret\n1,Rome,x\n", mapping={"Ort": "city", "secret": "-"})
    assert person(store, page_id, "1").attributes == {"city": "Rome"}


def test_the_rejects_never_overwrite_the_file(take: Take, tmp_path: Path) -> None:
    with pytest.raises(BadInput, match="cannot be written"):
        take("psid\nx\n", rejects=tmp_path / "people.csv")


def test_an_attribute_is_what_it_was_said_to_be(store: Store, take: Take, page_id: int) -> None:
    take("psid,zip\n1,10115\n2,20095\n", mapping={"zip": "attribute.zip:text"})
    assert person(store, page_id, "1").attributes["zip"] == "10115"
    take("psid,since\n1,2026-01-02\n2,soon\n", mapping={"since": "since:date"})
    with store.read() as conn:
        assert definitions(conn, page_id)["since"].type == AttributeType.DATE
    with pytest.raises(BadInput, match="is a text already"):
        take("psid,zip\n1,3\n", mapping={"zip": "attribute.zip:number"})


def test_a_colon_in_a_name_is_no_type(store: Store, take: Take, page_id: int) -> None:
    take("psid,ratio\n1,3\n", mapping={"ratio": "attribute.a:b"})
    with store.read() as conn:
        assert list(definitions(conn, page_id)) == ["a:b"]


@pytest.mark.parametrize(
    ("text", "quote"),
    [
        ("psid;name\n'1';'Ada; King'\n'2';'Bob'\n", "'"),
        ('psid;name\n"1";"Ada; King"\n2;O\'Neil\n', '"'),
        ("psid;name\n1;'t Hooft\n2;D'Arcy\n", '"'),
    ],
)
def test_quoting_is_found_out(
    store: Store, take: Take, page_id: int, tmp_path: Path, text: str, quote: str
) -> None:
    (tmp_path / "people.csv").write_text(text)
    assert preview(tmp_path / "people.csv").quote == quote
    result = take(text, mapping={"name": "first_name"})
    assert (result.created, result.rejected) == (2, 0)
    if "Ada" in text:
        assert person(store, page_id, "1").first_name == "Ada; King"
