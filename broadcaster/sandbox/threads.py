"""Conversations of a Page: the newest messages of each, ids that can be read back, order by last change."""

from __future__ import annotations

import base64
import binascii
import heapq
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from broadcaster.sandbox.people import People, Person, phrases

READABLE = 20


@dataclass(slots=True)
class StoredMessage:
    mid: str
    from_page: bool
    text: str
    created_ms: int
    attachments: list[dict[str, Any]] | None = None


@dataclass(slots=True)
class Thread:
    """One conversation; only the ``READABLE`` newest messages can be read, older ones are only counted."""

    person: Person
    id: str
    updated_ms: int = 0
    count: int = 0
    unread: int = 0
    newest: list[StoredMessage] = field(default_factory=list)


class Threads:
    def __init__(self, people: People, base: int) -> None:
        self._people = people
        self._base = base
        self._open: dict[int, Thread] = {}
        self._first_order: list[tuple[int, int]] | None = None

    def of(self, person: Person) -> Thread:
        """The person's conversation; one they had before the world began holds their first words."""
        thread = self._open.get(person.index)
        if thread is None:
            thread = Thread(person, f"t_{self._base + person.index}")
            started = self._people.started_at(person.index)
            if started:
                self._append(thread, phrases(person.locale)["hello"], started, from_page=False)
            self._open[person.index] = thread
        return thread

    def by_id(self, thread_id: str) -> Thread | None:
        number = thread_id.removeprefix("t_")
        if not number.isdecimal():
            return None
        index = int(number) - self._base
        if not 0 <= index < len(self._people):
            return None
        thread = self.of(self._people.at(index))
        return thread if thread.count else None

    def add(
        self,
        person: Person,
        text: str,
        now_ms: int,
        *,
        from_page: bool,
        attachments: list[dict[str, Any]] | None = None,
    ) -> StoredMessage:
        thread = self.of(person)
        return self._append(thread, text, now_ms, from_page=from_page, attachments=attachments)

    def message(self, mid: str) -> tuple[Thread, StoredMessage | None] | None:
        """The thread and message of an id; no message where it is too old to be read; None if unknown."""
        try:
            mark = base64.urlsafe_b64decode(mid.removeprefix("m_")).decode("ascii")
            base, index, sequence = mark.split(":")
            if int(base) != self._base:
                return None
            thread = self.of(self._people.at(int(index)))
        except (ValueError, binascii.Error, IndexError):
            return None
        if not 0 <= int(sequence) < thread.count:
            return None
        return thread, next((kept for kept in thread.newest if kept.mid == mid), None)

    def newest_first(self) -> Iterator[Thread]:
        """Every conversation, the one that changed last first, equal ones by the person's number."""
        changed = sorted((-thread.updated_ms, index) for index, thread in self._open.items() if thread.count)
        started = ((ms, index) for ms, index in self._initial_order() if index not in self._open)
        for _, index in heapq.merge(changed, list(started)):
            yield self.of(self._people.at(index))

    def _initial_order(self) -> list[tuple[int, int]]:
        if self._first_order is None:
            started = ((-self._people.started_at(index), index) for index in range(len(self._people)))
            self._first_order = sorted(pair for pair in started if pair[0])
        return self._first_order

    def _append(
        self,
        thread: Thread,
        text: str,
        now_ms: int,
        *,
        from_page: bool,
        attachments: list[dict[str, Any]] | None = None,
    ) -> StoredMessage:
        mark = f"{self._base}:{thread.person.index}:{thread.count}".encode()
        mid = "m_" + base64.urlsafe_b64encode(mark).decode("ascii")
        message = StoredMessage(mid, from_page, text, now_ms, attachments)
        thread.newest.append(message)
        if len(thread.newest) > READABLE:
            del thread.newest[0]
        thread.count += 1
        thread.unread = 0 if from_page else thread.unread + 1
        thread.updated_ms = max(thread.updated_ms, now_ms)
        return message
