"""Empty, loading and error states, and the stage that shows them in place of a page's content."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QProgressBar, QPushButton, QSizePolicy, QStackedWidget, QVBoxLayout, QWidget

from broadcaster.errors import BroadcasterError
from ui import theme
from ui.i18n import tr
from ui.widgets.buttons import button
from ui.widgets.labels import Icon, Text


class StatePane(QWidget):
    """What stands where content would: why there is none and what to do."""

    def __init__(self) -> None:
        super().__init__()
        self._icon = Icon("info", "muted", "icon_large")
        self._title, self._text = Text("", "lead"), Text("", "muted")
        self._bar = QProgressBar()
        self._bar.setRange(0, 0)
        self._bar.setTextVisible(False)
        self._bar.setMaximumWidth(theme.size("field"))
        self._column = QVBoxLayout(self)
        self._column.setSpacing(theme.space("m"))
        self._column.addStretch(1)
        for part in (self._icon, self._title, self._text, self._bar):
            self._column.addWidget(part, 0, Qt.AlignmentFlag.AlignHCenter)
        self._column.addStretch(2)
        for words in (self._title, self._text):
            words.setAlignment(Qt.AlignmentFlag.AlignCenter)
            words.setMinimumWidth(theme.size("panel"))
            words.setMaximumWidth(theme.size("sentence"))
        self._action: QPushButton | None = None

    def empty(
        self, icon: str, title: str, text: str, action: tuple[str, Callable[..., Any]] | None = None
    ) -> None:
        self._say(icon, "muted", title, text, action, busy=False)

    def loading(self, text: str) -> None:
        self._say("wait", "muted", text, "", None, busy=True)

    def error(self, error: BroadcasterError, retry: Callable[..., Any] | None = None) -> None:
        action = (tr("Try again"), retry) if retry else None
        self._say("bad", "bad", error.title, f"{error.text}\n{error.hint}".strip(), action, busy=False)

    def _say(
        self,
        icon: str,
        tone: str,
        title: str,
        text: str,
        action: tuple[str, Callable[..., Any]] | None,
        *,
        busy: bool,
    ) -> None:
        self._icon.say(icon, tone)
        self._title.setText(title)
        self._text.setText(text)
        self._text.setVisible(bool(text))
        self._bar.setVisible(busy)
        self.setAccessibleName(f"{title}. {text}")
        if self._action is not None:
            self._action.deleteLater()
            self._action = None
        if action is not None:
            self._action = button(action[0], action[1], "primary")
            self._action.setSizePolicy(QSizePolicy.Policy.Maximum, QSizePolicy.Policy.Fixed)
            self._column.insertWidget(5, self._action, 0, Qt.AlignmentFlag.AlignHCenter)


class Stage(QStackedWidget):
    """Content, or the state pane in its place."""

    def __init__(self, content: QWidget) -> None:
        super().__init__()
        self.pane = StatePane()
        self._content = content
        self.addWidget(content)
        self.addWidget(self.pane)

    @property
    def showing_content(self) -> bool:
        return self.currentWidget() is self._content

    def show_content(self) -> None:
        self.setCurrentWidget(self._content)

    def show_empty(
        self, icon: str, title: str, text: str, action: tuple[str, Callable[..., Any]] | None = None
    ) -> None:
        self.pane.empty(icon, title, text, action)
        self.setCurrentWidget(self.pane)

    def show_loading(self, text: str) -> None:
        self.pane.loading(text)
        self.setCurrentWidget(self.pane)

    def show_error(self, error: BroadcasterError, retry: Callable[..., Any] | None = None) -> None:
        self.pane.error(error, retry)
        self.setCurrentWidget(self.pane)
