"""Ways to send: one card each, with its state on the send date, its reach, and what may be written."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QButtonGroup, QRadioButton, QVBoxLayout, QWidget

from ui import text, theme
from ui.i18n import tr
from ui.widgets.buttons import button, row
from ui.widgets.clearing import clear
from ui.widgets.dialogs import Dialog
from ui.widgets.grid import TextGrid
from ui.widgets.labels import Card, Pill, Text, restyle

SENDABLE = ("open", "conditional")


@dataclass(frozen=True, slots=True)
class Way:
    """One way to send as the card shows it. ``reach`` None: there is nobody to count yet."""

    key: str
    title: str
    state: str
    said: str
    """What the pack says of its state on that date."""
    retired_on: datetime | None
    replaced_by: str | None
    allowed: Sequence[str]
    disallowed: Sequence[str]
    warning: str | None
    source: str
    only_kind: str | None
    """The only kind of message it takes."""
    window_hours: int | None
    promotion: bool
    reach: int | None = None
    audience: int = 0
    reasons: dict[str, int] = field(default_factory=dict)

    @property
    def can_send(self) -> bool:
        return self.state in SENDABLE


def state_words(way: Way) -> tuple[str, str, str]:
    """(word, tone, icon) of a way's state on the send date."""
    if way.state == "retired" and way.retired_on is not None:
        return tr("Retired since {date}", date=f"{way.retired_on:%Y-%m-%d}"), "bad", "blocked"
    return {
        "open": (tr("Open"), "ok", "ok"),
        "conditional": (tr("Conditional"), "warn", "warn"),
        "retired": (tr("Retired"), "bad", "blocked"),
        "not_on_platform": (tr("Not on this platform"), "wait", "blocked"),
    }.get(way.state, (tr("Not known on that date"), "wait", "info"))


def reach_words(way: Way) -> str:
    if way.reach is None:
        return ""
    return tr("reaches {n} of {all}", n=text.number(way.reach), all=text.number(way.audience))


class WayCard(Card):
    """One way: chosen by its radio button; what is allowed and where that is written when chosen."""

    def __init__(self, way: Way, group: QButtonGroup) -> None:
        super().__init__()
        self.key = way.key
        self.radio = QRadioButton(way.title)
        self.pill = Pill()
        self.reach = Text("", "strong", wrap=False)
        self._said = Text("", "muted")
        self._more = Text("")
        self._source = Text("", "small")
        group.addButton(self.radio)
        self.body.setContentsMargins(*(theme.space("m"), theme.space("s")) * 2)
        self.body.setSpacing(theme.space("xs"))
        self.body.addLayout(row(self.radio, self.pill, None, self.reach))
        self.add(self._said, self._more, self._source)
        self.radio.toggled.connect(self._toggled)
        self.show_way(way)

    def show_way(self, way: Way) -> None:
        word, tone, icon = state_words(way)
        self.pill.say(word, tone, icon)
        self.reach.setText(reach_words(way))
        self._said.setText(_said(way))
        self._more.setText(_rules(way))
        self._source.setText(tr("Written in: {source}", source=way.source))
        self.radio.setEnabled(way.can_send or self.radio.isChecked())
        self.radio.setAccessibleName(f"{way.title}. {word}. {reach_words(way)}")
        self.radio.setAccessibleDescription(f"{self._said.text()} {self._more.text()}")
        self.setToolTip(self._more.text())
        self._toggled(self.radio.isChecked())

    def _toggled(self, chosen: bool) -> None:
        restyle(self, "selected", "true" if chosen else "false")
        self._more.setVisible(chosen)
        self._source.setVisible(chosen)


def _said(way: Way) -> str:
    words = way.said
    if way.state == "retired" and way.replaced_by:
        words += " " + tr("Use {way} instead.", way=way.replaced_by)
    return words


def _rules(way: Way) -> str:
    lines = []
    if way.warning:
        lines.append(f"! {way.warning}")
    lines += [f"✓ {each}" for each in way.allowed]
    lines += [f"✗ {each}" for each in way.disallowed]
    return "\n".join(lines)


class WayCards(QWidget):
    """``chosen`` says the key of a way. Ways that ended long ago stand behind one line, unless chosen."""

    chosen = Signal(str)

    def __init__(self) -> None:
        super().__init__()
        self._cards: dict[str, WayCard] = {}
        self._group = QButtonGroup(self)
        self._group.buttonClicked.connect(self._clicked)
        self._column = QVBoxLayout(self)
        self._column.setContentsMargins(0, 0, 0, 0)
        self._column.setSpacing(theme.space("s"))
        self.ways: Sequence[Way] = ()

    def show_ways(self, ways: Sequence[Way], chosen: str) -> None:
        """The ways in the pack's order; cards stay in place while figures change."""
        self.ways = ways
        if [way.key for way in ways] != list(self._cards):
            self._rebuild(ways)
        for way in ways:
            card = self._cards[way.key]
            if way.key == chosen and not card.radio.isChecked():
                card.radio.setChecked(True)
            card.show_way(way)

    @property
    def key(self) -> str:
        return next((key for key, card in self._cards.items() if card.radio.isChecked()), "")

    def card(self, key: str) -> WayCard:
        return self._cards[key]

    def _rebuild(self, ways: Sequence[Way]) -> None:
        for card in self._cards.values():
            self._group.removeButton(card.radio)
        clear(self._column)
        self._cards = {way.key: WayCard(way, self._group) for way in ways}
        for card in self._cards.values():
            self._column.addWidget(card)

    def _clicked(self, button: QRadioButton) -> None:
        for key, card in self._cards.items():
            if card.radio is button:
                self.chosen.emit(key)


class CompareDialog(Dialog):
    """Same audience, one column per way to send."""

    def __init__(self, ways: Sequence[Way], parent: QWidget) -> None:
        super().__init__(tr("The same audience by each way to send"), parent)
        ways = [way for way in ways if way.reach is not None]
        reasons = sorted({key for way in ways for key in way.reasons}, key=lambda key: text.reason(key))
        yes, no = tr("yes"), tr("no")
        rows = [[tr("State on the send date"), *(state_words(way)[0] for way in ways)]]
        rows.append([tr("Reachable"), *(text.number(way.reach) for way in ways)])
        for key in reasons:
            counts = (way.reasons.get(key, 0) for way in ways)
            rows.append([text.reason(key), *(text.number(-n).replace("-", "−") if n else "" for n in counts)])
        rows.append([tr("Promotion allowed"), *(yes if way.promotion else no for way in ways)])
        hours = (tr("{n} h", n=way.window_hours) if way.window_hours else tr("none") for way in ways)
        rows.append([tr("Window"), *hours])
        rows.append([tr("Needs a template"), *(yes if way.only_kind == "template" else no for way in ways)])
        self.table = TextGrid(tr("Ways to send compared"), ["", *(way.title for way in ways)], rows)
        self.body.addWidget(self.table)
        self.buttons.addWidget(button(tr("Close"), self.accept))
        self.table.setMinimumHeight(theme.size("row") * (len(rows) + 2))
        self.setMinimumWidth(theme.size("dialog") * 3 // 2)
