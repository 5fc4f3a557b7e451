"""The status bar: queue, webhook receiver, last sync, running tasks. Each is a button to its place."""

from __future__ import annotations

from functools import partial

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QFrame, QHBoxLayout, QPushButton

from ui import theme
from ui.i18n import tr
from ui.widgets.buttons import button


class StatusBar(QFrame):
    """``asked`` says which part was pressed: queue, webhooks, sync or tasks."""

    asked = Signal(str)

    def __init__(self) -> None:
        super().__init__()
        self.setObjectName("statusbar")
        self.setAccessibleName(tr("Status"))
        line = QHBoxLayout(self)
        line.setContentsMargins(theme.space("s"), theme.space("xs"), theme.space("s"), theme.space("xs"))
        line.setSpacing(theme.space("s"))
        self._parts: dict[str, QPushButton] = {}
        self._words: dict[str, str] = {}
        self._compact = False
        for name, icon in (("queue", "queue"), ("webhooks", "webhook"), ("sync", "sync")):
            line.addWidget(self._part(name, icon))
        line.addStretch(1)
        line.addWidget(self._part("tasks", "tasks"))
        self.say("tasks", tr("No tasks running"))

    def _part(self, name: str, icon: str) -> QPushButton:
        made = button("", partial(self.asked.emit, name), "status", icon)
        self._parts[name] = made
        return made

    def say(self, name: str, words: str, tone: str = "muted", tip: str = "") -> None:
        part = self._parts[name]
        self._words[name] = words
        part.setText("" if self._compact else words)
        part.setAccessibleName(words)
        part.setToolTip(tip or words)
        if part.property("iconTone") == tone:
            return
        theme.set_icon(part, str(part.property("iconName")), tone)

    def set_compact(self, compact: bool) -> None:
        """Icons alone, with the words as tips, where large text needs the room."""
        if compact != self._compact:
            self._compact = compact
            for name, part in self._parts.items():
                part.setText("" if compact else self._words.get(name, ""))

    def button(self, name: str) -> QPushButton:
        return self._parts[name]
