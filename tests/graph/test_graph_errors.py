"""The error catalogue: complete, well formed, and judged in the right order."""

from __future__ import annotations

import pytest

from broadcaster.graph.errors import ErrorKind, catalogue, classify
from broadcaster.graph.outcomes import Refusal

RETRIES = {
    "never", "once", "backoff", "wait_header", "wait_fixed", "after_user_action", "after_admin_fix",
    "reconnect", "never_blind", "slow_down", "poll_on", "restart",
}  # fmt: skip


def test_every_row_is_whole() -> None:
    assert len(catalogue()) >= 153
    for row in catalogue():
        assert row.title and row.text.endswith((".", "?")) and row.advice.endswith(".") and row.source
        assert row.retry in RETRIES
        assert row.code is not None or row.subcode is not None


def test_no_two_rows_answer_for_the_same_error() -> None:
    keys = [(row.code, row.subcode, row.match) for row in catalogue()]
    assert len(keys) == len(set(keys))


@pytest.mark.parametrize(
    ("refusal", "kind", "unreachable"),
    [
        (Refusal(551, 1545041), ErrorKind.PERSON, True),
        (Refusal(551, None, is_transient=False), ErrorKind.PERSON, True),
        (Refusal(551, None, is_transient=True), ErrorKind.PLATFORM, False),
        (Refusal(10, 2018278), ErrorKind.PERSON, False),
        (Refusal(10, None, "(#10) This message is sent outside of allowed window."), ErrorKind.PERSON, False),
        (Refusal(10, None, "Application does not have permission for this action"), ErrorKind.PAGE, False),
        (Refusal(10, 1893063), ErrorKind.PAGE, False),
        (Refusal(100, None, "(#100) No matching user found"), ErrorKind.PERSON, True),
        (Refusal(100, None, "(#100) Invalid parameter"), ErrorKind.CONTENT, False),
        (Refusal(100, 4242, "(#100) No matching user found"), ErrorKind.PERSON, True),
        (Refusal(100, 1893061, "Invalid parameter"), ErrorKind.CONTENT, False),
        (Refusal(100, 33, "Unsupported post request. Object with ID '1'"), ErrorKind.PAGE, False),
        (Refusal(190, 460), ErrorKind.TOKEN, False),
        (Refusal(190, 9999), ErrorKind.TOKEN, False),
        (Refusal(200, None), ErrorKind.APP, False),
        (Refusal(613, None, is_transient=True), ErrorKind.RATE, False),
        (Refusal(613, None, is_transient=False), ErrorKind.RATE, False),
        (Refusal(4, None), ErrorKind.RATE, False),
        (Refusal(80006, None), ErrorKind.RATE, False),
        (Refusal(2, None), ErrorKind.PLATFORM, False),
        (Refusal(1, 1357046, is_transient=True), ErrorKind.DOUBT, False),
        (Refusal(-2, None, is_transient=True), ErrorKind.DOUBT, False),
        (Refusal(77777, None), ErrorKind.CONTENT, False),
        (Refusal(77777, None, http_status=500), ErrorKind.PLATFORM, False),
    ],
)
def test_whom_a_refusal_concerns(refusal: Refusal, kind: ErrorKind, unreachable: bool) -> None:
    found = classify(refusal)
    assert (found.kind, found.unreachable) == (kind, unreachable)


def test_a_platform_fault_that_meta_calls_lasting_is_tried_once_more_only() -> None:
    assert classify(Refusal(2, None, is_transient=False)).retry == "once"
    assert classify(Refusal(2, None)).retry == "backoff"


def test_waiting_times_are_known_where_waiting_cures() -> None:
    assert classify(Refusal(613)).wait_seconds == 60
    assert classify(Refusal(551)).wait_seconds == 0
    assert not classify(Refusal(551)).retryable
