"""People by the million: import, counts, pages, export; DuckDB and polars do the same work in the same run.

    python -m benchmarks.contacts_million [--contacts 1000000] [--folder DIR] [--database URL]

Twelve custom attributes a person and three interactions. Prints one line per work with its ratio to the peers.
"""

from __future__ import annotations

import argparse
import resource
import sqlite3
import statistics
import tempfile
import time
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import duckdb
import polars as pl
from sqlalchemy import insert, text

from benchmarks import contacts_made as made
from broadcaster.audiences import counting, saved
from broadcaster.clock import ManualClock, epoch_ms
from broadcaster.contacts import people
from broadcaster.contacts.exporting import export_contacts
from broadcaster.contacts.importing import import_contacts
from broadcaster.store import Store, open_store
from broadcaster.store.tables import Page

THREE = {
    "all": [
        {"field": "opted_out", "op": "eq", "value": False},
        {"field": "last_interaction_at", "op": "within_last", "value": "24h"},
        {"field": "locale", "op": "eq", "value": "de_DE"},
    ]
}
FIVE = {
    "all": [
        *THREE["all"][:2],
        {"field": "label", "op": "has_label", "value": "vip"},
        {"field": "attribute.city", "op": "in", "value": ["Berlin", "Oslo"]},
        {"field": "attribute.score", "op": "gte", "value": 500},
    ]
}
SINCE = "2026-11-19T12:00:00+00:00"
SQL_THREE = f"NOT opted_out AND acted >= TIMESTAMPTZ '{SINCE}' AND locale = 'de_DE'"
SQL_FIVE = (
    f"NOT opted_out AND acted >= TIMESTAMPTZ '{SINCE}' AND list_contains(string_split(labels, ';'), 'vip') "
    "AND city IN ('Berlin', 'Oslo') AND score >= 500"
)


class RealTime(ManualClock):
    """Stands still at the file's instant but paces by the machine's clock."""

    def monotonic(self) -> float:
        return time.monotonic()


def main() -> None:
    given = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    given.add_argument("--contacts", type=int, default=1_000_000)
    given.add_argument("--folder", type=Path)
    given.add_argument("--database", help="default: SQLite in the folder")
    asked = given.parse_args()
    with tempfile.TemporaryDirectory() as temporary:
        folder = asked.folder or Path(temporary)
        folder.mkdir(parents=True, exist_ok=True)
        file = folder / f"people-{asked.contacts}.csv"
        if not file.exists():
            made.write(file, asked.contacts)
        url = asked.database or f"sqlite:///{folder / 'people.db'}"
        if not asked.database:
            (folder / "people.db").unlink(missing_ok=True)
        store = open_store(url, made.AT)
        ours(store, file, folder, asked.contacts)
        store.close()
        if not asked.database:
            peers(file, folder, asked.contacts)


def ours(store: Store, file: Path, folder: Path, count: int) -> None:
    page_id = _page(store)
    clock = RealTime(made.AT)
    rate("import", count, lambda: import_contacts(store, clock, page_id, file))
    rate("import the same again", count, lambda: import_contacts(store, clock, page_id, file))
    own, beside = (
        resource.getrusage(whose).ru_maxrss / 1024
        for whose in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)
    )
    print(f"{'most memory until here':<34}{own:>10.0f} MB   {beside:.0f} MB in the process that reads")
    _interactions(store, page_id)
    with store.read(wide=True) as conn:
        for name, tree in (("count, three conditions", THREE), ("count, five conditions", FIVE)):
            clause = saved.filter_clause(conn, page_id, tree, made.AT)
            speed(name, lambda clause=clause: counting.count(conn, page_id, clause))
        start = time.perf_counter()
        ids = people.search_ids(conn, page_id, sort="last_name")
        print(f"{'ids of all, by last name':<34}{1000 * (time.perf_counter() - start):>10.0f} ms")
        places = range(0, max(1, len(ids) - 130), max(1, len(ids) // 7))
        worst = max(_timed(lambda at=at: people.rows(conn, ids[at : at + 128])) for at in places)
        print(f"{'page of 128 rows, slowest place':<34}{worst:>10.1f} ms")
    rate("export", count, lambda: export_contacts(store, page_id, folder / "ours.csv"))


def bare(folder: Path, count: int) -> None:
    """The least that SQLite could do: rows of seven columns with the unique key, nothing checked or kept beside."""
    rows = [
        (1, str(24_000_000_000_000_000 + n), f"Fn{n % 400}", f"Ln{n % 4000}", "de_DE", 1, n)
        for n in range(count)
    ]
    with closing(sqlite3.connect(folder / "bare.db", isolation_level=None)) as db:
        db.execute("PRAGMA journal_mode=WAL")
        db.execute("PRAGMA synchronous=NORMAL")
        db.execute("DROP TABLE IF EXISTS person")
        db.execute("CREATE TABLE person (id INTEGER PRIMARY KEY, a, b TEXT, c, d, e, f, g, UNIQUE (a, b))")

        def write() -> None:
            for start in range(0, count, 10_000):
                db.execute("BEGIN")
                part = rows[start : start + 10_000]
                db.executemany("INSERT INTO person (a, b, c, d, e, f, g) VALUES (?, ?, ?, ?, ?, ?, ?)", part)
                db.execute("COMMIT")

        rate("sqlite3: bare executemany", count, write)


def peers(file: Path, folder: Path, count: int) -> None:
    bare(folder, count)
    db = duckdb.connect(str(folder / "peer.duckdb"))
    db.execute("SET threads = 2")
    db.execute("DROP TABLE IF EXISTS people")
    load = (
        f"CREATE TABLE people AS SELECT *, last_interaction_at::TIMESTAMPTZ AS acted FROM read_csv('{file}')"
    )
    rate("DuckDB: load the file", count, lambda: db.execute(load))
    db.execute("UPDATE people SET labels = coalesce(labels, '')")
    for name, where in (("three", SQL_THREE), ("five", SQL_FIVE)):
        query = f"SELECT count(*) FROM people WHERE {where}"
        speed(f"DuckDB: count, {name} conditions", lambda query=query: db.execute(query).fetchone())
    rate(
        "DuckDB: write the file",
        count,
        lambda: db.execute(f"COPY people TO '{folder / 'duck.csv'}' (HEADER)"),
    )
    db.close()
    frames: list[pl.DataFrame] = []
    rate("polars: load the file", count, lambda: frames.append(pl.read_csv(file)))
    frame = frames[0].with_columns(
        pl.col("last_interaction_at").str.to_datetime(time_zone="UTC").alias("acted")
    )
    recent = ~pl.col("opted_out") & (pl.col("acted") >= pl.lit(SINCE).str.to_datetime(time_zone="UTC"))
    three = recent & (pl.col("locale") == "de_DE")
    vip = pl.col("labels").fill_null("").str.split(";").list.contains("vip")
    five = recent & vip & pl.col("city").is_in(["Berlin", "Oslo"]) & (pl.col("score") >= 500)
    for name, wanted in (("three", three), ("five", five)):
        speed(
            f"polars: count, {name} conditions",
            lambda wanted=wanted: frame.select(wanted.sum()).item(),
        )
    rate("polars: write the file", count, lambda: frame.write_csv(folder / "polars.csv"))


def _page(store: Store) -> int:
    values = {"graph_id": "1", "name": "P", "platform": "messenger", "graph_url": "x", "graph_version": "v"}
    with store.write() as conn:
        done = conn.execute(insert(Page).values(**values, connected_at=made.AT))
        return int((done.inserted_primary_key or (0,))[0])


def _interactions(store: Store, page_id: int) -> None:
    """Two more for everybody: with the import's own that makes three."""
    with store.write() as conn:
        for days in (3, 9):
            conn.execute(
                text(
                    "INSERT INTO interaction (page_id, contact_id, kind, at, source) "
                    f"SELECT page_id, id, 'message', {epoch_ms(made.AT)} - {days} * 86400000 - id % 86400000, 'sync' "
                    f"FROM contact WHERE page_id = {page_id}"
                )
            )
    with store.write() as conn:
        conn.execute(text("ANALYZE"))


def rate(name: str, count: int, work: Callable[[], Any]) -> None:
    start, cpu = time.perf_counter(), time.process_time()
    work()
    seconds = time.perf_counter() - start
    print(f"{name:<34}{count / seconds:>10,.0f} rows/s   {time.process_time() - cpu:.1f} CPU s", flush=True)


def speed(name: str, work: Callable[[], Any], runs: int = 7) -> None:
    found = work()
    times = [_timed(work) for _ in range(runs)]
    print(f"{name:<34}{statistics.median(times):>10.1f} ms       {found}", flush=True)


def _timed(work: Callable[[], Any]) -> float:
    start = time.perf_counter()
    work()
    return 1000 * (time.perf_counter() - start)


if __name__ == "__main__":
    main()
