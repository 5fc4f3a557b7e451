"""Value editors of the right kind: text with completion, lists, numbers, spans, dates, choices."""

from __future__ import annotations

import re
from datetime import datetime
from zoneinfo import ZoneInfo

from PySide6.QtCore import QDate, QDateTime, QSize, Qt, QTime, Signal
from PySide6.QtWidgets import (
    QComboBox,
    QCompleter,
    QDateEdit,
    QDateTimeEdit,
    QDoubleSpinBox,
    QHBoxLayout,
    QLineEdit,
    QSpinBox,
    QWidget,
)

from ui import text, theme
from ui.i18n import tr
from ui.pages.audiences.fields import FieldChoice, campaign_outcomes
from ui.widgets.fields import inset_numbers

MOST = 1e12
_SPAN = re.compile(r"(\d+)([hdmw])")


class ValueEditor(QWidget):
    """``value()`` gives what stands in the filter's JSON, None while nothing is given."""

    changed = Signal()

    def __init__(self) -> None:
        super().__init__()
        self.line = QHBoxLayout(self)
        self.line.setContentsMargins(0, 0, 0, 0)
        self.line.setSpacing(theme.space("s"))

    def value(self) -> object:
        return None

    def needs_value(self) -> bool:
        return True

    def _add(self, editor: QWidget, name: str) -> None:
        editor.setAccessibleName(name)
        self.line.addWidget(editor)
        self.setFocusProxy(editor)
        inset_numbers(self)


class NoValue(ValueEditor):
    def needs_value(self) -> bool:
        return False


class TextValue(ValueEditor):
    """One value, or several separated by semicolons when ``several``."""

    def __init__(self, choice: FieldChoice, given: object, *, several: bool) -> None:
        super().__init__()
        self._several = several
        self.edit = QLineEdit()
        self.edit.setPlaceholderText(tr("one; another; a third") if several else tr("value"))
        shown = given if isinstance(given, list) else [given] if given is not None else []
        self.edit.setText("; ".join(str(value) for value in shown))
        if choice.options and not several:
            completer = QCompleter(list(choice.options), self)
            completer.setCaseSensitivity(Qt.CaseSensitivity.CaseInsensitive)
            completer.setFilterMode(Qt.MatchFlag.MatchContains)
            self.edit.setCompleter(completer)
        self.edit.textChanged.connect(self.changed)
        self._add(self.edit, tr("Value of {field}", field=choice.title))

    def value(self) -> object:
        if self._several:
            return [part.strip() for part in self.edit.text().split(";") if part.strip()] or None
        return self.edit.text().strip() or None


class _PlainNumber(QDoubleSpinBox):
    """Whole numbers without a fraction; no wider than it must be."""

    def textFromValue(self, value: float) -> str:
        return text.number(value, 0 if value.is_integer() else 2)

    def sizeHint(self) -> QSize:
        return QSize(self.minimumSizeHint().width(), super().sizeHint().height())

    def minimumSizeHint(self) -> QSize:
        return QSize(self.fontMetrics().horizontalAdvance("0") * 14, super().minimumSizeHint().height())


class NumberValue(ValueEditor):
    def __init__(self, choice: FieldChoice, given: object) -> None:
        super().__init__()
        self.edit = _PlainNumber()
        self.edit.setRange(-MOST, MOST)
        self.edit.setDecimals(2)
        self.edit.setGroupSeparatorShown(True)
        self.edit.setValue(float(given) if isinstance(given, int | float) else 0)
        self.edit.valueChanged.connect(self.changed)
        self._add(self.edit, tr("Value of {field}", field=choice.title))

    def value(self) -> object:
        number = self.edit.value()
        return int(number) if number.is_integer() else number


class ShareValue(ValueEditor):
    """A percentage; the seed makes two splits independent of each other."""

    def __init__(self, given: object) -> None:
        super().__init__()
        kept = given if isinstance(given, dict) else {"percent": given}
        percent, seed = kept.get("percent"), kept.get("seed", 0)
        self.percent, self.seed = QDoubleSpinBox(), QSpinBox()
        self.percent.setRange(0, 100)
        self.percent.setDecimals(1)
        self.percent.setSuffix(" %")
        self.percent.setValue(float(percent) if isinstance(percent, int | float) else 10)
        self.seed.setRange(0, 1_000_000)
        self.seed.setPrefix(tr("split "))
        self.seed.setValue(seed if isinstance(seed, int) else 0)
        self.percent.valueChanged.connect(self.changed)
        self.seed.valueChanged.connect(self.changed)
        self._add(self.percent, tr("Share in percent"))
        self._add(self.seed, tr("Number of the split"))
        self.setFocusProxy(self.percent)

    def value(self) -> object:
        return {"percent": self.percent.value(), "seed": self.seed.value()}


class SpanValue(ValueEditor):
    """``24h`` or ``7d``."""

    def __init__(self, choice: FieldChoice, given: object) -> None:
        super().__init__()
        match = _SPAN.fullmatch(given) if isinstance(given, str) else None
        count, unit = (int(match[1]), match[2]) if match else (7, "d")
        self.number = QSpinBox()
        self.number.setRange(1, 100_000)
        self.number.setValue(count)
        self.unit = QComboBox()
        for key, word in (("h", tr("hours")), ("d", tr("days"))):
            self.unit.addItem(word, key)
        self.unit.setCurrentIndex(max(0, self.unit.findData(unit)))
        self.number.valueChanged.connect(self.changed)
        self.unit.currentIndexChanged.connect(self.changed)
        self._add(self.number, tr("How long, for {field}", field=choice.title))
        self._add(self.unit, tr("Hours or days"))
        self.setFocusProxy(self.number)

    def value(self) -> object:
        return f"{self.number.value()}{self.unit.currentData()}"


class MomentValue(ValueEditor):
    """A date and time in the zone shown; ISO 8601 with an offset in the filter."""

    def __init__(self, choice: FieldChoice, given: object, zone: ZoneInfo, now: datetime) -> None:
        super().__init__()
        self._zone = zone
        local = (_instant(given) or now).astimezone(zone)
        self.edit = QDateTimeEdit()
        self.edit.setCalendarPopup(True)
        self.edit.setDateTime(
            QDateTime(QDate(local.year, local.month, local.day), QTime(local.hour, local.minute))
        )
        self.edit.dateTimeChanged.connect(self.changed)
        self._add(self.edit, tr("Date and time for {field}", field=choice.title))

    def value(self) -> object:
        shown = self.edit.dateTime()
        day, clock = shown.date(), shown.time()
        local = datetime(day.year(), day.month(), day.day(), clock.hour(), clock.minute(), tzinfo=self._zone)
        return local.isoformat()


class DateValue(ValueEditor):
    def __init__(self, choice: FieldChoice, given: object, now: datetime) -> None:
        super().__init__()
        day = QDate.fromString(given, Qt.DateFormat.ISODate) if isinstance(given, str) else QDate()
        self.edit = QDateEdit(day if day.isValid() else QDate(now.year, now.month, now.day))
        self.edit.setCalendarPopup(True)
        self.edit.dateChanged.connect(self.changed)
        self._add(self.edit, tr("Date for {field}", field=choice.title))

    def value(self) -> object:
        return self.edit.date().toString(Qt.DateFormat.ISODate)


class ChoiceValue(ValueEditor):
    """One of a list; ``free``: others may be typed."""

    def __init__(self, name: str, choices: dict[object, str], given: object, *, free: bool = False) -> None:
        super().__init__()
        self._free = free
        self.box = QComboBox()
        self.box.setEditable(free)
        for key, word in choices.items():
            self.box.addItem(word, key)
        place = self.box.findData(given) if given is not None else -1
        if place >= 0:
            self.box.setCurrentIndex(place)
        elif free:
            self.box.setCurrentText(str(given or ""))
        self.box.currentTextChanged.connect(self.changed)
        self._add(self.box, name)

    def value(self) -> object:
        if self._free:
            return self.box.currentText().strip() or None
        return self.box.currentData()


def editor_for(
    choice: FieldChoice, operator: str, given: object, zone: ZoneInfo, now: datetime
) -> ValueEditor:
    """The editor for this field and operator, holding ``given`` if it fits."""
    name = tr("Value of {field}", field=choice.title)
    if operator in ("is_set", "is_not_set"):
        return NoValue()
    if operator in ("within_last", "older_than"):
        return SpanValue(choice, given)
    if choice.kind == "time":
        return MomentValue(choice, given, zone, now)
    if choice.kind == "date":
        return DateValue(choice, given, now)
    if choice.kind == "number":
        return NumberValue(choice, given)
    if choice.kind == "yes_no":
        return ChoiceValue(name, {True: tr("yes"), False: tr("no")}, given)
    if choice.kind == "campaign":
        outcomes: dict[object, str] = dict(campaign_outcomes())
        return ChoiceValue(name, outcomes, given)
    if choice.kind == "random":
        return ShareValue(given)
    if operator in ("in", "not_in"):
        return TextValue(choice, given, several=True)
    if choice.kind in ("label", "audience"):
        return ChoiceValue(name, {label: label for label in choice.options}, given, free=True)
    return TextValue(choice, given, several=False)


def _instant(given: object) -> datetime | None:
    try:
        instant = datetime.fromisoformat(str(given))
    except ValueError:
        return None
    return instant if instant.tzinfo else None
