"""``broadcaster campaign``: from a file to a schedule, and what became of it."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Any

import click

from broadcaster.campaigns import catalogue, lifecycle
from broadcaster.campaigns.check import check_campaign
from broadcaster.campaigns.definition import parse_campaign
from broadcaster.campaigns.question import question_for
from broadcaster.cli.frame import Group, facts_text, instant, json_option, read_json, say, show, workspace
from broadcaster.clock import iso
from broadcaster.contacts import people
from broadcaster.errors import NotFound, RefusedByPolicy
from broadcaster.policy.explain import explain as explain_person
from broadcaster.policy.forecast import Forecast, QueueFit, queue_aware
from broadcaster.policy.forecast import forecast as forecast_hours
from broadcaster.policy.reopening import Reopenings, reopenings
from broadcaster.queue import control, trial
from broadcaster.queue.pacing import INBOX_FREEZES_ABOVE
from broadcaster.reports.figures import status as status_of
from broadcaster.workspace import Workspace


@click.group(cls=Group)
def campaign() -> None:
    """Campaigns."""


def _warn_of_speed(per_second: float) -> None:
    if per_second > INBOX_FREEZES_ABOVE:
        say(
            f"{per_second:g} messages a second: above {INBOX_FREEZES_ABOVE:g} the Page's own inbox can freeze "
            "while it sends."
        )


at_option = click.option(
    "--at", "at_text", metavar="TIME", help="ISO 8601 with offset; the planned start if not given."
)


def _at(text: str | None, planned: datetime | None, now: datetime) -> datetime:
    return instant(text, "--at") if text else planned or now


@campaign.command("create")
@click.option("--file", "source", required=True, metavar="campaign.json")
@json_option
@click.pass_context
def create(ctx: click.Context, source: str, as_json: bool) -> None:
    """Store a new campaign as a draft."""
    draft = parse_campaign(read_json(source, "--file"))
    with workspace(ctx) as space, space.store.write() as conn:
        campaign_id = catalogue.create(conn, draft, actor=space.settings.actor, at=space.clock.now())
    _warn_of_speed(draft.throttle_per_second)
    show(as_json, {"id": campaign_id, "name": draft.name, "state": "draft"}, f"{draft.name}: draft.")


@campaign.command("edit")
@click.argument("name")
@click.option("--file", "source", required=True, metavar="campaign.json")
@json_option
@click.pass_context
def edit(ctx: click.Context, name: str, source: str, as_json: bool) -> None:
    """Replace what a campaign says; it becomes a draft again."""
    draft = parse_campaign(read_json(source, "--file"))
    with workspace(ctx) as space, space.store.write() as conn:
        row = catalogue.get(conn, name)
        catalogue.edit(conn, row.id, draft, actor=space.settings.actor, at=space.clock.now())
    _warn_of_speed(draft.throttle_per_second)
    show(as_json, {"id": row.id, "name": draft.name, "state": "draft"}, f"{draft.name}: draft.")


@campaign.command("list")
@json_option
@click.pass_context
def list_all(ctx: click.Context, as_json: bool) -> None:
    """All campaigns, newest first."""
    with workspace(ctx) as space, space.store.read() as conn:
        rows = catalogue.listing(conn)
    document = [
        {
            "name": r.name,
            "state": r.state,
            "permission": r.permission,
            "start_at": iso(r.start_at) if r.start_at else None,
        }
        for r in rows
    ]
    show(as_json, document, "\n".join(f"{r.name}  {r.state}" for r in rows) or "No campaign yet.")


@campaign.command("export")
@click.argument("name")
@click.pass_context
def export(ctx: click.Context, name: str) -> None:
    """The campaign as campaign.json on standard output."""
    with workspace(ctx) as space, space.store.read() as conn:
        show(True, catalogue.as_file(conn, catalogue.get(conn, name)), "")


@campaign.command("check")
@click.argument("name")
@at_option
@click.option("--permission", metavar="KEY", help="As if sent another way.")
@json_option
@click.pass_context
def check(ctx: click.Context, name: str, at_text: str | None, permission: str | None, as_json: bool) -> None:
    """Who would be reached, who not and why, and what the text says. Sends nothing."""
    with workspace(ctx) as space, space.store.read(wide=True) as conn:
        row = catalogue.get(conn, name)
        result = check_campaign(conn, row, _at(at_text, row.start_at, space.clock.now()), permission)
    document = result.as_json()
    lines = [f"{document['eligible']} of {document['audience']} can be reached at {document['at']}."]
    lines += [f"  − {count:>9,}  {reason}" for reason, count in document["reasons"].items()]
    if document["possible"]:
        lines.append(f"  ? {document['possible']:>9,}  past the sure window, possibly reachable after an ad")
    lines += [f"  {w['severity']}: {w['reason']} {w['advice']}" for w in document["warnings"]]
    show(as_json, document, "\n".join(lines))


@campaign.command("explain")
@click.argument("name")
@click.option("--recipient", required=True, metavar="PSID")
@at_option
@json_option
@click.pass_context
def explain(ctx: click.Context, name: str, recipient: str, at_text: str | None, as_json: bool) -> None:
    """Every rule for one person: pass or fail, the fact used, and when it flips."""
    with workspace(ctx) as space, space.store.read() as conn:
        row = catalogue.get(conn, name)
        at = _at(at_text, row.start_at, space.clock.now())
        contact_id = people.find(conn, row.page_id, recipient)
        if contact_id is None:
            raise NotFound(f"The Page knows nobody with the id {recipient!r}.", "Check the id.")
        found = explain_person(conn, question_for(conn, row, at), contact_id)
    document = {
        "psid": found.psid,
        "in_audience": found.in_audience,
        "eligible": found.eligible,
        "reason": found.reason,
        "rules": [
            {
                "rule": rule.rule,
                "pass": rule.passed,
                "fact": rule.fact,
                "text": rule.text,
                "flips_at": iso(rule.flips_at) if rule.flips_at else None,
                "flips_when": rule.flips_when,
            }
            for rule in found.rules
        ],
        "at": iso(at),
        "policy": {"pack": found.pack, "as_of": iso(found.as_of)},
    }
    lines = [
        f"{recipient}: {'can be reached' if found.eligible else f'blocked, {found.reason}'} at {iso(at)}"
    ]
    if not found.in_audience:
        lines.append("  They are not in the campaign's audience: it is not for them at all.")
    lines += [f"  {'pass' if r.passed else 'FAIL'}  {r.rule}: {r.fact}" for r in found.rules]
    show(as_json, document, "\n".join(lines))


@campaign.command("forecast")
@click.argument("name")
@click.option("--from", "from_text", metavar="TIME")
@click.option("--hours", type=click.IntRange(1, 720), default=168)
@json_option
@click.pass_context
def forecast(ctx: click.Context, name: str, from_text: str | None, hours: int, as_json: bool) -> None:
    """How many are reachable at each hour, and the best hour."""
    with workspace(ctx) as space, space.store.read(wide=True) as conn:
        row = catalogue.get(conn, name)
        start = instant(from_text, "--from") if from_text else space.clock.now()
        question = question_for(conn, row, start)
        found = forecast_hours(conn, question, start, hours)
        fit = queue_aware(conn, question, start, row.throttle_per_second)
        again = reopenings(conn, question, start, hours)
    document: dict[str, Any] = {
        "hours": [{"at": iso(at), "eligible": count} for at, count in found.hours],
        "best": {"at": iso(found.best[0]), "eligible": found.best[1]} if found.best else None,
        "lost_per_hour": found.lost_per_hour,
        "half_gone_at": iso(found.half_gone_at) if found.half_gone_at else None,
        "queue": {
            "per_second": row.throttle_per_second,
            "misses": fit.misses,
            "latest_start": iso(fit.latest_start) if fit.latest_start else None,
            "needed_per_second": fit.needed_per_second,
        },
        "estimated_reopenings": {
            "weeks_of_history": again.weeks,
            "hours": [
                {"at": iso(hour.at), "expected": hour.expected, "low": hour.low, "high": hour.high}
                for hour in again.hours
            ],
        },
    }
    lines = [
        f"{iso(at)}  {count:>9,}{f'  {lost:,} windows shut before the next' if lost else ''}"
        for (at, count), lost in zip(found.hours, (*found.lost_per_hour, 0), strict=False)
    ]
    show(as_json, document, "\n".join((*lines, *forecast_words(found, fit, row.throttle_per_second, again))))


def forecast_words(found: Forecast, fit: QueueFit, pace: float, again: Reopenings) -> list[str]:
    """The best moment, what the pace costs and what saves it, and the estimate, a sentence each."""
    said = ["Nobody can be reached at any of these hours."]
    if found.best:
        said = [f"Best hour: {iso(found.best[0])} with {found.best[1]:,} people."]
    if fit.misses and fit.latest_start and fit.needed_per_second:
        said.append(
            f"At {pace:g} a second {fit.misses:,} of {fit.people:,} would miss their window: start by "
            f"{iso(fit.latest_start)}, or send {fit.needed_per_second:.1f} a second."
        )
    else:
        said.append(f"At {pace:g} a second nobody misses their window; it ends at {iso(fit.ends_at)}.")
    if again.hours:
        more = sum(hour.expected for hour in again.hours)
        least, most = sum(hour.low for hour in again.hours), sum(hour.high for hour in again.hours)
        said.append(
            f"Estimate, not counted above: about {more:,.0f} windows may open again in these hours ({least:,} to "
            f"{most:,}), by the last {again.weeks} weeks of this Page."
        )
    return said


@campaign.command("test")
@click.argument("name")
@click.option("--to", "psid", required=True, metavar="PSID")
@json_option
@click.pass_context
def test(ctx: click.Context, name: str, psid: str, as_json: bool) -> int:
    """Send the message to one person as a test, outside every count."""
    with workspace(ctx) as space:
        with space.store.read() as conn:
            row = catalogue.get(conn, name)
        client = space.graph_client(row.page_id)
        result = trial.send_test(space.store, client, space.clock, row.id, psid, actor=space.settings.actor)
    document = {"outcome": result.outcome, "message_id": result.message_id, "error": result.error}
    show(
        as_json, document, f"Test to {psid}: {result.outcome}{f' ({result.error})' if result.error else ''}."
    )
    return 0 if result.outcome == "accepted" else 1


def _step(verb: str, act: Callable[..., None], text: str, with_note: bool) -> None:
    """One command that moves a campaign on."""

    @click.argument("name")
    @json_option
    @click.pass_context
    def command(ctx: click.Context, name: str, as_json: bool, note: str = "") -> None:
        with workspace(ctx) as space, space.store.write() as conn:
            row = catalogue.get(conn, name)
            extra = {"note": note} if with_note else {}
            act(conn, row.id, actor=space.settings.actor, at=space.clock.now(), **extra)
            state = catalogue.get(conn, row.id).state
        show(as_json, {"name": name, "state": state}, f"{name}: {state}.")

    if with_note:
        command = click.option("--note", default="", metavar="TEXT")(command)
    campaign.command(verb, help=text)(command)


_step("submit", lifecycle.submit, "Hand a draft to review.", True)
_step("approve", lifecycle.approve, "Approve exactly what stands there now.", True)
_step("reject", lifecycle.reject, "Give it back with a note.", True)


@campaign.command("schedule")
@click.argument("name")
@click.option("--at", "at_text", required=True, metavar="TIME|now")
@json_option
@click.pass_context
def schedule(ctx: click.Context, name: str, at_text: str, as_json: bool) -> None:
    """Set the start of an approved campaign. `broadcaster run` (or the open window) sends it."""
    with workspace(ctx) as space, space.store.write() as conn:
        now = space.clock.now()
        start = now if at_text == "now" else instant(at_text, "--at")
        row = catalogue.get(conn, name)
        lifecycle.schedule(conn, row.id, start, actor=space.settings.actor, at=now)
    show(
        as_json,
        {"name": name, "state": "scheduled", "start_at": iso(start)},
        f"{name}: scheduled for {iso(start)}.",
    )


def _control(verb: str, act: Callable[[Workspace, int], object], text: str) -> None:
    @campaign.command(verb, help=text)
    @click.argument("name")
    @json_option
    @click.pass_context
    def command(ctx: click.Context, name: str, as_json: bool) -> None:
        with workspace(ctx) as space:
            with space.store.read() as conn:
                row = catalogue.get(conn, name)
            act(space, row.id)
            with space.store.read() as conn:
                state = catalogue.get(conn, row.id).state
        show(as_json, {"name": name, "state": state}, f"{name}: {state}.")


_control(
    "pause",
    lambda space, id_: control.pause(space.store, id_, space.settings.actor, space.clock.now()),
    "Stop before the next message; what is on the wire finishes.",
)
_control(
    "resume",
    lambda space, id_: control.resume(space.store, space.clock, id_, space.settings.actor),
    "Go on where it stopped.",
)
_control(
    "cancel",
    lambda space, id_: control.cancel(space.store, id_, space.settings.actor, space.clock.now()),
    "End it; what is on the wire finishes, the rest is cancelled.",
)


@campaign.command("status")
@click.argument("name")
@json_option
@click.pass_context
def status(ctx: click.Context, name: str, as_json: bool) -> None:
    """Sent, delivered, read, failed, skipped, blocked, waiting, unconfirmed."""
    with workspace(ctx) as space, space.store.read() as conn:
        found = status_of(conn, catalogue.get(conn, name), space.clock.now())
    document = found.as_json()
    plain = {key: value for key, value in document.items() if not isinstance(value, dict | list)}
    show(as_json, document, lambda: facts_text(plain | document["reasons"]))


@campaign.command("resolve")
@click.argument("name")
@click.option("--as-sent", "decision", flag_value="sent", help="Count the unconfirmed as sent.")
@click.option("--send-again", "decision", flag_value="again", help="Send them again: may reach people twice.")
@click.option("--leave", "decision", flag_value="leave", help="Leave them in doubt; a receipt settles them.")
@click.pass_context
def resolve(ctx: click.Context, name: str, decision: control.Decision | None) -> None:
    """Decide what to do with messages whose outcome could not be proven.

    Nobody knows whether they arrived, and nothing is sent again by itself. Look into the Page's
    conversations with these people (broadcaster report failures names them) before deciding.
    """
    if decision is None:
        raise RefusedByPolicy(
            "Nothing was decided.",
            "Choose --as-sent (the message is in the conversation), --send-again (may reach people twice) "
            "or --leave (they stay in doubt).",
        )
    with workspace(ctx) as space, space.store.write() as conn:
        row = catalogue.get(conn, name)
        ids = control.unconfirmed_ids(conn, row.id)
        control.resolve_unconfirmed(conn, ids, decision, actor=space.settings.actor, at=space.clock.now())
    say(f"{len(ids)} messages: {decision}.")
