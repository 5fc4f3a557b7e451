"""Words on the page: text by role, states as pills, cards, figures."""

from __future__ import annotations

from PySide6.QtCore import QSize, Qt
from PySide6.QtGui import QPainter, QPaintEvent
from PySide6.QtWidgets import QFrame, QHBoxLayout, QLabel, QSizePolicy, QVBoxLayout, QWidget

from ui import theme


class Text(QLabel):
    """Words in one of the roles of the style sheet; plain text, selectable, wrapping."""

    def __init__(self, words: str = "", role: str = "body", tone: str = "", *, wrap: bool = True) -> None:
        super().__init__(words)
        self.setTextFormat(Qt.TextFormat.PlainText)
        self.setProperty("role", role)
        self.setWordWrap(wrap)
        self.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        if tone:
            self.set_tone(tone)

    def set_tone(self, tone: str) -> None:
        """Colour by token name; "" for the usual one."""
        restyle(self, "tone", tone)

    def say(self, words: str, tone: str | None = None) -> None:
        self.setText(words)
        if tone is not None:
            self.set_tone(tone)


def restyle(widget: QWidget, name: str, value: object) -> None:
    """Set a property the style sheet looks at and have it looked at."""
    if widget.property(name) != value:
        widget.setProperty(name, value)
        widget.style().unpolish(widget)
        widget.style().polish(widget)


class Icon(QWidget):
    """An icon that follows the theme. Decoration: the word beside it says the same."""

    def __init__(self, name: str, tone: str = "muted", length: str = "icon") -> None:
        super().__init__()
        self._name, self._tone, self._length = name, tone, length
        self.setSizePolicy(QSizePolicy.Policy.Fixed, QSizePolicy.Policy.Fixed)

    def say(self, name: str, tone: str) -> None:
        self._name, self._tone = name, tone
        self.update()

    def sizeHint(self) -> QSize:
        edge = theme.size(self._length)
        return QSize(edge, edge)

    def paintEvent(self, event: QPaintEvent) -> None:  # noqa: ARG002
        edge = min(self.width(), self.height())
        painter = QPainter(self)
        picture = theme.pixmap(self._name, self._tone, edge, self.devicePixelRatioF())
        painter.drawPixmap((self.width() - edge) // 2, (self.height() - edge) // 2, picture)
        painter.end()


class Pill(QFrame):
    """A state: coloured word with its icon, never the colour alone."""

    def __init__(self, word: str = "", tone: str = "wait", icon: str = "info") -> None:
        super().__init__()
        self.setProperty("role", "pill")
        self._icon = Icon(icon, tone)
        self._word = Text("", wrap=False)
        line = QHBoxLayout(self)
        line.setContentsMargins(
            theme.space("s"), theme.space("xs") // 2, theme.space("s"), theme.space("xs") // 2
        )
        line.setSpacing(theme.space("xs"))
        line.addWidget(self._icon)
        line.addWidget(self._word)
        self.setSizePolicy(QSizePolicy.Policy.Maximum, QSizePolicy.Policy.Fixed)
        self.say(word, tone, icon)

    def say(self, word: str, tone: str, icon: str) -> None:
        self._word.say(word, tone)
        self._icon.say(icon, tone)
        self.setAccessibleName(word)
        restyle(self, "tone", tone)

    @property
    def word(self) -> str:
        return self._word.text()


class Card(QFrame):
    """A framed box with an optional heading; put things into ``body``."""

    def __init__(self, title: str = "", icon: str | None = None, role: str = "card") -> None:
        super().__init__()
        self.setProperty("role", role)
        self.body = QVBoxLayout(self)
        self.body.setContentsMargins(*(theme.space("l"),) * 4)
        self.body.setSpacing(theme.space("s"))
        self.head = QHBoxLayout()
        self.head.setSpacing(theme.space("s"))
        self.heading = Text(title, "lead", wrap=False)
        self.heading.setSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Fixed)
        if icon:
            self.head.addWidget(Icon(icon))
        if title:
            self.head.addWidget(self.heading)
            self.head.addStretch(1)
            self.body.addLayout(self.head)
            self.setAccessibleName(title)

    def add(self, *widgets: QWidget) -> Card:
        for widget in widgets:
            self.body.addWidget(widget)
        return self


class Figure(QFrame):
    """One number with its name and a note."""

    def __init__(self, name: str, value: str = "–", note: str = "", tone: str = "") -> None:
        super().__init__()
        self.setProperty("role", "card")
        self._name, self._value, self._note = (
            Text(name, "muted"),
            Text(value, "figure", wrap=False),
            Text(note, "small"),
        )
        column = QVBoxLayout(self)
        column.setContentsMargins(*(theme.space("l"), theme.space("m")) * 2)
        column.setSpacing(theme.space("xs"))
        for part in (self._name, self._value, self._note):
            column.addWidget(part)
        column.addStretch(1)
        self.say(value, note, tone)

    def say(self, value: str, note: str = "", tone: str = "") -> None:
        self._value.say(value, tone)
        self._note.setText(note)
        self._note.setVisible(bool(note))
        self.setAccessibleName(f"{self._name.text()}: {value}")
        self.setAccessibleDescription(note)

    @property
    def value(self) -> str:
        return self._value.text()


def divider() -> QFrame:
    line = QFrame()
    line.setProperty("role", "divider")
    line.setFixedHeight(theme.size("line"))
    return line
