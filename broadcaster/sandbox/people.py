"""The people around a Page: made from a seed, on first sight, so that 100,000 cost nothing until met."""

from __future__ import annotations

import tomllib
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cache
from importlib.resources import files
from typing import Any

HOUR_MS = 3_600_000
DAY_MS = 24 * HOUR_MS
_MASK = (1 << 64) - 1
_STRIDE = 7_919


@dataclass(frozen=True)
class Behaviour:
    """Shares (0..1) of how people stand at the start and what they do with a message; delays in seconds.

    ``open_24h`` wrote within the last day, ``open_7d`` within seven; ``never`` never wrote; the rest wrote
    8 to 120 days ago. ``blocked`` and ``vanished`` hold from the start; ``blocks`` does so after reading.
    ``never_delivered`` accept a message and show no sign of it.
    """

    open_24h: float = 0.55
    open_7d: float = 0.25
    never: float = 0.02
    blocked: float = 0.02
    vanished: float = 0.01
    guests: float = 0.02
    no_profile: float = 0.03
    never_delivered: float = 0.03
    reads: float = 0.65
    answers: float = 0.08
    reacts: float = 0.04
    opts_out: float = 0.01
    blocks: float = 0.005
    delivered_after: tuple[float, float] = (0.02, 0.4)
    read_after: tuple[float, float] = (0.1, 2.0)
    answer_after: tuple[float, float] = (0.5, 5.0)

    @classmethod
    def quiet(cls) -> Behaviour:
        """Everybody wrote within a day, receives, and does nothing more: for exact counts."""
        return cls(
            open_24h=1, open_7d=0, never=0, blocked=0, vanished=0, guests=0, no_profile=0,
            never_delivered=0, reads=0, answers=0, reacts=0, opts_out=0, blocks=0,
        )  # fmt: skip


@dataclass(slots=True)
class Person:
    """One person as the platform knows them. Instants are milliseconds of the sandbox clock, 0 for never."""

    index: int
    psid: str
    first_name: str
    last_name: str
    locale: str
    timezone: str
    gender: str
    last_interaction_ms: int
    last_message_ms: int
    ad_click_ms: int = 0
    blocked: bool = False
    vanished: bool = False
    no_profile: str = ""
    never_delivered: bool = False
    opted_out: bool = False
    controlled_by: str = ""
    comments: dict[str, int] = field(default_factory=dict)

    @property
    def name(self) -> str:
        return f"{self.first_name} {self.last_name}".strip()


@cache
def languages() -> list[dict[str, Any]]:
    """Names, zones and phrases by locale, from ``resources/sandbox/people.toml``."""
    text = (files("resources") / "sandbox" / "people.toml").read_text(encoding="utf-8")
    rows: list[dict[str, Any]] = tomllib.loads(text)["language"]
    return rows


def phrases(locale: str) -> dict[str, Any]:
    """The words a person of this locale writes: ``hello``, ``answers``, ``stop``."""
    return next((row for row in languages() if row["locale"] == locale), languages()[0])


def draw(seed: int, index: int, salt: int) -> float:
    """A number in [0, 1) that depends on nothing but its arguments (splitmix64)."""
    value = (seed * 0x9E3779B97F4A7C15 + index * 0xBF58476D1CE4E5B9 + salt * 0x94D049BB133111EB) & _MASK
    value = ((value ^ (value >> 30)) * 0xBF58476D1CE4E5B9) & _MASK
    value = ((value ^ (value >> 27)) * 0x94D049BB133111EB) & _MASK
    return ((value ^ (value >> 31)) >> 11) / (1 << 53)


class People:
    """``count`` people of one Page, by PSID. A PSID of another Page is unknown here, as on the platform.

    ``behaviour`` may be exchanged at any time for what people do from then on; how they stand at the start
    stays as it was given first.
    """

    def __init__(self, count: int, seed: int, behaviour: Behaviour, started_ms: int, base: int) -> None:
        self._count = self._first = count
        self._seed = seed
        self._started_ms = started_ms
        self._base = base
        self._met: dict[int, Person] = {}
        self._beginning = behaviour
        self.behaviour = behaviour

    def __len__(self) -> int:
        return self._count

    def __iter__(self) -> Iterator[Person]:
        return (self.at(index) for index in range(self._count))

    def __getitem__(self, psid: str) -> Person:
        """The person; KeyError when the Page knows nobody of that id."""
        person = self.get(psid)
        if person is None:
            raise KeyError(psid)
        return person

    def get(self, psid: str) -> Person | None:
        if not psid.isdecimal() or len(psid) > 20:
            return None
        index, rest = divmod(int(psid) - self._base, _STRIDE)
        if rest or not 0 <= index < self._count:
            return None
        return self.at(index)

    def at(self, index: int) -> Person:
        person = self._met.get(index)
        if person is None:
            person = self._met[index] = self._make(index)
        return person

    def psids(self) -> list[str]:
        return [str(self._base + index * _STRIDE) for index in range(self._count)]

    def add(self) -> Person:
        """A newcomer who has not written yet."""
        index = self._count
        self._count += 1
        person = self.at(index)
        person.blocked = person.vanished = person.never_delivered = False
        return person

    def started_at(self, index: int) -> int:
        """When this person last wrote, as the world began (0: never); nobody need be made for it."""
        if index >= self._first:
            return 0
        plan = self._beginning
        luck, age = draw(self._seed, index, 1), draw(self._seed, index, 2)
        if luck < plan.open_24h:
            return self._started_ms - round(age * 23.5 * HOUR_MS)
        if luck < plan.open_24h + plan.open_7d:
            return self._started_ms - round(DAY_MS * 1.02 + age * 5.9 * DAY_MS)
        if luck > 1 - plan.never:
            return 0
        return self._started_ms - round(8 * DAY_MS + age * 112 * DAY_MS)

    def _make(self, index: int) -> Person:
        plan, seed = self._beginning, self._seed
        tongue = languages()[int(draw(seed, index, 3) * len(languages()))]
        woman = draw(seed, index, 4) < 0.5
        given: list[str] = tongue["women" if woman else "men"]
        guest = draw(seed, index, 5) < plan.guests
        standing = draw(seed, index, 6)
        profile = draw(seed, index, 7)
        last = self.started_at(index)
        return Person(
            index=index,
            psid=str(self._base + index * _STRIDE),
            first_name="" if guest else given[int(draw(seed, index, 8) * len(given))],
            last_name="" if guest else tongue["family"][int(draw(seed, index, 9) * len(tongue["family"]))],
            locale=tongue["locale"],
            timezone=tongue["zones"][int(draw(seed, index, 10) * len(tongue["zones"]))],
            gender="female" if woman else "male",
            last_interaction_ms=last,
            last_message_ms=last,
            blocked=standing < plan.blocked,
            vanished=plan.blocked <= standing < plan.blocked + plan.vanished,
            no_profile=""
            if profile >= plan.no_profile
            else ("phone" if profile * 2 < plan.no_profile else "consent"),
            never_delivered=draw(seed, index, 11) < plan.never_delivered,
        )
