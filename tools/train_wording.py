"""Learns ``resources/promotional/wording.tsv`` from the building part of the labelled set.

    python -m tools.train_wording [--folds 5] [--features 60000]

Needs scikit-learn (the ``bench`` extra). First every file's messages are judged by weights learned from the other
files and the figures are printed, with the best ``least`` and ``leaning`` for ``purposes.toml``; then the weights of
all are written.
The measured part is never read.
"""

from __future__ import annotations

import argparse
import zlib
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from scipy.sparse import csr_matrix, diags, hstack
from sklearn.linear_model import LogisticRegression

from benchmarks.evaluate_promotional import Labelled, read
from broadcaster.content.promotional import default_checker, lexicon
from broadcaster.content.promotional.fitting import shipped
from broadcaster.content.promotional.read_message import CLAUSE_SHARE
from broadcaster.content.promotional.wording import CLAUSE, MESSAGE, PURPOSE, UNIT, counted

OUT = Path(__file__).parents[1] / "resources" / "promotional" / "wording.tsv"
OWN = 0.7
"""What a language's own weights count beside those for all."""
SIGN, PURPOSE_SIGN = 0.3, 0.5
"""What a sign of the lexicons counts beside a word."""
STRENGTH, PURPOSE_STRENGTH, LEAST_OFTEN, ROUNDS = 30.0, 40.0, 3, 2
SMOOTHING = 0.3
"""Added to how often a feature stands in each class."""
PURPOSE_OF = {
    "answer": "answer", "booked": "event", "bulk_agent": "bulk", "feedback_visit": "feedback", "news": "news",
    "outage": "service", "notice": "service", "receipt": "order", "refund": "order", "settled": "order",
    "tracking": "order", "recurring": "recurring", "security": "account", "past_event": "past_event",
    "unclear": "smalltalk",
}  # fmt: skip


@dataclass
class Example:
    row: Labelled
    lang: str
    words: Counter[str]
    clauses: list[Counter[str]]
    signs: frozenset[str]

    @property
    def purpose(self) -> str | None:
        name = PURPOSE_OF.get(self.row.why, self.row.why)
        return None if self.row.promotional or name not in shipped().words else name


def of_the_lexicons() -> list[Labelled]:
    """The examples that stand beside the lexicons' phrases: what must hit sells by itself, what must miss does not."""
    found = []
    for code, language in lexicon.shipped().languages.items():
        lang = code.rstrip("~") if code != "any" else "en"
        for number, entry in enumerate(() if code.endswith("~") else language.entries):
            if entry.weight >= 1.0 and not entry.buttons:
                found.append(Labelled(f"{code}-x{number}", lang, "utility", True, False, "promo", entry.hit))
            found.append(Labelled(f"{code}-y{number}", lang, "utility", False, True, "", entry.miss))
    return found


def example(row: Labelled) -> Example:
    message = default_checker().read([("text", row.text)])
    clauses = [counted(words) for _, words in message.words]
    lang = message.languages[0] if message.languages else row.lang
    return Example(row, lang, counted(message.found), clauses or [counted(message.found)], message.signs)


class Space:
    """The features that are weighed, as columns of a matrix: for all languages, and again for each."""

    def __init__(self, names: Sequence[str], langs: Sequence[str], signs: Sequence[str]) -> None:
        self.names, self.langs, self.signs = list(names), list(langs), list(signs)
        self._column = {name: number for number, name in enumerate(self.names)}
        self._sign = {name: number for number, name in enumerate(self.signs)}

    def words(self, counts: Sequence[Counter[str]]) -> csr_matrix:
        places, columns, values = [0], [], []
        for count in counts:
            known = [(self._column[name], n) for name, n in count.items() if name in self._column]
            scale = 1.0 / np.sqrt(max(1, sum(n for _, n in known)))
            columns += [column for column, _ in known]
            values += [n * scale for _, n in known]
            places.append(len(columns))
        return csr_matrix((values, columns, places), shape=(len(counts), len(self.names)))

    def by_language(self, matrix: csr_matrix, langs: Sequence[str]) -> csr_matrix:
        own = [diags([float(lang == one) for one in langs]) @ matrix * OWN for lang in self.langs]
        return hstack([matrix, *own]).tocsr()

    def marks(self, examples: Sequence[Example], weight: float) -> csr_matrix:
        places, columns = [0], []
        for one in examples:
            columns += [self._sign[sign] for sign in sorted(one.signs) if sign in self._sign]
            places.append(len(columns))
        return csr_matrix(([weight] * len(columns), columns, places), shape=(len(examples), len(self.signs)))


@dataclass
class Learned:
    space: Space
    message: Any
    clause: Any
    purpose: Any

    def reads(self, examples: Sequence[Example]) -> np.ndarray:
        space = self.space
        matrix = space.by_language(
            space.words([one.words for one in examples]), [one.lang for one in examples]
        )
        whole = self.message.decision_function(hstack([matrix, space.marks(examples, SIGN)]).tocsr())
        owner = [n for n, one in enumerate(examples) for _ in one.clauses]
        langs = [one.lang for one in examples for _ in one.clauses]
        parts = space.by_language(space.words([c for one in examples for c in one.clauses]), langs)
        worst = np.full(len(examples), -np.inf)
        np.maximum.at(worst, owner, self.clause.decision_function(parts))
        return whole + CLAUSE_SHARE * worst

    def purposes(self, examples: Sequence[Example]) -> np.ndarray:
        words = self.space.words([one.words for one in examples])
        matrix = hstack([words, self.space.marks(examples, PURPOSE_SIGN)]).tocsr()
        return self.purpose.predict_proba(matrix)


def learn(examples: Sequence[Example], most: int) -> Learned:
    """First all features that are not rare, then the weightiest of them alone."""
    often = Counter(name for one in examples for name in one.words)
    langs = sorted({one.lang for one in examples})
    signs = sorted({sign for one in examples for sign in one.signs})
    names = sorted(name for name, n in often.items() if n >= LEAST_OFTEN)
    space = Space(names, langs, signs)
    message, sells = _message(space, examples), np.array([one.row.promotional for one in examples])
    weighty = (
        np.abs(message.coef_[0][: len(names) * (1 + len(langs))]).reshape(1 + len(langs), -1).max(axis=0)
    )
    weighty = weighty * np.sqrt([often[name] for name in names])
    kept = sorted(np.array(names)[np.argsort(-weighty)[:most]])
    space = Space(kept, langs, signs)
    message = _message(space, examples)
    return Learned(space, message, _clause(space, examples, sells), _purpose(space, examples))


def _message(space: Space, examples: Sequence[Example]) -> Any:
    matrix = space.by_language(space.words([one.words for one in examples]), [one.lang for one in examples])
    matrix = hstack([matrix, space.marks(examples, SIGN)]).tocsr()
    return _fit(matrix, [one.row.promotional for one in examples])


def _clause(space: Space, examples: Sequence[Example], sells: np.ndarray) -> Any:
    """Which clause of a promotional message sells is not labelled: the one that reads most like it, told anew."""
    owner = np.array([n for n, one in enumerate(examples) for _ in one.clauses])
    langs = [one.lang for one in examples for _ in one.clauses]
    matrix = space.by_language(space.words([c for one in examples for c in one.clauses]), langs)
    whole = space.by_language(space.words([one.words for one in examples]), [one.lang for one in examples])
    scores = _fit(whole, sells).decision_function(matrix)
    for _ in range(ROUNDS):
        worst = np.full(len(examples), -np.inf)
        np.maximum.at(worst, owner, scores)
        of_selling = sells[owner]
        chosen = of_selling & ((scores >= worst[owner]) | (scores > 0))
        kept = ~of_selling | chosen | (scores < -1)
        model = _fit(matrix[kept], chosen[kept])
        scores = model.decision_function(matrix)
    return model


def _purpose(space: Space, examples: Sequence[Example]) -> Any:
    told = [one for one in examples if one.purpose]
    matrix = hstack([space.words([one.words for one in told]), space.marks(told, PURPOSE_SIGN)]).tocsr()
    return LogisticRegression(C=PURPOSE_STRENGTH, max_iter=500).fit(matrix, [one.purpose for one in told])


def _fit(matrix: Any, labels: Any) -> Any:
    """Logistic regression on columns that are scaled by how unevenly they stand in the two classes.

    The log-count ratio of Wang and Manning (Baselines and Bigrams, 2012). It goes back into the weights, so that
    the program needs to know nothing of it.
    """
    labels, present = np.asarray(labels), (matrix > 0).astype(float)
    of_selling, of_others = (
        np.asarray(present[labels == side].sum(axis=0)).ravel() for side in (True, False)
    )
    shares = [(counts + SMOOTHING) / (counts + SMOOTHING).sum() for counts in (of_selling, of_others)]
    met = of_selling + of_others > 0
    uneven = np.where(met, np.abs(np.log(shares[0] / shares[1])), 0.0)
    uneven /= uneven[met].mean()
    model = LogisticRegression(C=STRENGTH, solver="liblinear").fit((matrix @ diags(uneven)).tocsr(), labels)
    model.coef_ = model.coef_ * uneven
    return model


def cross(examples: Sequence[Example], folds: int, most: int) -> float:
    """Print how well files are judged that were not learned from; returns the threshold that balances both errors."""
    groups = np.array([hash_of(one.row.id) % folds for one in examples])
    reads, fits = np.zeros(len(examples)), np.zeros(len(examples))
    for fold in range(folds):
        here = [n for n, group in enumerate(groups) if group == fold]
        learned = learn([one for one, group in zip(examples, groups, strict=True) if group != fold], most)
        judged = [examples[n] for n in here]
        reads[here] = learned.reads(judged)
        names = list(learned.purpose.classes_)
        for n, share in zip(here, learned.purposes(judged), strict=True):
            use = shipped().uses.get(examples[n].row.permission)
            fits[n] = 1.0 if use is None else sum(share[names.index(name)] for name in use.fits)
    sells = np.array([one.row.promotional for one in examples])
    threshold = _balanced(reads, sells, np.arange(-0.6, 1.01, 0.05))
    _tell(examples, reads > threshold, fits)
    for way in sorted({one.row.permission for one in examples}):
        here = np.array([one.row.permission == way for one in examples])
        leaning = _balanced(reads[here], sells[here], np.arange(-1.5, 3.01, 0.25) + threshold) - threshold
        print(f"{way:24} leaning {leaning:+.2f} (now {shipped().leaning.get(way, 0.0):+.2f})")
    return threshold


def _balanced(reads: np.ndarray, sells: np.ndarray, thresholds: np.ndarray) -> float:
    """The threshold at which as many are wrongly called promotional as are missed."""
    return float(min(thresholds, key=lambda t: abs(int((reads > t).sum()) - int(sells.sum()))))


def hash_of(name: str) -> int:
    """The file a message came in: ``de-b07-012`` → de-b07; those of one file are judged together."""
    return zlib.crc32(name[:6].encode())


def _tell(examples: Sequence[Example], found: np.ndarray, fits: np.ndarray) -> None:
    sells = np.array([one.row.promotional for one in examples])
    for lang in ["all", *sorted({one.row.lang for one in examples})]:
        here = np.array([lang in ("all", one.row.lang) for one in examples])
        hits = (found & sells & here).sum()
        print(
            f"{lang:4} {here.sum():6} precision {hits / (found & here).sum():.3f} recall {hits / (sells & here).sum():.3f}"
        )
    for key, use in shipped().uses.items():
        here = [n for n, one in enumerate(examples) if one.row.permission == key and not one.row.promotional]
        right = {
            least: float(np.mean([(fits[n] >= least) == examples[n].row.fits for n in here]))
            for least in (0.005, 0.01, 0.02, 0.03, 0.05, 0.08, 0.1, 0.15, 0.2, 0.3, 0.4, 0.5)
        }
        best = max(right, key=lambda least: right[least])
        print(f"{key:24} {len(here):5} fit {right[best]:.3f} with least = {best} (now {use.least})")


def write(learned: Learned, threshold: float, path: Path) -> None:
    """One line per feature: the columns it has a weight in. The threshold goes into the message's bias."""
    space, purposes = learned.space, list(learned.purpose.classes_)
    langs = space.langs
    columns = [
        MESSAGE,
        *(f"{MESSAGE} {lang}" for lang in langs),
        CLAUSE,
        *(f"{CLAUSE} {lang}" for lang in langs),
    ]
    columns += [f"{PURPOSE}{name}" for name in purposes]
    bias = dict.fromkeys(columns, 0.0)
    bias[MESSAGE] = float(learned.message.intercept_[0]) - threshold
    bias[CLAUSE] = float(learned.clause.intercept_[0])
    bias |= {
        f"{PURPOSE}{name}": float(b) for name, b in zip(purposes, learned.purpose.intercept_, strict=True)
    }
    n, blocks = len(space.names), 1 + len(langs)
    scale = np.array([1.0, *([OWN] * len(langs))])[:, None]
    message = learned.message.coef_[0][: n * blocks].reshape(blocks, n) * scale
    clause = learned.clause.coef_[0].reshape(blocks, n) * scale
    about = learned.purpose.coef_[:, :n]
    table = np.rint(np.vstack([message, clause, about]) / UNIT).astype(int)
    table[2 * blocks :][np.abs(table[2 * blocks :]) < 6] = 0
    lines = ["\t".join(columns), "\t".join(f"{bias[name]:.3f}" for name in columns)]
    lines += [f"{name}\t{_cells(table[:, number])}" for number, name in enumerate(space.names)]
    sells = np.rint(learned.message.coef_[0][n * blocks :] * SIGN / UNIT).astype(int)
    about = np.rint(learned.purpose.coef_[:, n:] * PURPOSE_SIGN / UNIT).astype(int)
    for number, sign in enumerate(space.signs):
        column = np.zeros(len(columns), int)
        column[0], column[2 * blocks :] = sells[number], about[:, number]
        lines.append(f"={sign}\t{_cells(column)}")
    path.write_text("\n".join(lines) + "\n", "utf-8")
    print(f"{len(lines) - 2} lines, {path.stat().st_size / 1e6:.1f} MB, threshold {threshold:.2f}")


def _cells(column: np.ndarray) -> str:
    return " ".join(f"{number}:{weight}" for number, weight in enumerate(column) if weight)


def main() -> None:
    given = argparse.ArgumentParser(description=__doc__)
    given.add_argument("--folds", type=int, default=5)
    given.add_argument("--features", type=int, default=60_000)
    wanted = given.parse_args()
    examples = [example(row) for row in (*read("building"), *of_the_lexicons())]
    threshold = cross(examples, wanted.folds, wanted.features)
    write(learn(examples, wanted.features), threshold, OUT)


if __name__ == "__main__":
    main()
