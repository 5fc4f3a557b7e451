"""The rules, pure: what follows for one person from what is asked and what is known of them.

The order in ``ORDER`` is fixed: a person counts under the first rule that stops them. Instants are compared
in whole milliseconds, as the database keeps them. A window is half-open: a person may be written to as long
as ``at < last + window - margin``, and not at that instant any more.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta

from broadcaster.clock import epoch_ms, from_epoch_ms
from broadcaster.policy.packs import SENDABLE, Kind, Rule, State
from broadcaster.policy.terms import HOUR, Facts, Terms, span_ms
from broadcaster.reasons import reason_text
from broadcaster.states import Reason
from broadcaster.zones import zone_info

ORDER = (
    Reason.OPTED_OUT,
    Reason.UNREACHABLE,
    Reason.EXCLUDED,
    Reason.PERMISSION_NOT_ON_PLATFORM,
    Reason.PERMISSION_RETIRED,
    Reason.PERMISSION_NOT_GRANTED,
    Reason.NEVER_INTERACTED,
    Reason.INTERACTION_IN_FUTURE,
    Reason.OUTSIDE_24H,
    Reason.OUTSIDE_7D,
    Reason.TEMPLATE_NOT_APPROVED,
    Reason.MISSING_VALUE,
    Reason.FREQUENCY_CAP,
    Reason.QUIET_HOURS,
    Reason.DUPLICATE,
)


@dataclass(frozen=True, slots=True)
class RuleVerdict:
    """One rule for one person. ``rule`` is the reason it gives when it fails.

    ``flips_at`` is the instant when the verdict of this rule changes by itself, if one is known.
    """

    rule: Reason
    passed: bool
    fact: str
    text: str
    flips_at: datetime | None = None
    flips_when: str = ""


def judge(facts: Facts, terms: Terms) -> tuple[RuleVerdict, ...]:
    """Every rule in the fixed order, pass or fail, with the fact it used."""
    return tuple(verdict for rule in _RULES for verdict in rule(facts, terms))


def first_failing(verdicts: tuple[RuleVerdict, ...]) -> Reason | None:
    """The reason under which the person counts; None: they may be written to."""
    return next((verdict.rule for verdict in verdicts if not verdict.passed), None)


def counted_from(facts: Facts, window: Rule) -> datetime | None:
    """The instant a window counts from. A file tells the last action only, so it stands in for a message."""
    if window.counts_from == "message" and facts.last_message_at is not None:
        return facts.last_message_at
    return facts.last_interaction_at


def closes_ms(facts: Facts, terms: Terms) -> int | None:
    """The first instant (ms) at which the person may not be written to any more; None: never."""
    window, ends = terms.window, terms.ends_ms
    last = counted_from(facts, window) if window else None
    if window is None or last is None:
        return ends
    closes = epoch_ms(last) + span_ms(window) - terms.margin_ms
    if _ad_window_counts(terms) and facts.ad_window_until is not None:
        closes = max(closes, epoch_ms(facts.ad_window_until) - terms.margin_ms)
    return closes if ends is None else min(closes, ends)


Judge = Callable[[Facts, Terms], Iterator[RuleVerdict]]


def _opted_out(facts: Facts, terms: Terms) -> Iterator[RuleVerdict]:
    fact = "They asked not to be written to." if facts.opted_out else "They have not opted out."
    yield _general(Reason.OPTED_OUT, not facts.opted_out, fact, terms)


def _unreachable(facts: Facts, terms: Terms) -> Iterator[RuleVerdict]:
    fact = "The platform refused to deliver to them." if facts.unreachable else "No refusal is known."
    yield _general(Reason.UNREACHABLE, not facts.unreachable, fact, terms)


def _excluded(facts: Facts, terms: Terms) -> Iterator[RuleVerdict]:
    fact = "They are in an excluded audience." if facts.excluded else "They are in no excluded audience."
    yield _general(Reason.EXCLUDED, not facts.excluded, fact, terms)


def _platform(_: Facts, terms: Terms) -> Iterator[RuleVerdict]:
    passed = not terms.same_for_all()[Reason.PERMISSION_NOT_ON_PLATFORM]
    exists = " and ".join(platform.capitalize() for platform in terms.permission.platforms)
    yield RuleVerdict(
        Reason.PERMISSION_NOT_ON_PLATFORM,
        passed,
        f"The Page is on {terms.platform.capitalize()}; {terms.permission.title} exists on {exists}.",
        f"{terms.permission.title} works on {exists} only.",
        flips_when=_when(Reason.PERMISSION_NOT_ON_PLATFORM, passed),
    )


def _state(_: Facts, terms: Terms) -> Iterator[RuleVerdict]:
    passed = not terms.same_for_all()[Reason.PERMISSION_RETIRED]
    rule, title = terms.rule("state"), terms.permission.title
    said = {
        State.RETIRED: f"{title} is retired on {terms.at:%d %b %Y}.",
        State.UNKNOWN: f"{title} did not exist yet on {terms.at:%d %b %Y}.",
    }
    yield RuleVerdict(
        Reason.PERMISSION_RETIRED,
        passed,
        said.get(terms.state, f"{title} is {terms.state} on {terms.at:%d %b %Y}."),
        rule.text if rule else "Only a way to send that is open on the date of sending can be used.",
        flips_at=_next_state(terms),
        flips_when=_instead(terms),
    )


def _granted(_: Facts, terms: Terms) -> Iterator[RuleVerdict]:
    passed, rule = not terms.same_for_all()[Reason.PERMISSION_NOT_GRANTED], terms.rule("feature")
    if terms.permission.kind == Kind.INFORMATION:
        fact = "Broadcaster does not send this way."
    elif rule is None:
        fact = "It needs no special feature."
    else:
        fact = f"The feature {rule.feature} is {terms.feature} for this Page."
    text = rule.text if rule else reason_text(Reason.PERMISSION_NOT_GRANTED).rule
    when = _when(Reason.PERMISSION_NOT_GRANTED, passed)
    yield RuleVerdict(Reason.PERMISSION_NOT_GRANTED, passed, fact, text, flips_when=when)


def _window(facts: Facts, terms: Terms) -> Iterator[RuleVerdict]:
    window = terms.window
    if window is None:
        fact = "This way to send has no window."
        yield RuleVerdict(terms.window_reason, True, fact, "Time since the last action does not count here.")
        return
    last = counted_from(facts, window)
    if last is None:
        fact = "No action of theirs is known."
        when = _when(Reason.NEVER_INTERACTED, False)
        yield RuleVerdict(Reason.NEVER_INTERACTED, False, fact, window.text, flips_when=when)
        return
    what = _what_counts(facts, window)
    if epoch_ms(last) > terms.at_ms:
        fact = f"{what} is dated {_time(last)}, after the time asked about ({_time(terms.at)})."
        yield RuleVerdict(
            Reason.INTERACTION_IN_FUTURE,
            False,
            fact,
            window.text,
            last,
            "when that time has come or is corrected",
        )
        return
    yield _window_open_or_shut(facts, terms, window, f"{what} was {_time(last)}", epoch_ms(last))


def _window_open_or_shut(facts: Facts, terms: Terms, window: Rule, what: str, last_ms: int) -> RuleVerdict:
    sure = last_ms + span_ms(window) - terms.margin_ms
    possible = _possible_until(facts, terms)
    shuts = max(sure, possible) if possible is not None and _ad_window_counts(terms) else sure
    passed = terms.at_ms < shuts
    margin = f" ({terms.margin_ms // 1000} s safety margin)" if terms.margin_ms else ""
    fact = f"{what}; the {window.hours}-hour window shuts {_time(from_epoch_ms(shuts))}{margin}."
    if passed and terms.at_ms >= sure:
        fact += " It is possibly open, after an ad."
    elif not passed and possible is not None and terms.at_ms < possible:
        fact += f" It may be open until {_time(from_epoch_ms(possible))}, after an ad; that is not counted."
    return RuleVerdict(
        terms.window_reason,
        passed,
        fact,
        window.text,
        flips_at=from_epoch_ms(shuts) if passed else None,
        flips_when="when the window shuts" if passed else _when(terms.window_reason, False),
    )


def _template(_: Facts, terms: Terms) -> Iterator[RuleVerdict]:
    rule, passed = terms.rule("template"), not terms.same_for_all()[Reason.TEMPLATE_NOT_APPROVED]
    if terms.permission.carries is not None:
        fact = f"The message is {'' if passed else 'not '}Meta's {terms.permission.carries} form."
    elif rule is None:
        fact = "It needs no template."
    elif terms.template_approved is None:
        fact = "The campaign has no template."
    else:
        fact = f"The template is {'approved' if passed else 'not approved'}."
    text = rule.text if rule else reason_text(Reason.TEMPLATE_NOT_APPROVED).rule
    when = _when(Reason.TEMPLATE_NOT_APPROVED, passed)
    yield RuleVerdict(Reason.TEMPLATE_NOT_APPROVED, passed, fact, text, flips_when=when)


def _missing(facts: Facts, terms: Terms) -> Iterator[RuleVerdict]:
    lacking = [key for key in terms.required_fields if facts.values.get(key) in (None, "")]
    if lacking:
        fact = f"There is no value for {', '.join(lacking)}."
    else:
        fact = "Every needed value is there." if terms.required_fields else "No value is needed."
    yield _general(Reason.MISSING_VALUE, not lacking, fact, terms)


def _frequency(facts: Facts, terms: Terms) -> Iterator[RuleVerdict]:
    cap = terms.cap
    if cap is None:
        yield _general(Reason.FREQUENCY_CAP, True, "There is no cap.", terms)
        return
    since = terms.at_ms - cap.span_ms
    recent = sorted(moment for moment in facts.sent_at if since < epoch_ms(moment) <= terms.at_ms)
    passed = len(recent) < cap.most
    frees = None if passed else recent[-cap.most] + timedelta(milliseconds=cap.span_ms)
    fact = f"{len(recent)} of at most {cap.most} messages in the last {cap.span_ms // HOUR} hours."
    yield _general(Reason.FREQUENCY_CAP, passed, fact, terms, frees)


def _quiet(facts: Facts, terms: Terms) -> Iterator[RuleVerdict]:
    quiet = terms.quiet
    if quiet is None:
        yield _general(Reason.QUIET_HOURS, True, "There are no quiet hours.", terms)
        return
    zone = quiet.zone_of(facts.timezone)
    passed = not quiet.quiet_in(zone, terms.at)
    wall = terms.at.astimezone(zone_info(zone))
    fact = f"It is {wall:%H:%M} in {zone}; quiet from {quiet.begins:%H:%M} to {quiet.ends:%H:%M}."
    yield _general(Reason.QUIET_HOURS, passed, fact, terms, quiet.flips_at(facts.timezone, terms.at))


def _duplicate(facts: Facts, terms: Terms) -> Iterator[RuleVerdict]:
    fact = "They already have this message." if facts.already else "They do not have this message yet."
    yield _general(Reason.DUPLICATE, not facts.already, fact, terms)


_RULES: tuple[Judge, ...] = (
    _opted_out,
    _unreachable,
    _excluded,
    _platform,
    _state,
    _granted,
    _window,
    _template,
    _missing,
    _frequency,
    _quiet,
    _duplicate,
)


def _general(
    reason: Reason, passed: bool, fact: str, terms: Terms, flips_at: datetime | None = None
) -> RuleVerdict:
    return RuleVerdict(reason, passed, fact, terms.pack.rules[reason].text, flips_at, _when(reason, passed))


def _when(reason: Reason, passed: bool) -> str:
    return "" if passed else reason_text(reason).reopens


def _instead(terms: Terms) -> str:
    replacement = terms.permission.replaced_by
    if terms.state == State.RETIRED and replacement:
        return f"never by this way to send; {terms.pack.permission(replacement).title} replaces it"
    return _when(Reason.PERMISSION_RETIRED, terms.state in SENDABLE)


def _next_state(terms: Terms) -> datetime | None:
    """When the state next changes between sendable and not."""
    now = terms.state in SENDABLE
    changes = [
        rule.valid_from
        for rule in terms.permission.rules
        if rule.rule == "state"
        and terms.platform in rule.platforms
        and rule.valid_from is not None
        and rule.valid_from > terms.at
        and (rule.state in SENDABLE) != now
    ]
    return min(changes, default=None)


def _possible_until(facts: Facts, terms: Terms) -> int | None:
    """Until when (ms) the window may be open after an ad; None where no such rule is in force."""
    if facts.ad_window_until is None or terms.rule("ad_window") is None:
        return None
    return epoch_ms(facts.ad_window_until) - terms.margin_ms


def _ad_window_counts(terms: Terms) -> bool:
    return terms.possible_ad_window and terms.rule("ad_window") is not None


def _what_counts(facts: Facts, window: Rule) -> str:
    if window.counts_from == "interaction":
        return "Their last action"
    if facts.last_message_at is None:
        return "Their last action (no message of theirs is recorded)"
    return "Their last message"


def _time(instant: datetime) -> str:
    return f"{instant:%Y-%m-%d %H:%M:%S} UTC"
