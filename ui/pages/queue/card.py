"""One campaign in the queue: how far, how fast, what stands in the way, and what can be done about it."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from functools import partial
from zoneinfo import ZoneInfo

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QHBoxLayout, QPushButton, QSizePolicy

from broadcaster.states import CampaignState, PageState, PauseCause
from ui import text, theme
from ui.i18n import plural, tr
from ui.pages.queue.reading import FirstFew, Sending
from ui.widgets.bars import Part, SplitBar
from ui.widgets.buttons import button, row
from ui.widgets.flow import FlowLayout, beside
from ui.widgets.labels import Card, Pill, Text


class SendingCard(Card):
    """Signals carry what the page does: ``asked`` (deed), ``opened`` (page name), ``doubts_asked``."""

    asked = Signal(str)
    opened = Signal(str)
    doubts_asked = Signal()

    def __init__(self, name: str) -> None:
        super().__init__()
        self.setAccessibleName(name)
        self.title = button(name, partial(self.opened.emit, "reports"), "link", tip=tr("Open the report"))
        self.pill = Pill()
        self.where = Text("", "muted", wrap=False)
        self.deeds = QHBoxLayout()
        self.deeds.setSpacing(theme.space("s"))
        self.body.addLayout(beside(row(self.title, self.pill, self.where, None), None, self.deeds))
        self.said = Text("")
        self.bar = SplitBar(tr("Progress of {name}", name=name))
        self.facts = FlowLayout(gap="l")
        self.doubt = button("", self.doubts_asked.emit, "link", "doubt")
        self.add(self.said, self.bar)
        self.body.addLayout(self.facts)
        self.body.addLayout(row(self.doubt, None))
        self._facts: dict[str, Text] = {}
        self._buttons: dict[str, QPushButton] = {}

    def fact(self, name: str) -> str:
        return self._facts[name].text() if name in self._facts else ""

    def deed(self, name: str) -> QPushButton:
        return self._buttons[name]

    def show_sending(self, sending: Sending, zone: ZoneInfo, now: datetime) -> None:
        campaign = sending.campaign
        self.pill.say(*text.campaign_state(campaign.state))
        self.where.setText(sending.page.name if sending.page else "")
        self._show_deeds(sending)
        words, tone = _sentence(sending, zone, now)
        self.said.say(words, tone)
        self.said.setVisible(bool(words))
        self.said.setToolTip(text.full_time(campaign.start_at, zone) if campaign.start_at else "")
        self._show_progress(sending, zone, now)
        left = len(sending.doubts)
        self.doubt.setVisible(left > 0)
        self.doubt.setText(plural(left, "{n} message in doubt: decide…", "{n} messages in doubt: decide…"))
        self.doubt.setAccessibleName(self.doubt.text())

    def _show_deeds(self, sending: Sending) -> None:
        wanted = _deeds(sending)
        if list(wanted) == list(self._buttons):
            return
        for old in self._buttons.values():
            self.deeds.removeWidget(old)
            old.deleteLater()
        self._buttons = {}
        for key, (words, icon, role) in wanted.items():
            made = button(words, partial(self.asked.emit, key), role, icon)
            made.setAccessibleName(f"{words}: {sending.campaign.name}")
            made.setSizePolicy(QSizePolicy.Policy.Fixed, QSizePolicy.Policy.Fixed)
            self._buttons[key] = made
            self.deeds.addWidget(made)

    def _show_progress(self, sending: Sending, zone: ZoneInfo, now: datetime) -> None:
        going = sending.progress
        self.bar.setVisible(going is not None)
        if going is None:
            self._show_facts({})
            return
        counts = going.counts
        self.bar.show_parts(
            [
                Part(tr("Sent"), counts.sent, "ok"),
                Part(tr("Failed"), counts.failed, "bad"),
                Part(tr("Stopped by a rule"), counts.skipped, "warn"),
                Part(tr("In doubt"), counts.unconfirmed, "doubt"),
                Part(tr("Cancelled"), counts.cancelled, "border_strong"),
                Part(tr("Sending"), counts.sending, "accent"),
                Part(tr("Waiting"), counts.waiting, "surface_alt"),
            ]
        )
        ready = sending.page is None or sending.page.state == PageState.READY
        running = sending.campaign.state == CampaignState.RUNNING and ready and sending.undo_until is None
        trying = sending.first_few is not None
        left = going.seconds_left(sending.campaign.throttle_per_second) if running and not trying else None
        facts = {
            "sent": (
                tr("{n} of {all} sent", n=text.number(counts.sent), all=text.number(counts.intended)),
                "ok",
            ),
            "waiting": (tr("{n} waiting", n=text.number(counts.waiting + counts.sending)), "wait"),
            "rate": (tr("{rate} per second now", rate=text.number(going.per_second, 1)), "")
            if running and not trying
            else ("", ""),
            "left": (tr("{time} left", time=text.duration(left)), "") if left else ("", ""),
            "retrying": (tr("{n} being tried again", n=text.number(going.retrying)), "warn")
            if going.retrying
            else ("", ""),
            "failed": (tr("{n} failed", n=text.number(counts.failed)), "bad") if counts.failed else ("", ""),
            "skipped": (tr("{n} stopped by a rule", n=text.number(counts.skipped)), "warn")
            if counts.skipped
            else ("", ""),
            "doubt": (tr("{n} in doubt", n=text.number(counts.unconfirmed)), "doubt")
            if counts.unconfirmed
            else ("", ""),
            "next": (tr("next one {when}", when=text.when(going.next_at, zone, now)), "wait")
            if going.next_at and running
            else ("", ""),
        }
        if not counts.adds_up:
            facts["sum"] = (tr("The figures do not add up: see the report"), "bad")
        self._show_facts({key: fact for key, fact in facts.items() if fact[0]})

    def _show_facts(self, facts: dict[str, tuple[str, str]]) -> None:
        for key in list(self._facts):
            if key not in facts:
                gone = self._facts.pop(key)
                self.facts.removeWidget(gone)
                gone.deleteLater()
        for key, (words, tone) in facts.items():
            if key not in self._facts:
                self._facts[key] = Text("", wrap=False)
                self.facts.addWidget(self._facts[key])
            self._facts[key].say(words, tone)


def _deeds(sending: Sending) -> dict[str, tuple[str, str, str]]:
    """Deed → (words, icon, role), by the campaign's state."""
    state = sending.campaign.state
    pause = (tr("Pause"), "pause", "")
    cancel = (tr("Cancel…"), "stop", "danger")
    move = (tr("Move…"), "calendar", "")
    found: dict[str, dict[str, tuple[str, str, str]]] = {
        CampaignState.RUNNING: {"pause": pause, "cancel": cancel},
        CampaignState.PAUSED: {"resume": (tr("Resume"), "play", "primary"), "cancel": cancel},
        CampaignState.SCHEDULED: {"move": move, "cancel": cancel},
        CampaignState.MISSED: {"now": (tr("Send now"), "send", "primary"), "move": move, "cancel": cancel},
    }
    if sending.undo_until is not None and state == CampaignState.RUNNING:
        return {"undo": (tr("Undo"), "undo", "primary"), "pause": pause}
    return found.get(CampaignState(state), {})


def _sentence(sending: Sending, zone: ZoneInfo, now: datetime) -> tuple[str, str]:
    """What stands in the way, or when it goes."""
    campaign, page = sending.campaign, sending.page
    if sending.undo_until is not None:
        seconds = (sending.undo_until - now).total_seconds()
        return tr(
            "Sending begins in {time}. Undo cancels it for everybody.", time=text.duration(seconds)
        ), "warn"
    if sending.first_few is not None:
        return _first_few_words(sending.first_few, zone, now), "accent"
    says: dict[str, Callable[[], tuple[str, str]]] = {
        CampaignState.SCHEDULED: lambda: (_start_words(sending, zone, now), ""),
        CampaignState.MISSED: lambda: (
            tr(
                "{missed} Nothing is sent by itself: send it now, move it, or cancel it.",
                missed=sending.missed,
            ),
            "bad",
        ),
        CampaignState.PAUSED: lambda: (_pause_words(sending), "warn"),
    }
    found = says.get(CampaignState(campaign.state), lambda: ("", ""))()
    waits = page is not None and page.blocked_until is not None and page.blocked_until > now
    if not found[0] and waits:
        moment = text.when(page.blocked_until, zone, now)
        return tr("Meta asked to slow down: goes on {when} by itself.", when=moment), "warn"
    if not found[0] and page is not None and page.state != PageState.READY:
        return page.state_text or text.page_state(page.state)[0], "bad"
    return found


def _first_few_words(few: FirstFew, zone: ZoneInfo, now: datetime) -> str:
    percent = text.number(few.most_failures)
    if few.until is None:
        return plural(
            few.size,
            "{n} person gets it first. The rest follow after a wait, if no more than {percent} % fail.",
            "{n} people get it first. The rest follow after a wait, if no more than {percent} % fail.",
            percent=percent,
        )
    return plural(
        few.size,
        "The first {n} is out. The rest follow {when}, in {time}, if no more than {percent} % fail.",
        "The first {n} are out. The rest follow {when}, in {time}, if no more than {percent} % fail.",
        when=text.when(few.until, zone, now),
        time=text.duration(max(0.0, (few.until - now).total_seconds())),
        percent=percent,
    )


def _start_words(sending: Sending, zone: ZoneInfo, now: datetime) -> str:
    if sending.starts_at is None:
        return ""
    moment = text.when(sending.starts_at, zone, now)
    away = sending.starts_at - now
    if away.total_seconds() <= 0:
        return tr("Starts now")
    return tr("Starts {when}, in {time}", when=moment, time=text.duration(away))


def _pause_words(sending: Sending) -> str:
    campaign = sending.campaign
    by_hand = campaign.pause_cause == PauseCause.HAND and campaign.pause_text
    cause = text.pause_cause(campaign.pause_cause) if campaign.pause_cause and not by_hand else ""
    return ". ".join(part.rstrip(".") for part in (cause, campaign.pause_text or "") if part) + "."
