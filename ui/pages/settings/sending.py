"""What new campaigns start from, the safety margin, and whether two people must look."""

from __future__ import annotations

from typing import Any

from PySide6.QtCore import QTime
from PySide6.QtWidgets import QCheckBox, QComboBox, QSpinBox, QTimeEdit

from broadcaster.background_sync import DEFAULT_MINUTES, INTERVAL
from ui import theme
from ui.i18n import tr
from ui.pages.settings.section import Section
from ui.tasks import Work
from ui.view import PageView
from ui.widgets.buttons import button, row
from ui.widgets.fields import Field
from ui.widgets.labels import Card, Text
from ui.zones import zone_box

RECIPIENT = "recipient"


class SendingSection(Section):
    def __init__(self, page: PageView) -> None:
        super().__init__(page)
        self.intro(
            tr("Sending and quiet hours"), tr("New campaigns start from these; each campaign can differ.")
        )
        self._build_quiet()
        self._build_cap()
        self._build_pace()
        self.save_button = button(tr("Save"), self.save, "primary", "check")
        self.column.addLayout(row(self.save_button, None))
        self.column.addStretch(1)

    def _build_quiet(self) -> None:
        self.quiet = QCheckBox(tr("Nobody is written to between"))
        self.quiet_from, self.quiet_to = QTimeEdit(QTime(21, 0)), QTimeEdit(QTime(8, 0))
        for edit, name in ((self.quiet_from, tr("Quiet from")), (self.quiet_to, tr("Quiet until"))):
            edit.setAccessibleName(name)
            edit.setDisplayFormat("HH:mm")
        self.quiet_zone = zone_box("")
        self.quiet_zone.insertItem(0, tr("each person's own zone"), RECIPIENT)
        self.quiet_zone.setCurrentIndex(0)
        self.quiet_zone.setAccessibleName(tr("Zone of the quiet hours"))
        self.quiet_zone.setMinimumWidth(theme.size("field"))
        card = Card(tr("Quiet hours"))
        card.body.addLayout(
            row(
                self.quiet, self.quiet_from, Text(tr("and"), wrap=False), self.quiet_to, self.quiet_zone, None
            )
        )
        self.column.addWidget(card)

    def _build_cap(self) -> None:
        self.cap = QCheckBox(tr("Nobody gets more than"))
        self.cap_count, self.cap_days = _spin(1, 100, 2), _spin(1, 90, 7)
        self.cap_count.setAccessibleName(tr("Most messages"))
        self.cap_days.setAccessibleName(tr("In how many days"))
        card = Card(tr("Frequency cap"))
        words = (Text(tr("messages in"), wrap=False), Text(tr("days"), wrap=False))
        card.body.addLayout(row(self.cap, self.cap_count, words[0], self.cap_days, words[1], None))
        self.column.addWidget(card)

    def _build_pace(self) -> None:
        self.rate, self.margin = _spin(1, 300, 10), _spin(0, 3600, 60)
        self.eyes = QCheckBox(tr("The one who approves must not be the one who submitted"))
        self.sync_minutes = QComboBox()
        choices = (
            (0, tr("only by hand")),
            (1, tr("every minute")),
            (2, tr("every 2 minutes")),
            (4, tr("every 4 minutes")),
        )
        for minutes, words in choices:
            self.sync_minutes.addItem(words, minutes)
        card = Card(tr("Pace and safety"))
        rate_hint = tr("Above 40 a second Meta's own inbox can freeze; 300 is Meta's limit.")
        margin_hint = tr(
            "A window counts as closed this long before it does, so that no message arrives late."
        )
        sync_hint = tr("Reads new conversations when no webhook arrives.")
        for field in (
            Field(tr("Messages a second"), self.rate, rate_hint, narrow=True),
            Field(tr("Safety margin in seconds"), self.margin, margin_hint, narrow=True),
            Field(tr("Sync in the background"), self.sync_minutes, sync_hint, narrow=True),
        ):
            card.add(field)
        card.add(self.eyes)
        self.column.addWidget(card)

    def refresh(self) -> None:
        self.page.read(_kept, self._show, "sending")

    def _show(self, kept: dict[str, Any]) -> None:
        quiet, cap = kept["quiet_hours"], kept["frequency_cap"]
        self.quiet.setChecked(quiet is not None)
        if quiet is not None:
            self.quiet_from.setTime(QTime.fromString(quiet["from"], "HH:mm"))
            self.quiet_to.setTime(QTime.fromString(quiet["to"], "HH:mm"))
            zone = quiet.get("timezone", RECIPIENT)
            place = self.quiet_zone.findData(zone) if zone == RECIPIENT else self.quiet_zone.findText(zone)
            self.quiet_zone.setCurrentIndex(max(0, place))
        self.cap.setChecked(cap is not None)
        if cap is not None:
            self.cap_count.setValue(int(cap["max"]))
            self.cap_days.setValue(int(str(cap["per"]).rstrip("d")))
        self.rate.setValue(int(kept["throttle_per_second"]))
        self.margin.setValue(int(kept["margin_seconds"]))
        self.eyes.setChecked(bool(kept["four_eyes"]))
        self.sync_minutes.setCurrentIndex(max(0, self.sync_minutes.findData(kept[INTERVAL])))

    def values(self) -> dict[str, Any]:
        """What stands in the fields, as it is kept."""
        zone = self.quiet_zone.currentData() or self.quiet_zone.currentText()
        quiet = {
            "from": self.quiet_from.time().toString("HH:mm"),
            "to": self.quiet_to.time().toString("HH:mm"),
            "timezone": zone,
        }
        cap = {"max": self.cap_count.value(), "per": f"{self.cap_days.value()}d"}
        return {
            "quiet_hours": quiet if self.quiet.isChecked() else None,
            "frequency_cap": cap if self.cap.isChecked() else None,
            "throttle_per_second": self.rate.value(),
            "margin_seconds": self.margin.value(),
            "four_eyes": self.eyes.isChecked(),
            INTERVAL: self.sync_minutes.currentData(),
        }

    def save(self) -> None:
        from broadcaster.store import values as kept

        workspace, given = self.page.workspace, self.values()

        def run(_work: Work) -> None:
            with workspace.store.write() as conn:
                for key, value in given.items():
                    kept.keep(conn, key, value)
            workspace.hub.post("setting")

        said = tr("Saved. Campaigns that exist keep their own values.")
        self.page.tasks.run(
            self, run, lambda _nothing: self.page.notice.say(said, "ok"), self.page.notice.error
        )


def _kept(conn: Any) -> dict[str, Any]:
    from broadcaster.store import values as kept

    usual: dict[str, Any] = {
        "quiet_hours": None,
        "frequency_cap": None,
        "throttle_per_second": 10,
        "margin_seconds": 60,
        "four_eyes": False,
        INTERVAL: DEFAULT_MINUTES,
    }
    return {key: kept.value(conn, key, default) for key, default in usual.items()}


def _spin(least: int, most: int, usual: int) -> QSpinBox:
    made = QSpinBox()
    made.setRange(least, most)
    made.setValue(usual)
    return made
