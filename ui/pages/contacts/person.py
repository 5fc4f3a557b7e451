"""The person's panel: why they can or cannot be reached now, facts, labels, interactions, messages."""

from __future__ import annotations

import json
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QComboBox, QFileDialog, QLineEdit, QVBoxLayout, QWidget

from broadcaster.errors import BroadcasterError
from ui import text, theme
from ui.i18n import tr
from ui.models.window_clock import window_clock
from ui.pages.contacts import reading
from ui.pages.contacts.columns import source_word
from ui.tasks import Work
from ui.widgets.buttons import button, menu_button, row
from ui.widgets.clearing import clear
from ui.widgets.dialogs import Dialog, ask
from ui.widgets.fields import Field
from ui.widgets.flow import FlowLayout
from ui.widgets.labels import Card, Icon, Pill, Text
from ui.widgets.panel import SidePanel

if TYPE_CHECKING:
    from ui.pages.contacts import ContactsPage

MOST_SHOWN = 30


class PersonPanel(SidePanel):
    """``changed`` after something was noted about the person; ``campaign`` asks to open one."""

    changed = Signal()
    campaign = Signal(object)

    def __init__(self, page: ContactsPage) -> None:
        super().__init__()
        self.setAccessibleName(tr("Person"))
        self._page = page
        self._id: int | None = None
        self.way = QComboBox()
        self.way.setAccessibleName(tr("Way to send"))
        self.way.addItem("", "standard")
        self.way.currentIndexChanged.connect(self._way_chosen)
        self._content = QVBoxLayout()
        self._content.setSpacing(theme.space("m"))
        self._reach = Card(tr("Can they be reached now?"))
        self._reach.add(self.way)
        self._rules = QVBoxLayout()
        self._rules.setSpacing(theme.space("xs"))
        self._reach.body.addLayout(self._rules)
        self._pills = FlowLayout(gap="xs")
        self.body.addLayout(self._pills)
        self.body.addWidget(self._reach)
        self.body.addLayout(self._content)
        self.body.addStretch(1)

    def show_person(self, contact_id: int) -> None:
        self._id = contact_id
        self.refresh()

    def refresh(self) -> None:
        """Read the person again."""
        if self._id is None or self._page.page_id is None:
            return
        contact_id, page_id = self._id, self._page.page_id
        permission, now = str(self.way.currentData()), self._page.now()

        def read(conn: Any) -> reading.Portrait:
            return reading.portrait(conn, page_id, contact_id, permission, now)

        self._page.read(read, self._show, "person", self._gone)

    def _gone(self, error: BroadcasterError) -> None:
        self.hide()
        self._page.notice.error(error)

    def _way_chosen(self) -> None:
        self.refresh()

    # -- showing

    def _show(self, portrait: reading.Portrait) -> None:
        person, row_ = portrait.person, portrait.person.row
        self.title.setText(text.person_name(row_.first_name, row_.last_name, row_.psid))
        self._show_pills(row_)
        self._show_ways(portrait.ways)
        self._show_rules(portrait.explanation)
        clear(self._content)
        self._content.addWidget(self._facts(person))
        self._content.addWidget(self._attributes(row_))
        self._content.addWidget(self._messages(portrait.messages))
        self._content.addWidget(self._interactions(portrait.interactions))
        self._content.addLayout(self._deeds(row_))

    def _show_pills(self, person: Any) -> None:
        clear(self._pills)
        clock = window_clock(person.last_interaction_at, self._page.now())
        tone = "wait" if clock.tone == "muted" else clock.tone
        self._pills.addWidget(Pill(clock.words, tone, "clock"))
        if person.opted_out:
            self._pills.addWidget(Pill(tr("Opted out"), "bad", "blocked"))
        if person.unreachable:
            self._pills.addWidget(Pill(tr("Unreachable"), "warn", "warn"))
        for label in person.labels:
            self._pills.addWidget(Pill(label, "accent", "label"))

    def _show_ways(self, ways: Sequence[tuple[str, str]]) -> None:
        if self.way.count() == len(ways) and self.way.itemText(0):
            return
        chosen = self.way.currentData()
        self.way.blockSignals(True)
        self.way.clear()
        for key, title in ways:
            self.way.addItem(title, key)
        self.way.setCurrentIndex(max(0, self.way.findData(chosen)))
        self.way.blockSignals(False)

    def _show_rules(self, explanation: Any) -> None:
        clear(self._rules)
        if explanation.eligible:
            self._rules.addWidget(_line("ok", tr("Yes, by this way to send."), "ok", "strong"))
        else:
            words = text.reason_sentence(explanation.reason)
            self._rules.addWidget(_line("bad", tr("No. {why}", why=words), "bad", "strong"))
        for verdict in explanation.rules:
            self._rules.addWidget(self._rule(verdict))
        self._rules.addWidget(Text(tr("Decided by {pack}", pack=explanation.pack), "small"))

    def _rule(self, verdict: Any) -> QWidget:
        icon, tone = ("check", "ok") if verdict.passed else ("close", "bad")
        words = verdict.fact if verdict.passed else f"{text.reason(verdict.rule)}: {verdict.fact}"
        if verdict.flips_at is not None:
            when = text.when(verdict.flips_at, self._page.zone, self._page.now())
            words += " " + tr("Changes {when}.", when=when)
        elif verdict.flips_when:
            words += " " + tr("Changes {when}.", when=verdict.flips_when)
        line = _line(icon, words, tone, "muted" if verdict.passed else "body")
        line.setToolTip(verdict.text)
        return line

    def _facts(self, person: Any) -> Card:
        row_ = person.row
        facts = [
            (tr("Id (PSID)"), row_.psid),
            (tr("Language"), row_.locale),
            (tr("Time zone"), row_.timezone),
            (tr("Last action"), self._moment(row_.last_interaction_at)),
            (tr("Last message"), self._moment(person.last_message_at)),
            (tr("Last sent to"), self._moment(person.last_sent_at)),
            (tr("Unreachable"), person.unreachable_text),
            (tr("Came from"), row_.entry_ref),
            (tr("Known from"), source_word(row_.source)),
            (tr("Known since"), self._moment(row_.created_at)),
        ]
        return _facts_card(tr("Facts"), [(name, str(value)) for name, value in facts if value])

    def _moment(self, instant: Any) -> str:
        return text.when(instant, self._page.zone, self._page.now()) if instant else ""

    def _attributes(self, person: Any) -> Card:
        return _facts_card(
            tr("Own attributes"), [(name, str(value)) for name, value in person.attributes.items()]
        )

    def _messages(self, messages: Sequence[Any]) -> Card:
        card = Card(tr("Messages"))
        for message in messages[:MOST_SHOWN]:
            word, tone, icon = text.delivery_state(message.kind.removeprefix(reading.MESSAGE))
            link = button(message.text, None, "link", tip=tr("Open campaign {name}", name=message.text))
            link.clicked.connect(partial(self._open_campaign, message.text))
            card.body.addLayout(row(link, None, Pill(word, tone, icon)))
            card.add(self._time(message.at))
        if not messages:
            card.add(Text(tr("No message has been sent to them."), "muted"))
        return card

    def _open_campaign(self, name: str, _pressed: bool = False) -> None:
        self.campaign.emit(name)

    def _interactions(self, interactions: Sequence[Any]) -> Card:
        card = Card(tr("What they did"))
        for done in interactions[:MOST_SHOWN]:
            icon, word = interaction_words(done.kind)
            more = f" · {done.text}" if done.text else ""
            line = row(Icon(icon), Text(f"{word}{more}"), self._time(done.at))
            line.setStretch(1, 1)
            card.body.addLayout(line)
        if not interactions:
            card.add(Text(tr("Nothing is known of what they did."), "muted"))
        return card

    def _time(self, instant: Any) -> Text:
        made = Text(self._moment(instant), "small", wrap=False)
        made.setToolTip(text.full_time(instant, self._page.zone))
        return made

    # -- deeds

    def _deeds(self, person: Any) -> Any:
        opting = (
            button(tr("They want messages again…"), self._opt_in)
            if person.opted_out
            else button(tr("They want no messages…"), self._opt_out, icon="blocked")
        )
        more = menu_button(
            tr("Privacy"),
            [
                (tr("Write everything held about them to a file…"), "export", self._export),
                (tr("Erase them…"), "delete", self._erase),
            ],
        )
        return row(opting, more, None)

    def _opt_out(self) -> None:
        self.dialog = OptDialog(self, out=True)
        self.dialog.open()

    def _opt_in(self) -> None:
        self.dialog = OptDialog(self, out=False)
        self.dialog.open()

    def note_opt(self, out: bool, why: str) -> None:
        workspace, contact_id = self._page.workspace, self._id
        if contact_id is None:
            return

        def run(_work: Work) -> None:
            reading.set_opt_out(workspace, contact_id, out, why)

        self._page.tasks.run(self, run, self._noted, self._page.notice.error)

    def _noted(self, _nothing: object) -> None:
        self.changed.emit()
        self.refresh()

    def _export(self) -> None:
        chooser = QFileDialog(self, tr("Everything held about this person"))
        chooser.setAcceptMode(QFileDialog.AcceptMode.AcceptSave)
        chooser.setDefaultSuffix("json")
        chooser.fileSelected.connect(self.export_to)
        chooser.open()

    def export_to(self, path: str) -> None:
        workspace, contact_id = self._page.workspace, self._id
        if contact_id is None:
            return

        def run(_work: Work) -> None:
            held = reading.everything_held(workspace, contact_id)
            Path(path).write_text(json.dumps(held, ensure_ascii=False, indent=2, default=str), "utf-8")

        said = tr("Everything held about them is in {file}.", file=path)
        self._page.tasks.run(self, run, lambda _n: self._page.notice.say(said, "ok"), self._page.notice.error)

    def _erase(self) -> None:
        words = tr(
            "Name, facts, interactions and attributes are deleted for good. Counts of past campaigns stay, under a pseudonym."
        )
        title = tr("Erase {person}?", person=self.title.text())
        ask(self, title, words, tr("Erase"), self.erase, danger=True)

    def erase(self) -> None:
        workspace, contact_id = self._page.workspace, self._id
        if contact_id is None:
            return

        def run(_work: Work) -> None:
            reading.erase(workspace, contact_id)

        self._page.tasks.run(self, run, self._erased, self._page.notice.error)

    def _erased(self, _nothing: object) -> None:
        self._id = None
        self.close_panel()
        self.changed.emit()


class OptDialog(Dialog):
    """By hand, with the reason kept."""

    def __init__(self, panel: PersonPanel, *, out: bool) -> None:
        title = tr("They want no messages") if out else tr("They want messages again")
        super().__init__(title, panel, "panel")
        self._panel, self._out = panel, out
        self.why = QLineEdit()
        self._field = Field(
            tr("Reason"), self.why, tr("Kept with your name, for instance: told us on the phone.")
        )
        self.body.addWidget(self._field)
        self.buttons.addWidget(button(tr("Back"), self.reject))
        self.note_button = button(tr("Note it"), self._note, "primary")
        self.note_button.setDefault(True)
        self.buttons.addWidget(self.note_button)

    def _note(self) -> None:
        why = self.why.text().strip()
        if not why:
            self._field.fault(tr("Say why: it stays with the record."))
            return
        self._panel.note_opt(self._out, why)
        self.accept()


def interaction_words(kind: str) -> tuple[str, str]:
    """(icon, words) of something a person did."""
    return {
        "message": ("message", tr("Wrote a message")),
        "postback": ("play", tr("Pressed a button")),
        "referral": ("link", tr("Followed a link into the chat")),
        "reaction": ("star", tr("Reacted to a message")),
        "plugin_message": ("message", tr("Wrote from the website")),
        "ad_message": ("campaigns", tr("Wrote after an ad")),
        "import": ("import", tr("Last action, from a file")),
        "opt_in": ("check", tr("Opted in")),
        "comment": ("message", tr("Commented")),
        "opted_out": ("blocked", tr("Opted out")),
        "opted_in": ("check", tr("Opted in again")),
    }.get(kind, ("info", kind))


def _line(icon: str, words: str, tone: str, role: str) -> QWidget:
    made = QWidget()
    line = row(Icon(icon, tone), Text(words, role))
    line.setStretch(1, 1)
    made.setLayout(line)
    return made


def _facts_card(title: str, facts: Sequence[tuple[str, str]]) -> Card:
    card = Card(title)
    for name, value in facts:
        line = row(Text(name, "muted"), Text(value))
        line.setStretch(0, 2)
        line.setStretch(1, 3)
        card.body.addLayout(line)
    if not facts:
        card.add(Text(tr("None."), "muted"))
    return card
