"""``broadcaster run``: scheduler, queue and webhook receiver without a window."""

from __future__ import annotations

import signal
import threading
from datetime import datetime, timedelta

import click
from sqlalchemy import func, select

from broadcaster.cli.frame import Command, say, workspace
from broadcaster.queue import idle
from broadcaster.states import CampaignState, DeliveryState
from broadcaster.store.tables import Campaign, Delivery
from broadcaster.webhooks import recent
from broadcaster.workspace import Workspace

DELIVERIES = Delivery.__table__  # type: ignore[attr-defined]
CAMPAIGNS = Campaign.__table__  # type: ignore[attr-defined]

RECEIPT_GRACE = timedelta(seconds=3)
"""With a webhook receiver, "idle" waits until no event came for this long: receipts follow the sends."""


@click.command("run", cls=Command)
@click.option(
    "--until-idle", is_flag=True, help="End when nothing is due, being sent or still to be resolved."
)
@click.option(
    "--webhook-port", type=click.IntRange(0, 65535), help="Receive webhooks on this port of 127.0.0.1."
)
@click.pass_context
def run_queue(ctx: click.Context, until_idle: bool, webhook_port: int | None) -> int:
    """Send what is due and take what Meta reports, until stopped."""
    stop = threading.Event()
    for name in (signal.SIGINT, signal.SIGTERM):
        signal.signal(name, lambda *_: stop.set())
    with workspace(ctx) as space:
        started = space.clock.now()
        if webhook_port is not None:
            say(f"Webhooks: http://127.0.0.1:{space.start_receiver(webhook_port)}/webhook")
        space.start_sending()
        _watch(space, stop, until_idle, webhook_port is not None)
        return _verdict(space, started)


def _watch(space: Workspace, stop: threading.Event, until_idle: bool, receiving: bool) -> None:
    while not stop.wait(0.2):
        if until_idle and _is_idle(space) and not (receiving and _receipts_flow(space)):
            return


def _is_idle(space: Workspace) -> bool:
    with space.store.read() as conn:
        return idle.is_idle(conn, space.clock.now())


def _receipts_flow(space: Workspace) -> bool:
    """Was something sent or received within the grace, or is an event still to be applied?"""
    with space.store.read() as conn:
        last, open_ = recent.last_activity(conn), recent.pending(conn)
    return open_ or (last is not None and space.clock.now() - last < RECEIPT_GRACE)


def _verdict(space: Workspace, started: datetime) -> int:
    """Exit code 1, with a sentence, when messages of this run failed, are in doubt, or a campaign stands."""
    with space.store.read() as conn:
        failed = conn.execute(
            select(func.count()).where(
                DELIVERIES.c.state == DeliveryState.FAILED, DELIVERIES.c.ended_at >= started
            )
        ).scalar_one()
        doubtful = conn.execute(
            select(func.count()).where(
                DELIVERIES.c.state == DeliveryState.UNCONFIRMED, DELIVERIES.c.intent_at >= started
            )
        ).scalar_one()
        stopped = conn.execute(
            select(CAMPAIGNS.c.name, CAMPAIGNS.c.pause_text).where(
                CAMPAIGNS.c.state == CampaignState.PAUSED, CAMPAIGNS.c.updated_at >= started
            )
        ).all()
    for name, text in stopped:
        say(f"{name} is paused: {text or 'by hand'}")
    if failed or doubtful:
        say(f"{failed} messages failed and {doubtful} are unconfirmed: see broadcaster report failures.")
    return 1 if failed or doubtful or stopped else 0
