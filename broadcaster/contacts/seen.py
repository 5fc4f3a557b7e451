"""Which PSIDs of a file came before, in eight bytes each whatever their order."""

from __future__ import annotations

from array import array
from bisect import bisect_left
from collections.abc import Sequence
from heapq import merge
from operator import lt

WORD = 1 << 64
FRESH = 250_000
"""Numbers out of order that are kept as they are, which takes ten times as much, until they are laid down."""

LONGEST = 4_000_000
"""Runs longer than this are not put together any more: for a moment both stand beside the new one."""

SIEVE = 134_217_689
"""Bits (a prime, 16 MB) that tell of most new numbers that none of the runs holds them."""


def key_of(psid: str) -> int:
    """A PSID as a number, half a text's memory; the 1 in front keeps leading zeros apart."""
    return int(f"1{psid}")


class Seen:
    """Numbers that came before. Those that come in order, as they mostly do, are put one after the other;
    others are laid down in sorted runs."""

    def __init__(self) -> None:
        self._rising = array("Q")
        self._highest = 0
        self._fresh: set[int] = set()
        self._runs: list[array[int]] = []
        self._sieve = bytearray()
        self._long: set[int] = set()

    def add(self, key: int) -> bool:
        """Keep it; False when it was here before."""
        if self._highest < key < WORD:
            self._highest = key
            self._rising.append(key)
            return True
        if key >= WORD:
            known = key in self._long
            self._long.add(key)
            return not known
        if key in self._fresh or _holds(self._rising, key) or (self._runs and self._laid_down(key)):
            return False
        self._fresh.add(key)
        if len(self._fresh) >= FRESH:
            self._lay_down()
        return True

    def add_rising(self, keys: Sequence[int]) -> bool:
        """Keep them all, when each is higher than everything before it; False: none was kept."""
        if not self._highest < keys[0] or not all(map(lt, keys, keys[1:])) or keys[-1] >= WORD:
            return False
        self._highest = keys[-1]
        self._rising.extend(keys)
        return True

    def _laid_down(self, key: int) -> bool:
        byte, bit = divmod(key % SIEVE, 8)
        return bool(self._sieve[byte] >> bit & 1) and any(_holds(run, key) for run in self._runs)

    def _lay_down(self) -> None:
        """Make a run of what is fresh; runs of about one size become one."""
        if not self._sieve:
            self._sieve = bytearray(SIEVE // 8 + 1)
        run = array("Q", sorted(self._fresh))
        self._fresh.clear()
        for key in run:
            byte, bit = divmod(key % SIEVE, 8)
            self._sieve[byte] |= 1 << bit
        while self._runs and len(self._runs[-1]) <= len(run) < LONGEST:
            run = array("Q", merge(self._runs.pop(), run))
        self._runs.append(run)


def _holds(run: array[int], key: int) -> bool:
    place = bisect_left(run, key)
    return place < len(run) and run[place] == key
