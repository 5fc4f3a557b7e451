"""One tree of errors. Each has a title, one sentence for the person, and a hint how to mend it.

Refusals by Meta are values (``broadcaster.graph``), not exceptions. An exception outside this tree is a bug.
"""

from __future__ import annotations


class BroadcasterError(Exception):
    """Something a person can understand and mend. ``exit_code`` is the command line's."""

    title = "Something went wrong"
    exit_code = 1

    def __init__(self, text: str, hint: str = "") -> None:
        super().__init__(text)
        self.text = text
        self.hint = hint

    def __str__(self) -> str:
        return f"{self.text} {self.hint}".strip()


class BadInput(BroadcasterError):
    """What was given cannot be used: says what, where, and how to mend it."""

    title = "That input cannot be used"
    exit_code = 2


class NotFound(BadInput):
    """Something named does not exist."""

    title = "Not found"


class RefusedByPolicy(BroadcasterError):
    """A rule forbids it: blocked, not approved, retired, paused Page."""

    title = "Refused by a rule"
    exit_code = 3


class IllegalMove(RefusedByPolicy):
    """A state does not allow this step."""

    title = "Not possible in this state"


class EnvironmentFault(BroadcasterError):
    """The machine's fault: disk full, database locked, port taken, no network."""

    title = "The computer stands in the way"
    exit_code = 2


class DatabaseNewer(EnvironmentFault):
    """The database was made by a newer version of the program."""

    title = "This database is newer than the program"


class Unreachable(EnvironmentFault):
    """The Graph API address does not answer."""

    title = "No answer from the platform"
