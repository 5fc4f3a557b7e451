"""Quiet hours, caps, brakes and repeats of a campaign."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from PySide6.QtCore import QTime, Signal
from PySide6.QtWidgets import QCheckBox, QComboBox, QSpinBox, QTimeEdit, QVBoxLayout, QWidget

from ui import theme
from ui.i18n import tr
from ui.widgets.flow import FlowLayout
from ui.widgets.labels import Text


class RulesPart(QWidget):
    """Quiet hours, cap, canary, brakes, repeats: each off until it is switched on."""

    changed = Signal()

    def __init__(self) -> None:
        super().__init__()
        self.quiet = QCheckBox(tr("Quiet hours"))
        self.quiet_from, self.quiet_to = QTimeEdit(QTime(21, 0)), QTimeEdit(QTime(8, 0))
        self.quiet_zone = QComboBox()
        self.quiet_zone.addItem(tr("in each person's own zone"), "recipient")
        self.quiet_zone.addItem(tr("in the zone above"), "campaign")
        self.cap = QCheckBox(tr("At most"))
        self.cap_most = _spin(1, 99, 2)
        self.cap_days = _spin(1, 365, 7, tr(" days"))
        self.canary = QCheckBox(tr("Try it on the first"))
        self.canary_first = _spin(1, 100_000, 25)
        self.canary_wait = _spin(1, 1440, 10, tr(" min"))
        self.canary_most = _spin(1, 100, 5, tr(" %"))
        self.drift = QCheckBox(tr("Hold it back if its reach differs from the approved one by more than"))
        self.drift_most = _spin(1, 100, 20, tr(" %"))
        self.undo = QCheckBox(tr("Leave time to undo after the start"))
        self.undo_seconds = _spin(5, 600, 30, tr(" s"))
        self.brake = QCheckBox(tr("Leave out whoever writes before their turn"))
        self.local = QCheckBox(tr("Send at this time of day in each person's own zone"))
        self.ads = QCheckBox(tr("Count windows that may be open after an ad"))
        self.late = QComboBox()
        for key, name in (
            ("ask", tr("ask me")),
            ("send", tr("send it late")),
            ("skip", tr("drop it")),
        ):
            self.late.addItem(name, key)
        self.repeat = QComboBox()
        for key, name in (
            ("", tr("once")),
            ("day", tr("every day")),
            ("week", tr("every week")),
            ("month", tr("every month")),
        ):
            self.repeat.addItem(name, key)
        self.repeat_times = _spin(2, 365, 4, tr(" times"))
        self._given: dict[str, tuple[Mapping[str, Any], dict[str, Any]]] = {}
        self._build()
        self._name()

    def _build(self) -> None:
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(theme.space("s"))
        to = Text("–", wrap=False)
        per, wait, fails = (
            Text(tr("per"), wrap=False),
            Text(tr("wait"), wrap=False),
            Text(tr("stop above"), wrap=False),
        )
        for line in (
            (self.quiet, self.quiet_from, to, self.quiet_to, self.quiet_zone),
            (self.cap, self.cap_most, per, self.cap_days),
            (self.canary, self.canary_first, wait, self.canary_wait, fails, self.canary_most),
            (self.drift, self.drift_most),
            (self.undo, self.undo_seconds),
            (self.brake,),
            (self.local,),
            (self.ads,),
            (Text(tr("If its time was missed"), wrap=False), self.late),
            (Text(tr("How often"), wrap=False), self.repeat, self.repeat_times),
        ):
            column.addWidget(_wrapping(*line))
        for switch, parts in self._switches():
            for part in parts:
                part.setEnabled(False)
                switch.toggled.connect(part.setEnabled)
            switch.toggled.connect(self.changed)
        for box in (self.brake, self.local, self.ads):
            box.toggled.connect(self.changed)
        for edit in (self.quiet_from, self.quiet_to):
            edit.setDisplayFormat("HH:mm")
            edit.timeChanged.connect(self.changed)
        for combo in (self.quiet_zone, self.late, self.repeat):
            combo.currentIndexChanged.connect(self.changed)
        self.repeat.currentIndexChanged.connect(self._repeat_changed)
        for spin in self.findChildren(QSpinBox):
            spin.valueChanged.connect(self.changed)
        self._repeat_changed()

    def _switches(self) -> list[tuple[QCheckBox, list[QWidget]]]:
        return [
            (self.quiet, [self.quiet_from, self.quiet_to, self.quiet_zone]),
            (self.cap, [self.cap_most, self.cap_days]),
            (self.canary, [self.canary_first, self.canary_wait, self.canary_most]),
            (self.drift, [self.drift_most]),
            (self.undo, [self.undo_seconds]),
        ]

    def _name(self) -> None:
        names = {
            self.quiet_from: tr("Quiet from"),
            self.quiet_to: tr("Quiet until"),
            self.quiet_zone: tr("Zone of the quiet hours"),
            self.cap_most: tr("Messages a person gets at most"),
            self.cap_days: tr("Within so many days"),
            self.canary_first: tr("People it is tried on"),
            self.canary_wait: tr("Minutes to wait then"),
            self.canary_most: tr("Failures in percent above which it stops"),
            self.drift_most: tr("Allowed difference in percent"),
            self.undo_seconds: tr("Seconds to undo"),
            self.late: tr("If its time was missed"),
            self.repeat: tr("How often"),
            self.repeat_times: tr("How many times in all"),
        }
        for widget, name in names.items():
            widget.setAccessibleName(name)

    def _repeat_changed(self) -> None:
        self.repeat_times.setEnabled(bool(self.repeat.currentData()))

    def quiet_hours(self, zone: str) -> dict[str, Any] | None:
        if not self.quiet.isChecked():
            return None
        chosen = "recipient" if self.quiet_zone.currentData() == "recipient" else zone
        begins, ends = (edit.time().toString("HH:mm") for edit in (self.quiet_from, self.quiet_to))
        fallback = {"fallback": zone} if chosen == "recipient" else {}
        return {"from": begins, "to": ends, "timezone": chosen, **fallback}

    def frequency_cap(self) -> dict[str, Any] | None:
        if not self.cap.isChecked():
            return None
        return self._as_given("cap", {"max": self.cap_most.value(), "per": f"{self.cap_days.value()}d"})

    def repeating(self) -> dict[str, Any] | None:
        every = self.repeat.currentData()
        return (
            self._as_given("repeat", {"every": every, "times": self.repeat_times.value()}) if every else None
        )

    def options(self) -> dict[str, Any]:
        made: dict[str, Any] = {}
        if self.canary.isChecked():
            canary = {
                "first": self.canary_first.value(),
                "wait_minutes": self.canary_wait.value(),
                "max_failure_percent": self.canary_most.value(),
            }
            made["canary"] = self._as_given("canary", canary)
        if self.drift.isChecked():
            made["drift_limit_percent"] = self.drift_most.value()
        if self.undo.isChecked():
            made["undo_seconds"] = self.undo_seconds.value()
        for box, key in self._flags():
            if box.isChecked():
                made[key] = True
        return made

    def _as_given(self, name: str, entered: dict[str, Any]) -> dict[str, Any]:
        """What the campaign said, as long as its editors were left alone: they show less than it can say."""
        if name not in self._given:
            return entered
        given, first = self._given[name]
        return dict(given) if entered == first else entered

    def _flags(self) -> list[tuple[QCheckBox, str]]:
        return [
            (self.brake, "reply_brake"),
            (self.local, "recipient_local"),
            (self.ads, "possible_ad_window"),
        ]

    def show_rules(
        self,
        quiet: Mapping[str, Any] | None,
        cap: Mapping[str, Any] | None,
        options: Mapping[str, Any],
        late: str,
        repeat: Mapping[str, Any] | None,
    ) -> None:
        self._given = {}
        self.quiet.setChecked(quiet is not None)
        if quiet is not None:
            self.quiet_from.setTime(QTime.fromString(str(quiet["from"])[:5], "HH:mm"))
            self.quiet_to.setTime(QTime.fromString(str(quiet["to"])[:5], "HH:mm"))
            self.quiet_zone.setCurrentIndex(0 if quiet.get("timezone") == "recipient" else 1)
        self.cap.setChecked(cap is not None)
        if cap is not None:
            number, unit = int(str(cap["per"])[:-1]), str(cap["per"])[-1]
            self.cap_most.setValue(int(cap["max"]))
            self.cap_days.setValue(number if unit == "d" else max(1, round(number / 24)))
        canary = options.get("canary")
        self.canary.setChecked(canary is not None)
        if canary:
            self.canary_first.setValue(int(canary.get("first", 25)))
            self.canary_wait.setValue(int(canary.get("wait_minutes", 10)))
            self.canary_most.setValue(int(canary.get("max_failure_percent", 5)))
        for box, spin, key in (
            (self.drift, self.drift_most, "drift_limit_percent"),
            (self.undo, self.undo_seconds, "undo_seconds"),
        ):
            box.setChecked(bool(options.get(key)))
            spin.setValue(int(options.get(key) or spin.value()))
        for box, key in self._flags():
            box.setChecked(bool(options.get(key)))
        self.late.setCurrentIndex(max(0, self.late.findData(late)))
        self.repeat.setCurrentIndex(max(0, self.repeat.findData(repeat["every"] if repeat else "")))
        if repeat and "times" in repeat:
            self.repeat_times.setValue(int(repeat["times"]))
        shown = {
            "cap": self.frequency_cap(),
            "repeat": self.repeating(),
            "canary": self.options().get("canary"),
        }
        for name, given in (("cap", cap), ("repeat", repeat), ("canary", canary)):
            if given and shown[name]:
                self._given[name] = (given, shown[name] or {})


def _wrapping(*parts: QWidget) -> QWidget:
    """Side by side as far as the width goes, then in the next line."""
    holder = QWidget()
    flow = FlowLayout(holder, gap="s")
    for part in parts:
        part.setMinimumHeight(theme.size("control"))
        flow.addWidget(part)
    return holder


def _spin(least: int, most: int, value: int, suffix: str = "") -> QSpinBox:
    made = QSpinBox()
    made.setRange(least, most)
    made.setValue(value)
    made.setSuffix(suffix)
    return made
