"""States, reasons, errors, times and numbers → words. The one place for the sentences of the window."""

from __future__ import annotations

from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from PySide6.QtCore import QDate, QDateTime, QLocale, QTime

from broadcaster.states import CampaignState, DeliveryState, PageState, PauseCause, Reason
from ui.i18n import plural, tr

NONE = "–"


def campaign_state(state: str) -> tuple[str, str, str]:
    """(word, tone, icon) of a campaign's state."""
    return {
        CampaignState.DRAFT: (tr("Draft"), "wait", "edit"),
        CampaignState.SUBMITTED: (tr("Waiting for review"), "warn", "review"),
        CampaignState.APPROVED: (tr("Approved"), "ok", "check"),
        CampaignState.SCHEDULED: (tr("Scheduled"), "accent", "calendar"),
        CampaignState.RUNNING: (tr("Sending"), "accent", "send"),
        CampaignState.PAUSED: (tr("Paused"), "warn", "pause"),
        CampaignState.MISSED: (tr("Missed its time"), "bad", "warn"),
        CampaignState.FINISHED: (tr("Finished"), "ok", "ok"),
        CampaignState.CANCELLED: (tr("Cancelled"), "wait", "blocked"),
    }[CampaignState(state)]


def delivery_state(state: str) -> tuple[str, str, str]:
    """(word, tone, icon) of one person's message."""
    return {
        DeliveryState.WAITING: (tr("Waiting"), "wait", "wait"),
        DeliveryState.LEASED: (tr("About to be sent"), "wait", "wait"),
        DeliveryState.SENDING: (tr("Sending"), "accent", "send"),
        DeliveryState.SENT: (tr("Sent"), "ok", "check"),
        DeliveryState.DELIVERED: (tr("Delivered"), "ok", "check"),
        DeliveryState.READ: (tr("Read"), "ok", "ok"),
        DeliveryState.FAILED: (tr("Failed"), "bad", "bad"),
        DeliveryState.SKIPPED: (tr("Not sent: a rule stopped it"), "warn", "blocked"),
        DeliveryState.UNCONFIRMED: (tr("In doubt"), "doubt", "doubt"),
        DeliveryState.CANCELLED: (tr("Cancelled"), "wait", "blocked"),
    }[DeliveryState(state)]


def page_state(state: str) -> tuple[str, str, str]:
    """(word, tone, icon) of a Page's health."""
    return {
        PageState.READY: (tr("Ready"), "ok", "ok"),
        PageState.TOKEN_INVALID: (tr("Token no longer valid"), "bad", "key"),
        PageState.RESTRICTED: (tr("Restricted by Meta"), "bad", "blocked"),
        PageState.PERMISSION_MISSING: (tr("A permission is missing"), "bad", "lock"),
        PageState.RATE_LIMITED: (tr("Slowed down by Meta"), "warn", "wait"),
        PageState.DISCONNECTED: (tr("Disconnected"), "bad", "connect"),
    }[PageState(state)]


def pause_cause(cause: str) -> str:
    return {
        PauseCause.HAND: tr("Paused by hand"),
        PauseCause.PAGE: tr("The Page cannot send"),
        PauseCause.CONTENT: tr("The message itself was refused"),
        PauseCause.CANARY: tr("The first group failed too often"),
        PauseCause.DRIFT: tr("Its reach is no longer the approved one"),
        PauseCause.CHANGED: tr("It is no longer what was approved"),
    }[PauseCause(cause)]


def reason(key: str) -> str:
    """Two or three words for a column or a bar."""
    return _reasons()[Reason(key)][0]


def reason_sentence(key: str) -> str:
    """Why somebody is not reached, in one sentence with the way out."""
    return _reasons()[Reason(key)][1]


def _reasons() -> dict[Reason, tuple[str, str]]:
    return {
        Reason.OPTED_OUT: (
            tr("Opted out"),
            tr("They asked not to be written to; only they can take that back."),
        ),
        Reason.UNREACHABLE: (
            tr("Unreachable"),
            tr("Meta says this person cannot be reached; it ends by itself when they write."),
        ),
        Reason.EXCLUDED: (tr("Taken out"), tr("They are in an audience this campaign leaves out.")),
        Reason.PERMISSION_NOT_ON_PLATFORM: (
            tr("Not on this platform"),
            tr("This way to send does not exist on their platform; choose another."),
        ),
        Reason.PERMISSION_RETIRED: (
            tr("Way to send retired"),
            tr("Meta ended this way to send before the send date; choose another."),
        ),
        Reason.PERMISSION_NOT_GRANTED: (
            tr("Feature not granted"),
            tr("The Page does not have the feature this way to send needs; ask Meta for it."),
        ),
        Reason.NEVER_INTERACTED: (
            tr("Never wrote"),
            tr("They never opened a window; it opens when they write or press a button."),
        ),
        Reason.INTERACTION_IN_FUTURE: (
            tr("Time in the future"),
            tr("Their last action is dated in the future; check the clock or the file it came from."),
        ),
        Reason.OUTSIDE_24H: (
            tr("Window closed (24 h)"),
            tr("Their last action is more than 24 hours before the send time."),
        ),
        Reason.OUTSIDE_7D: (
            tr("Window closed (7 days)"),
            tr("Their last message is more than 7 days before the send time."),
        ),
        Reason.TEMPLATE_NOT_APPROVED: (
            tr("Template not approved"),
            tr("The message is not the template this way to send needs, or Meta has not approved it yet."),
        ),
        Reason.MISSING_VALUE: (
            tr("A value is missing"),
            tr("The message names something this person has no value for; give it a fallback."),
        ),
        Reason.FREQUENCY_CAP: (
            tr("Frequency cap"),
            tr("They have had as many messages as the cap allows; wait, or raise the cap."),
        ),
        Reason.QUIET_HOURS: (tr("Quiet hours"), tr("It is quiet time for them at the send time.")),
        Reason.DUPLICATE: (tr("Already has it"), tr("They already have this campaign's message.")),
        Reason.REPLIED: (tr("Wrote meanwhile"), tr("They wrote before their turn and were taken out.")),
    }


def number(value: float | int | None, digits: int = 0) -> str:
    """With the locale's separators; a dash for None."""
    if value is None:
        return NONE
    if digits:
        return QLocale().toString(float(value), "f", digits)
    return QLocale().toString(round(value))


def percent(part: float, whole: float) -> str:
    """``part`` of ``whole``; says "< 1 %" rather than 0 for something."""
    if not whole:
        return NONE
    share = 100 * part / whole
    if 0 < share < 1:
        return "< 1 %"
    if 99 < share < 100:
        return "> 99 %"
    return f"{number(share)} %"


def people(count: int) -> str:
    return plural(count, "{n} person", "{n} people")


def when(instant: datetime | None, zone: ZoneInfo, now: datetime) -> str:
    """ "today 14:02", "yesterday 09:10", "Tue 14:02", else the date; a dash for None."""
    if instant is None:
        return NONE
    local, today = instant.astimezone(zone), now.astimezone(zone).date()
    clock = QLocale().toString(QTime(local.hour, local.minute), "HH:mm")
    days = (local.date() - today).days
    near = {0: tr("today {time}"), -1: tr("yesterday {time}"), 1: tr("tomorrow {time}")}
    if days in near:
        return near[days].format(time=clock)
    day = QDate(local.year, local.month, local.day)
    if abs(days) < 7:
        return f"{QLocale().toString(day, 'ddd')} {clock}"
    form = "d MMM" if local.year == now.astimezone(zone).year else "d MMM yyyy"
    return f"{QLocale().toString(day, form)} {clock}"


def full_time(instant: datetime | None, zone: ZoneInfo) -> str:
    """Date, time to the second and zone, for tooltips."""
    if instant is None:
        return NONE
    local = instant.astimezone(zone)
    stamp = QDateTime(
        QDate(local.year, local.month, local.day), QTime(local.hour, local.minute, local.second)
    )
    return f"{QLocale().toString(stamp, 'ddd d MMM yyyy HH:mm:ss')} {local.tzname()} ({zone.key})"


def duration(span: timedelta | float | None) -> str:
    """ "3 h 12 min", "45 s", "2 days 4 h"; a dash for None. Seconds when a number."""
    if span is None:
        return NONE
    seconds = max(0, round(span.total_seconds() if isinstance(span, timedelta) else span))
    if seconds < 60:
        return tr("{n} s", n=seconds)
    minutes, hours, days = seconds // 60 % 60, seconds // 3600 % 24, seconds // 86_400
    if days:
        word = plural(days, "{n} day", "{n} days")
        return f"{word} {tr('{n} h', n=hours)}" if hours else word
    if hours:
        return f"{tr('{n} h', n=hours)} {tr('{n} min', n=minutes)}" if minutes else tr("{n} h", n=hours)
    return tr("{n} min", n=minutes)


def person_name(first: str | None, last: str | None, psid: str) -> str:
    """The name, or who it is when there is none."""
    return " ".join(part for part in (first, last) if part) or tr("Guest {id}", id=psid[-6:])
