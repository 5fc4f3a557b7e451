"""Numbered hooks at every durable and remote step, so that a test can die exactly there.

``step(...)`` does nothing unless a test sets ``hook``. The names are the protocol in order.
"""

from __future__ import annotations

from collections.abc import Callable

STEPS = (
    "launch.decided",
    "launch.committed",
    "recover.marked",
    "recover.committed",
    "claim.leased",
    "claim.committed",
    "intent.written",
    "intent.committed",
    "call.before",
    "call.after",
    "result.taken",
    "result.written",
    "result.committed",
    "settle.taken",
    "settle.read",
    "settle.written",
    "settle.committed",
    "receipt.written",
    "receipt.committed",
    "finish.written",
    "finish.committed",
)
"""``*.written`` and ``*.leased`` lie inside the transaction, ``*.committed`` just after it."""

hook: Callable[[str], None] | None = None
"""Set by tests only. Called with a name of ``STEPS`` in the thread that takes the step."""


def step(name: str) -> None:
    if hook is not None:
        hook(name)
