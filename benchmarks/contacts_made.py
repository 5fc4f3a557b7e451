"""A contacts file of any size: the same people for the same number, twelve custom attributes each."""

from __future__ import annotations

import csv
import random
from datetime import UTC, datetime, timedelta
from pathlib import Path

AT = datetime(2026, 11, 20, 12, tzinfo=UTC)
FIRST = [f"Fn{n}" for n in range(400)]
LAST = [f"Ln{n}" for n in range(4_000)]
LOCALES = ("en_US", "de_DE", "fr_FR", "es_ES", "pt_BR", "tr_TR")
ZONES = ("Europe/Berlin", "America/New_York", "Asia/Dhaka", "Europe/Paris")
CITIES = ("Berlin", "Paris", "Lima", "Oslo", "Rome", "Dhaka", "Kyiv", "Quito", "Accra", "Bern")
PLANS = ("free", "basic", "plus", "pro")
LABELS = ("", "vip", "newsletter", "vip;newsletter", "trial")
COLUMNS = (
    "psid", "first_name", "last_name", "locale", "timezone", "last_interaction_at", "opted_out", "labels",
    "city", "plan", "shop", "agent", "newsletter_since", "birthday", "member", "note",
    "score", "visits", "spent", "age",
)  # fmt: skip


def write(path: Path, people: int, seed: int = 7) -> Path:
    """Write ``people`` rows to ``path``; a third of them acted within the last day."""
    draw = random.Random(seed)
    with path.open("w", encoding="utf-8", newline="") as file:
        out = csv.writer(file)
        out.writerow(COLUMNS)
        for start in range(0, people, 10_000):
            out.writerows(_row(draw, n) for n in range(start, min(people, start + 10_000)))
    return path


def _row(draw: random.Random, n: int) -> tuple[object, ...]:
    r = draw.getrandbits(62)
    hours = r % 72 if r % 3 else r % 24
    acted = AT - timedelta(hours=hours, seconds=r % 3600)
    day = f"20{10 + r % 16}-{1 + r % 12:02}-{1 + r % 28:02}"
    return (
        24_000_000_000_000_000 + n * 7, FIRST[r % 400], LAST[(r >> 9) % 4_000], LOCALES[(r >> 20) % 6],
        ZONES[(r >> 23) % 4], acted.isoformat(), "true" if r % 29 == 0 else "false", LABELS[(r >> 26) % 5],
        CITIES[(r >> 29) % 10], PLANS[(r >> 33) % 4], f"shop {(r >> 35) % 200}", f"agent {(r >> 43) % 50}",
        day, day, "true" if r & 1 else "false", "", (r >> 3) % 1000, (r >> 7) % 40,
        ((r >> 11) % 100_000) / 100, 18 + (r >> 17) % 60,
    )  # fmt: skip
