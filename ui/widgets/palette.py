"""The command palette: go anywhere, do anything, by typing (Ctrl+K)."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from PySide6.QtCore import QEvent, QObject, Qt
from PySide6.QtGui import QKeyEvent
from PySide6.QtWidgets import QDialog, QFrame, QLineEdit, QListWidget, QListWidgetItem, QVBoxLayout, QWidget

from ui import theme
from ui.i18n import tr
from ui.widgets.labels import Text

MOST_SHOWN = 12


@dataclass(frozen=True, slots=True)
class Command:
    """Words to find it by, and what it does."""

    words: str
    run: Callable[[], Any]
    icon: str = "right"


Search = Callable[[str, Callable[[list["Command"]], None]], None]
"""Looks the text up elsewhere (people, campaigns) and hands commands to the callback, later."""


class Palette(QDialog):
    """Every typed word must occur; names that start with the text come first."""

    def __init__(self, parent: QWidget, commands: Sequence[Command], search: Search | None = None) -> None:
        super().__init__(parent, Qt.WindowType.Popup | Qt.WindowType.FramelessWindowHint)
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self.setWindowTitle(tr("Command palette"))
        self._commands = list(commands)
        self._search = search
        self._shown: list[Command] = []
        frame = QFrame()
        frame.setObjectName("palette")
        self.edit = QLineEdit()
        self.edit.setPlaceholderText(tr("Go to a page, find a person or a campaign, do something…"))
        self.edit.setAccessibleName(tr("What do you want to do?"))
        self.edit.textChanged.connect(self._filter)
        self.edit.installEventFilter(self)
        self.list = QListWidget()
        self.list.setAccessibleName(tr("What was found"))
        self.list.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self.list.itemClicked.connect(self._run)
        self._none = Text(tr("Nothing goes by that name."), "muted")
        inner = QVBoxLayout(frame)
        inner.setContentsMargins(*(theme.space("m"),) * 4)
        for part in (self.edit, self.list, self._none):
            inner.addWidget(part)
        outer = QVBoxLayout(self)
        outer.setContentsMargins(0, 0, 0, 0)
        outer.addWidget(frame)
        self.setFixedWidth(theme.size("sentence"))
        self._filter("")

    def show_over(self, window: QWidget) -> None:
        """Open at the top middle of the window."""
        top = window.mapToGlobal(window.rect().topLeft())
        self.move(top.x() + (window.width() - self.width()) // 2, top.y() + theme.space("xxl"))
        self.open()
        self.edit.setFocus()

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if isinstance(event, QKeyEvent) and event.type() == QEvent.Type.KeyPress:
            steps = {Qt.Key.Key_Down: 1, Qt.Key.Key_Up: -1}
            if event.key() in steps and self._shown:
                self.list.setCurrentRow(
                    (self.list.currentRow() + steps[Qt.Key(event.key())]) % len(self._shown)
                )
                return True
            if event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter):
                self._run(None)
                return True
        return super().eventFilter(watched, event)

    def _filter(self, typed: str) -> None:
        words = typed.casefold().split()
        hits = [c for c in self._commands if all(word in c.words.casefold() for word in words)]
        hits.sort(key=lambda c: not c.words.casefold().startswith(typed.casefold().strip()))
        self._show(hits[:MOST_SHOWN])
        if self._search is not None and len(typed.strip()) >= 2:
            self._search(typed.strip(), self._found)

    def _found(self, commands: list[Command]) -> None:
        self._show([*self._shown, *commands][: 2 * MOST_SHOWN])

    def _show(self, commands: list[Command]) -> None:
        self._shown = commands
        self.list.clear()
        for command in commands:
            self.list.addItem(QListWidgetItem(theme.icon(command.icon), command.words))
        self.list.setCurrentRow(0)
        self.list.setVisible(bool(commands))
        self._none.setVisible(not commands)
        lines = max(1, min(len(commands), MOST_SHOWN))
        self.list.setFixedHeight(lines * (theme.size("row") + theme.space("xs")))
        self.adjustSize()

    def _run(self, item: QListWidgetItem | None) -> None:
        place = self.list.row(item) if item is not None else self.list.currentRow()
        if 0 <= place < len(self._shown):
            command = self._shown[place]
            self.accept()
            command.run()
