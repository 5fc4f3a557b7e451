"""How good the promotional findings are, on labelled messages: ``python -m benchmarks.evaluate_promotional``.

Prints precision, recall and F1 by language and by permission, how often the fit is right, the worst misses,
and the time per message. Ends with 1 when a bar on the measured part is missed.
"""

from __future__ import annotations

import csv
import random
import statistics
import sys
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from broadcaster.content.promotional import PromotionalChecker, TextCheck, default_checker

FOLDER = Path(__file__).parents[1] / "tests" / "data" / "promotional"
PARTS = ("building", "measured")
BARS = {"en": 0.95}
OTHER_BAR = FIT_BAR = 0.90
SHOWN = 12
FUZZED = 100


@dataclass(frozen=True, slots=True)
class Labelled:
    """One message with what a reader said of it; ``why`` names its kind in a word or two."""

    id: str
    lang: str
    permission: str
    promotional: bool
    fits: bool
    why: str
    text: str


@dataclass(frozen=True, slots=True)
class Judged:
    row: Labelled
    check: TextCheck

    @property
    def right(self) -> bool:
        return self.row.promotional == self.check.promotional

    @property
    def fit_right(self) -> bool:
        return self.row.fits == self.check.fits_permission


@dataclass(frozen=True, slots=True)
class Figures:
    """Shares from 0 to 1; 1 where nothing was to be found or nothing was."""

    messages: int
    precision: float
    recall: float
    fit: float

    @property
    def f1(self) -> float:
        both = self.precision + self.recall
        return 2 * self.precision * self.recall / both if both else 0.0


def read(part: str) -> list[Labelled]:
    """The labelled messages of one part, ``building`` or ``measured``: a file per language."""
    found = []
    for file in sorted((FOLDER / part).glob("*.tsv")):
        with file.open(encoding="utf-8", newline="") as lines:
            rows = list(csv.DictReader(lines, delimiter="\t", quoting=csv.QUOTE_NONE))
        found += [
            Labelled(
                row["id"],
                row["lang"],
                row["permission"],
                row["promotional"] == "1",
                row["fits"] == "1",
                row["why"],
                row["text"].replace("\\n", "\n"),
            )
            for row in rows
        ]
    return found


def judge(rows: Iterable[Labelled], checker: PromotionalChecker) -> list[Judged]:
    return [Judged(row, checker.check_text(row.text, row.permission)) for row in rows]


def figures(judged: Sequence[Judged]) -> Figures:
    found = [one for one in judged if one.check.promotional]
    real = [one for one in judged if one.row.promotional]
    hits = sum(one.row.promotional for one in found)
    return Figures(
        len(judged),
        hits / len(found) if found else 1.0,
        hits / len(real) if real else 1.0,
        sum(one.fit_right for one in judged) / len(judged) if judged else 1.0,
    )


def by(judged: Sequence[Judged], key: Callable[[Labelled], str]) -> dict[str, Figures]:
    names = sorted({key(one.row) for one in judged})
    return {name: figures([one for one in judged if key(one.row) == name]) for name in names}


def missed_bars(judged: Sequence[Judged]) -> list[str]:
    """Every bar that the measured part does not reach, in words."""
    missed = []
    for lang, found in by(judged, lambda row: row.lang).items():
        bar = BARS.get(lang, OTHER_BAR)
        for name, value, least in (
            ("precision", found.precision, bar),
            ("recall", found.recall, bar),
            ("fit", found.fit, FIT_BAR),
        ):
            if value < least:
                missed.append(f"{lang}: {name} {value:.3f} is below {least:.2f}")
    return missed


def milliseconds(checker: PromotionalChecker, text: str, rounds: int = 15) -> float:
    """Median time of one check."""
    taken = []
    for _ in range(rounds):
        start = time.perf_counter()
        checker.check_text(text, "utility")
        taken.append((time.perf_counter() - start) * 1000)
    return statistics.median(taken)


def lengthened(rows: Sequence[Labelled], characters: int) -> list[str]:
    """One text of that length per language, made of its messages."""
    texts = []
    for lang in sorted({row.lang for row in rows}):
        whole = " ".join(row.text for row in rows if row.lang == lang)
        texts.append((whole * (characters // len(whole) + 1))[:characters])
    return texts


def hardest(checker: PromotionalChecker) -> tuple[float, str]:
    """Milliseconds per 1,000 characters of the slowest of many texts of 20,000, pieces of selling texts repeated."""
    chance = random.Random(7)
    pieces = [
        "save ",
        "50% off ",
        "a.",
        "-",
        "1 ",
        "% ",
        "$9 ",
        "for only ",
        "! ",
        "use code ",
        "x",
        " ",
        "\n",
        "é",
    ]
    most, slowest = 0.0, ""
    for _ in range(FUZZED):
        text = ("".join(chance.choices(pieces, k=chance.randint(1, 6))) * 20_000)[:20_000]
        taken = milliseconds(checker, text, 1) / 20
        if taken > most:
            most, slowest = taken, text
    return most, slowest


def print_part(part: str, judged: Sequence[Judged]) -> None:
    print(f"\n{part}: {len(judged)} messages")
    print(f"{'':24}{'n':>5}{'precision':>11}{'recall':>8}{'F1':>7}{'fit':>7}")
    tables = (("all", lambda row: "all"), ("lang", lambda row: row.lang), ("way", lambda row: row.permission))
    for _, key in tables:
        for name, one in by(judged, key).items():
            print(
                f"{name:24}{one.messages:5}{one.precision:11.3f}{one.recall:8.3f}{one.f1:7.3f}{one.fit:7.3f}"
            )


def print_misses(judged: Sequence[Judged], shown: int) -> None:
    """The mistakes furthest from the line first: false alarms by score, then what was overlooked."""
    wrong = sorted((one for one in judged if not one.right), key=lambda one: -one.check.score)
    print(f"\nWrong verdicts: {len(wrong)}")
    for one in wrong[:shown]:
        kind = "false alarm" if one.check.promotional else "overlooked"
        words = ", ".join(f"{found.rule} “{found.text}”" for found in one.check.findings[:3])
        print(f"  {one.row.id} {kind} ({one.row.why}): {one.row.text}\n      {words}")
    unfit = [one for one in judged if one.right and not one.fit_right]
    print(f"Right verdict, wrong fit: {len(unfit)}")
    for one in unfit[:shown]:
        print(f"  {one.row.id} {one.row.permission} fits={one.row.fits}: {one.row.text}")


def main(shown: int = SHOWN) -> int:
    checker = default_checker()
    measured: list[Judged] = []
    for part in PARTS:
        rows = read(part)
        judged = judge(rows, checker)
        print_part(part, judged)
        measured = judged
    print_misses(measured, shown)
    rows = [one.row for one in measured]
    print("\nTime per check, median over the languages")
    for characters in (500, 2_000, 20_000):
        times = [milliseconds(checker, text) for text in lengthened(rows, characters)]
        print(f"  {characters} characters: {statistics.median(times):.2f} ms (slowest {max(times):.2f} ms)")
    most, text = hardest(checker)
    print(
        f"  hardest of {FUZZED} repetitions, per 1,000 characters: {most:.2f} ms ({text[:40]!r} again and again)"
    )
    missed = missed_bars(measured)
    print("\nBars: all reached" if not missed else "\nBars missed:\n  " + "\n  ".join(missed))
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main())
