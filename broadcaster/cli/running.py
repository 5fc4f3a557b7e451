"""``broadcaster run``: scheduler, queue and webhook receiver without a window."""

from __future__ import annotations

import gc
import signal
import threading
from datetime import datetime, timedelta

import click
from sqlalchemy import ColumnElement, Connection, func, select

from broadcaster.background_sync import follow
from broadcaster.campaigns import catalogue
from broadcaster.campaigns.catalogue import CampaignRow
from broadcaster.cli.frame import Command, say, workspace
from broadcaster.queue import idle
from broadcaster.states import CampaignState, DeliveryState
from broadcaster.store.tables import Delivery
from broadcaster.webhooks import recent
from broadcaster.workspace import Workspace

DELIVERIES = Delivery.__table__  # type: ignore[attr-defined]
WAITING = (DeliveryState.WAITING, DeliveryState.LEASED)

RECEIPT_GRACE = timedelta(seconds=3)
"""With a webhook receiver, "idle" waits until no event came for this long: receipts follow the sends."""

SYNC_ENDS_WITHIN = 5.0
"""Seconds for a reading of conversations to end; it goes on the next time where it stopped."""

GIVE_UP_AFTER = 30.0
"""Seconds after which a run that should end stops waiting for a network, a disk or a database."""


@click.command("run", cls=Command)
@click.option(
    "--until-idle", is_flag=True, help="End when nothing is due, being sent or still to be resolved."
)
@click.option(
    "--webhook-port", type=click.IntRange(0, 65535), help="Receive webhooks on this port of 127.0.0.1."
)
@click.option(
    "--give-up-after",
    type=click.FloatRange(min=0),
    default=GIVE_UP_AFTER,
    show_default=True,
    metavar="SECONDS",
    help="With --until-idle: end when platform, database or disk stood in the way for so long.",
)
@click.option(
    "--sync-minutes",
    type=click.IntRange(0, 60),
    help="Read conversations so often while no webhook arrives, 0: never.  [default: as set in the window]",
)
@click.pass_context
def run_queue(
    ctx: click.Context,
    until_idle: bool,
    webhook_port: int | None,
    give_up_after: float,
    sync_minutes: int | None,
) -> int:
    """Send what is due and take what Meta reports, until stopped."""
    stop = threading.Event()
    for name in (signal.SIGINT, signal.SIGTERM):
        signal.signal(name, lambda *_: stop.set())
    with workspace(ctx) as space:
        started = space.clock.now()
        if webhook_port is not None:
            say(f"Webhooks: http://127.0.0.1:{space.start_receiver(webhook_port)}/webhook")
        space.start_sending()
        gc.freeze()  # what was imported and opened is never garbage: no collection looks through it again
        if space.sender is not None and space.sender.engine.took_over:
            say(space.sender.engine.took_over)
        syncs = follow(space, stop, sync_minutes)
        given_up = _watch(space, stop, give_up_after if until_idle else None, webhook_port is not None)
        stop.set()
        syncs.join(SYNC_ENDS_WITHIN)
        space.stop_sending()  # what was on the wire has come back before it is counted
        return _verdict(space, started, given_up)


def _watch(space: Workspace, stop: threading.Event, patience: float | None, receiving: bool) -> str | None:
    """Until stopped, with a ``patience`` in seconds also until idle; says what stands in the way.

    Returns why it was given up.
    """
    told: str | None = None
    while not stop.wait(0.2):
        trouble, lasts = _trouble(space)
        if trouble != told:
            say(trouble or "That is over: it goes on.")
            told = trouble
        if patience is None:
            continue
        if _is_idle(space) and not (receiving and _receipts_flow(space)):
            return None
        if trouble is not None and lasts > patience:
            return trouble
    return None


def _trouble(space: Workspace) -> tuple[str | None, float]:
    """What keeps the sender or the scheduler from its work, and for how many seconds."""
    now = space.clock.monotonic()
    for owner in (space.sender, space.wake):
        if owner is not None and owner.trouble.text is not None:
            return owner.trouble.text, owner.trouble.lasts(now)
    return None, 0.0


def _is_idle(space: Workspace) -> bool:
    with space.store.read() as conn:
        return idle.is_idle(conn, space.clock.now())


def _receipts_flow(space: Workspace) -> bool:
    """Was something sent or received within the grace, or is an event still to be applied?"""
    with space.store.read() as conn:
        last, open_ = recent.last_activity(conn), recent.pending(conn)
    return open_ or (last is not None and space.clock.now() - last < RECEIPT_GRACE)


def _verdict(space: Workspace, started: datetime, given_up: str | None) -> int:
    """Exit code 1, with a sentence, when messages of this run failed, are in doubt, or a campaign stands."""
    with space.store.read() as conn:
        failed = _number(conn, DELIVERIES.c.state == DeliveryState.FAILED, DELIVERIES.c.ended_at >= started)
        doubtful = _number(
            conn, DELIVERIES.c.state == DeliveryState.UNCONFIRMED, DELIVERIES.c.intent_at >= started
        )
        waiting = _number(conn, DELIVERIES.c.state.in_(WAITING)) if given_up else 0
        standing = catalogue.listing(conn, CampaignState.PAUSED, CampaignState.MISSED)
    stopped = [row for row in standing if row.updated_at >= started]
    for row in standing:
        if row in stopped or row.state == CampaignState.MISSED:
            say(_standing(row))
    if failed or doubtful:
        say(f"{failed} messages failed and {doubtful} are unconfirmed: see broadcaster report failures.")
    if doubtful:
        say(
            "Unconfirmed: nobody knows whether they arrived, and nothing is sent again by itself. Decide with "
            "broadcaster campaign resolve NAME --as-sent, --send-again (may reach people twice) or --leave."
        )
    if given_up:
        say(f"Given up for now: {given_up} {waiting} messages wait; the next run sends them.")
    return 1 if failed or doubtful or stopped or given_up else 0


def _number(conn: Connection, *clauses: ColumnElement[bool]) -> int:
    return conn.execute(select(func.count()).select_from(DELIVERIES).where(*clauses)).scalar_one()


def _standing(row: CampaignRow) -> str:
    if row.state == CampaignState.MISSED:
        return (
            f"{row.name}: {row.pause_text or 'missed its start.'} Send now (broadcaster campaign schedule NAME "
            "--at now), move (--at TIME) or cancel (broadcaster campaign cancel NAME)."
        )
    return f"{row.name} is paused: {row.pause_text or 'by hand'}"
