"""The policy's questions on a million contacts (SQLite), beside DuckDB and a plain Python loop over the same rows.

    python -m benchmarks.policy_million [--contacts 1000000] [--folder DIR] [--runs 5]

Prints one table: the median of the runs, and every figure's ratio to the plain loop of the same run.
"""

from __future__ import annotations

import argparse
import csv
import gc
import random
import re
import sqlite3
import statistics
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import duckdb
import psutil
from sqlalchemy import ColumnElement, func, select, text, true
from sqlalchemy.dialects import sqlite

from broadcaster.clock import epoch_ms
from broadcaster.policy import decide
from broadcaster.policy.explain import explain
from broadcaster.policy.forecast import forecast, queue_aware
from broadcaster.policy.packs import shipped
from broadcaster.policy.question import Question
from broadcaster.policy.quiet import QuietHours
from broadcaster.policy.terms import HOUR
from broadcaster.store import Store, open_store
from broadcaster.store.tables import Contact, ContactLabel

AT = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)
CONTACTS, LABELS = Contact.__table__, ContactLabel.__table__
QUIET = {"from": "21:00", "to": "08:00", "timezone": "recipient"}
ZONES = (
    "Europe/Berlin",
    "America/New_York",
    "Asia/Manila",
    "Asia/Tokyo",
    "America/Sao_Paulo",
    "Europe/London",
    None,
)
CITIES = ("Berlin", "Hamburg", "Manila", "Lagos", "Lima", "Osaka", "Leeds", "Austin")


@dataclass(frozen=True)
class Slot:
    slot: str | None


def people(count: int, seed: int = 7) -> Iterator[tuple[Any, ...]]:
    """A tenth never wrote, a quarter did in the last day, three in ten in the last week, the rest before."""
    rng, now = random.Random(seed), epoch_ms(AT)
    for number in range(count):
        draw = rng.random()
        hours = rng.random() * (24 if draw < 0.25 else 168 if draw < 0.55 else 24 * 400)
        last = None if draw > 0.9 else now - int(hours * HOUR)
        message = None if last is None or rng.random() < 0.5 else last - rng.randrange(0, 40 * HOUR, 1000)
        sent = now - rng.randrange(30 * 24 * HOUR) if rng.random() < 0.3 else None
        yield (
            number + 1, 1, f"{10**15 + number}", f"First{number % 5000}", f"Last{number % 20000}", "en_US",
            rng.choice(ZONES), rng.random() < 0.03, rng.random() < 0.02, last, message, sent, "import", now, now,
            rng.choice(CITIES) if rng.random() < 0.8 else None, rng.choice(("gold", "free", None)),
            rng.random() * 1000,
        )  # fmt: skip


def build(folder: Path, count: int) -> Store:
    """The database with ``count`` people, made once per folder."""
    path = folder / f"policy-{count}.db"
    fresh = not path.exists()
    store = open_store(f"sqlite:///{path}", AT)
    if fresh:
        columns = (
            "id, page_id, psid, first_name, last_name, locale, timezone, opted_out, unreachable, last_interaction_at,"
            " last_message_at, last_sent_at, source, created_at, updated_at, t1, t2, n1"
        )
        marks = ", ".join("?" * 18)
        with sqlite3.connect(path) as raw:
            raw.execute(
                "INSERT INTO page (id, graph_id, name, platform, graph_url, graph_version, state, features, scopes,"
                " webhook_subscribed, throttle_per_second, usage_percent, practice, connected_at)"
                " VALUES (1, '100', 'Bench', 'messenger', 'x', 'v26.0', 'ready', '{}', '[]', 0, 10, 0, 1, 0)"
            )
            raw.executemany(f"INSERT INTO contact ({columns}) VALUES ({marks})", people(count))
            _history(raw, count)
            raw.execute("ANALYZE")
        raw.close()
    return store


def _history(raw: sqlite3.Connection, count: int) -> None:
    """A label on one person in twenty; two finished campaigns, the second to half of the first."""
    rng = random.Random(3)
    raw.execute("INSERT INTO label (id, page_id, name) VALUES (1, 1, 'already booked')")
    labelled = [(1, number) for number in range(1, count + 1) if rng.random() < 0.05]
    raw.executemany("INSERT INTO contact_label (label_id, contact_id) VALUES (?, ?)", labelled)
    raw.execute(
        "INSERT INTO audience (id, page_id, name, kind, filter, created_at, updated_at)"
        " VALUES (1, 1, 'all', 'dynamic', '{}', 0, 0)"
    )
    for number in (1, 2):
        raw.execute(
            "INSERT INTO campaign (id, name, page_id, audience_id, permission, message, exclude, throttle_per_second,"
            " options, late_policy, state, revision, created_at, created_by, updated_at, reasons_at_launch)"
            " VALUES (?, ?, 1, 1, 'standard', '{}', '[]', 10, '{}', 'ask', 'finished', 1, 0, 'a', 0, '{}')",
            (number, f"campaign {number}"),
        )
    sent = raw.execute("SELECT id, last_sent_at FROM contact WHERE last_sent_at IS NOT NULL").fetchall()
    rows = [(1, id_, "sent", at) for id_, at in sent]
    rows += [(2, id_, "read", at - 24 * HOUR) for id_, at in sent if rng.random() < 0.5]
    raw.executemany(
        "INSERT INTO delivery (campaign_id, contact_id, state, sent_at, attempt, retries, settle_reads)"
        " VALUES (?, ?, ?, ?, 1, 0, 0)",
        rows,
    )


def question(permission: str = "standard", **given: Any) -> Question:
    audience: ColumnElement[bool] = given.pop("audience", true())
    fitting = {"template_approved": True, "message_kind": "feedback"}
    return Question(1, "messenger", permission, AT, shipped(), audience, **fitting, **given)


def timed(what: Callable[[], object], runs: int) -> float:
    """Median milliseconds, after one warm-up."""
    what()
    taken = []
    for _ in range(runs):
        gc.collect()
        begun = time.perf_counter()
        what()
        taken.append((time.perf_counter() - begun) * 1000)
    return statistics.median(taken)


def all_rules(store: Store) -> Question:
    """Every rule at work: an excluded label, a placeholder, a cap, quiet hours by each person's clock."""
    with store.read() as conn:
        label = conn.execute(text("SELECT id FROM label")).scalar_one()
    excluded = CONTACTS.c.id.in_(select(LABELS.c.contact_id).where(LABELS.c.label_id == label))
    return question(
        excluded=excluded,
        required_fields=("first_name",),
        quiet_hours=QUIET,
        frequency_cap={"max": 2, "per": "7d"},
    )


def plain_loop(path: Path) -> tuple[Counter[str], Counter[str]]:
    """The same rules row by row in Python: first failing rule, and every failing rule."""
    now = epoch_ms(AT)
    week, closed = now - 7 * 24 * HOUR, now - 24 * HOUR + 60_000
    raw = sqlite3.connect(path)
    excluded = {row[0] for row in raw.execute("SELECT contact_id FROM contact_label")}
    sent: Counter[int] = Counter()
    query = "SELECT contact_id FROM delivery WHERE sent_at > ? AND sent_at <= ? AND state IN ('sent', 'read')"
    for row in raw.execute(query, (week, now)):
        sent[row[0]] += 1
    quiet = {zone: QuietHours.parse(QUIET).quiet_in(zone or "UTC", AT) for zone in ZONES}
    first: Counter[str] = Counter()
    failing: Counter[str] = Counter()
    rows = raw.execute(
        "SELECT id, opted_out, unreachable, last_interaction_at, first_name, timezone FROM contact WHERE page_id = 1"
    )
    for id_, opted_out, unreachable, last, name, zone in rows:
        stops = []
        if opted_out:
            stops.append("opted_out")
        if unreachable:
            stops.append("unreachable")
        if id_ in excluded:
            stops.append("excluded")
        if last is None:
            stops.append("never_interacted")
        elif last > now:
            stops.append("interaction_in_future")
        elif last <= closed:
            stops.append("outside_24h")
        if not name:
            stops.append("missing_value")
        if sent[id_] >= 2:
            stops.append("frequency_cap")
        if quiet[zone]:
            stops.append("quiet_hours")
        first[stops[0] if stops else "eligible"] += 1
        for stop in stops:
            failing[stop] += 1
    raw.close()
    return first, failing


def in_duckdb(path: Path, folder: Path) -> duckdb.DuckDBPyConnection:
    """The same rows in DuckDB's memory."""
    base = duckdb.connect()
    raw = sqlite3.connect(path)
    tables = {
        "contact": "id BIGINT, page_id INT, opted_out INT, unreachable INT, last_interaction_at BIGINT,"
        " last_message_at BIGINT, ad_window_until BIGINT, last_sent_at BIGINT, timezone VARCHAR, first_name VARCHAR",
        "contact_label": "label_id INT, contact_id BIGINT",
        "delivery": "contact_id BIGINT, sent_at BIGINT, state VARCHAR",
    }
    for name, columns in tables.items():
        names = [column.split()[0] for column in columns.split(",")]
        dump = folder / f"{name}.csv"
        with dump.open("w", newline="") as file:
            csv.writer(file).writerows(raw.execute(f"SELECT {', '.join(names)} FROM {name}"))
        base.execute(f"CREATE TABLE {name} ({columns})")
        base.execute(f"COPY {name} FROM '{dump}' (HEADER false)")
        dump.unlink()
    raw.close()
    return base


def duckdb_check(base: duckdb.DuckDBPyConnection, q: Question, sql: str) -> Counter[str]:
    return Counter({reason or "eligible": people for reason, people in base.execute(sql).fetchall()})


def statement(q: Question) -> str:
    """The verdict of ``q`` counted by reason, with its values written in."""
    verdict = decide.verdict(q).label("reason")
    query = select(verdict, func.count()).where(CONTACTS.c.page_id == q.page_id, q.audience).group_by(verdict)
    sql = str(query.compile(dialect=sqlite.dialect(), compile_kwargs={"literal_binds": True}))
    listed = r"(\S+)\s+FROM json_each\(('.*?')\) AS \S+?(?=\))"
    return re.sub(listed, r"""unnest(from_json(\2, '["VARCHAR"]'))""", sql)  # as DuckDB spells it


def measure(store: Store, folder: Path, runs: int) -> list[tuple[str, float, str]]:
    path = Path(str(store.engine.url.database))
    full, plain = all_rules(store), question()
    city = question(required_fields=("attribute.city",), definitions={"city": Slot("t1")})
    first, failing = plain_loop(path)
    loop = timed(lambda: plain_loop(path), max(1, runs // 2))
    base, sql = in_duckdb(path, folder), statement(full)
    assert duckdb_check(base, full, sql) == first
    quick = timed(lambda: duckdb_check(base, full, sql), runs)
    base.close()
    with store.read(wide=True) as conn:
        found = decide.check(conn, full)
        reasons = {str(reason): people for reason, people in found.reasons.items()}
        assert Counter({**reasons, "eligible": found.eligible}) == first
        assert Counter({str(reason): people for reason, people in found.also_failing.items()}) == failing
        figures: list[tuple[str, Callable[[], object], str]] = [
            ("check, all rules", lambda: decide.check(conn, full), "≤ 500"),
            ("check, window rules only", lambda: decide.check(conn, plain), "≤ 500"),
            ("check, placeholder outside the index", lambda: decide.check(conn, city), ""),
            ("eligible count", lambda: decide.eligible_count(conn, plain), "≤ 20"),
            ("eligible count, all rules", lambda: decide.eligible_count(conn, full), ""),
            ("forecast of 168 hours", lambda: forecast(conn, plain, AT, 168), "≤ 500"),
            ("forecast of 168 hours, all rules", lambda: forecast(conn, full, AT, 168), "≤ 500"),
            ("what-if, 8 ways to send", lambda: decide.compare(conn, plain), "≤ 1500"),
            ("what-if, 8 ways to send, all rules", lambda: decide.compare(conn, full), "≤ 1500"),
            ("queue fit", lambda: queue_aware(conn, plain, AT, 10), ""),
            ("explain one person, all rules", lambda: explain(conn, full, 500_000), "≤ 5"),
        ]
        rows = [(name, timed(what, runs), bar) for name, what, bar in figures]
    return [
        *rows,
        ("plain Python loop, all rules", loop, ""),
        ("DuckDB in memory, all rules, first rule only", quick, ""),
    ]


def own_memory() -> int:
    """Megabytes this process holds itself, pages of the database's file aside."""
    held = psutil.Process().memory_info()
    return int(held.rss - getattr(held, "shared", 0)) >> 20


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--contacts", type=int, default=1_000_000)
    parser.add_argument("--folder", type=Path, default=None)
    parser.add_argument("--runs", type=int, default=5)
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as spare:
        folder = asked.folder or Path(spare)
        folder.mkdir(parents=True, exist_ok=True)
        store = build(folder, asked.contacts)
        memory = own_memory()
        with store.read(wide=True) as conn:
            decide.compare(conn, all_rules(store))
            forecast(conn, all_rules(store), AT, 168)
        grown = own_memory() - memory
        rows = measure(store, folder, asked.runs)
        store.close()
    loop = next(taken for name, taken, _ in rows if name.startswith("plain Python"))
    print(
        f"{asked.contacts:,} contacts, SQLite {sqlite3.sqlite_version}, DuckDB {duckdb.__version__}, median of {asked.runs}"
    )
    print(f"{'what':<46} {'ms':>8} {'bar':>8} {'to loop':>8}")
    for name, taken, bar in rows:
        print(f"{name:<46} {taken:>8.1f} {bar:>8} {taken / loop:>8.3f}")
    print(f"memory grown by a what-if and a forecast: {grown} MB (the file's mapped pages aside)")


if __name__ == "__main__":
    main()
