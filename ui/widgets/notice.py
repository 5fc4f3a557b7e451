"""One line about what just happened, inside the page."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from PySide6.QtWidgets import QFrame, QHBoxLayout, QPushButton

from broadcaster.errors import BroadcasterError
from ui import theme
from ui.i18n import tr
from ui.widgets.buttons import button
from ui.widgets.labels import Icon, Text, restyle

_ICONS = {"ok": "ok", "warn": "warn", "bad": "bad", "doubt": "doubt", "wait": "wait", "accent": "info"}


class Notice(QFrame):
    """Hidden until something is said; stays until it is closed or something else is said."""

    def __init__(self, *, closable: bool = True) -> None:
        super().__init__()
        self.setProperty("role", "notice")
        self._icon, self._text = Icon("info"), Text("")
        self._action: QPushButton | None = None
        self._line = QHBoxLayout(self)
        self._line.setContentsMargins(*(theme.space("m"), theme.space("s")) * 2)
        self._line.setSpacing(theme.space("s"))
        self._line.addWidget(self._icon)
        self._line.addWidget(self._text, 1)
        if closable:
            self._line.addWidget(button("", self.clear, "quiet", "close", tr("Close this message")))
        self.hide()

    def say(
        self, text: str, tone: str = "accent", action: tuple[str, Callable[..., Any]] | None = None
    ) -> None:
        """``tone``: ok, warn, bad, doubt, wait or accent."""
        self._icon.say(_ICONS[tone], tone)
        self._text.say(text)
        self.setAccessibleName(text)
        restyle(self, "tone", tone)
        if self._action is not None:
            self._action.deleteLater()
            self._action = None
        if action is not None:
            self._action = button(action[0], action[1])
            self._line.insertWidget(2, self._action)
        self.show()

    def error(self, error: BroadcasterError, action: tuple[str, Callable[..., Any]] | None = None) -> None:
        self.say(str(error), "bad", action)

    def clear(self) -> None:
        self.hide()

    @property
    def text(self) -> str:
        return self._text.text()
