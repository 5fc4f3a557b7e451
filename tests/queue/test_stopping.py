"""Pause, resume and cancel at any moment: they act within one wave, and nobody gets anything twice."""

from __future__ import annotations

from datetime import timedelta

import pytest

from broadcaster.queue import control
from tests.queue.conftest import PEOPLE
from tests.queue.floor import Floor


@pytest.mark.parametrize("throttle", [7, 40, 60, 300])
def test_pausing_and_resuming_at_once_sends_to_nobody_twice(floor: Floor, throttle: int) -> None:
    made = floor.campaign(throttle_per_second=throttle)
    for _ in range(60):
        floor.turns(1, timedelta(milliseconds=40))
        if floor.counts(made).waiting:
            control.pause(floor.store, made, "anna", floor.clock.now())
            control.resume(floor.store, floor.clock, made, "anna")
    floor.finish(made)
    assert sorted(floor.reached()) == sorted({*floor.reached()})
    assert floor.counts(made).sent == PEOPLE


def test_a_message_leased_before_a_short_pause_goes_once(floor: Floor) -> None:
    text = floor.campaign("Text")
    image = floor.campaign(
        "Image", message={"attachment": {"type": "image", "url": "https://example.org/a.png"}}
    )
    for _ in range(120):
        floor.turns(1, timedelta(milliseconds=60))
        if floor.counts(image).waiting:
            control.pause(floor.store, image, "anna", floor.clock.now())
            control.resume(floor.store, floor.clock, image, "anna")
    floor.finish(text, image)
    assert len(floor.reached()) == 2 * PEOPLE == len({(e.psid, e.kind) for e in floor.sandbox.ledger()})
