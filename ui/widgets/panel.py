"""A panel at the trailing edge of a page: details of what is chosen."""

from __future__ import annotations

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QKeySequence, QShortcut
from PySide6.QtWidgets import QFrame, QVBoxLayout, QWidget

from ui import theme
from ui.i18n import tr
from ui.widgets.buttons import button, row
from ui.widgets.labels import Text
from ui.widgets.scroll import scrolled

_WIDEST = 16_777_215
"""Qt's own widest."""


class SidePanel(QFrame):
    """Title, close button (Escape), and a scrolling ``body``."""

    closed = Signal()

    def __init__(self, title: str = "") -> None:
        super().__init__()
        self.setObjectName("panel")
        self.title = Text(title, "lead")
        content = QWidget()
        self.body = QVBoxLayout(content)
        self.body.setContentsMargins(*(theme.space("l"),) * 4)
        self.body.setSpacing(theme.space("m"))
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(0)
        head = row(self.title, button("", self.close_panel, "quiet", "close", tr("Close the panel")))
        head.setStretch(0, 1)
        head.setContentsMargins(theme.space("l"), theme.space("s"), theme.space("s"), 0)
        column.addLayout(head)
        column.addWidget(scrolled(content), 1)
        self.fill(False)
        escape = QShortcut(QKeySequence("Escape"), self)
        escape.setContext(Qt.ShortcutContext.WidgetWithChildrenShortcut)
        escape.activated.connect(self.close_panel)
        self.hide()

    def fill(self, whole: bool) -> None:
        """Take the whole width there is, or a panel's own."""
        self.setMinimumWidth(0 if whole else theme.size("panel"))
        self.setMaximumWidth(_WIDEST if whole else theme.size("panel"))

    def close_panel(self) -> None:
        self.hide()
        self.closed.emit()
