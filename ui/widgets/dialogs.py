"""Dialogs: opened, never executed, so that nothing waits inside a nested loop."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QDialog, QHBoxLayout, QVBoxLayout, QWidget

from ui import theme
from ui.i18n import tr
from ui.widgets.buttons import button
from ui.widgets.labels import Text


class Dialog(QDialog):
    """Title, ``body`` and a row of ``buttons``; deleted when closed. Call ``open()``."""

    def __init__(self, title: str, parent: QWidget, width: str = "dialog") -> None:
        super().__init__(parent)
        self.setWindowTitle(title)
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self.setMinimumWidth(theme.size(width))
        outer = QVBoxLayout(self)
        outer.setContentsMargins(*(theme.space("xl"),) * 4)
        outer.setSpacing(theme.space("m"))
        outer.addWidget(Text(title, "title"))
        self.body = QVBoxLayout()
        self.body.setSpacing(theme.space("m"))
        outer.addLayout(self.body, 1)
        self.buttons = QHBoxLayout()
        self.buttons.setSpacing(theme.space("s"))
        self.buttons.addStretch(1)
        outer.addLayout(self.buttons)


def ask(
    parent: QWidget,
    title: str,
    text: str,
    yes: str,
    pressed: Callable[[], Any],
    *,
    danger: bool = False,
) -> Dialog:
    """A question with one deed; the deed's button says what it does."""
    dialog = Dialog(title, parent, "panel")
    dialog.body.addWidget(Text(text))
    dialog.buttons.addWidget(button(tr("Back"), dialog.reject))
    deed = button(yes, role="danger" if danger else "primary")
    deed.clicked.connect(dialog.accept)
    dialog.accepted.connect(pressed)
    dialog.buttons.addWidget(deed)
    dialog.open()
    return dialog
