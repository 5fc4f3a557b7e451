"""What every section of the settings is."""

from __future__ import annotations

from typing import Any

from PySide6.QtWidgets import QVBoxLayout, QWidget

from ui import theme
from ui.view import PageView
from ui.widgets.labels import Text


class Section(QWidget):
    """Title and explanation above; ``page`` is the settings page, with workspace, tasks and notice."""

    title = ""

    def __init__(self, page: PageView) -> None:
        super().__init__()
        self.page: Any = page
        self.column = QVBoxLayout(self)
        self.column.setContentsMargins(0, 0, theme.space("s"), theme.space("l"))
        self.column.setSpacing(theme.space("m"))

    def intro(self, title: str, text: str) -> None:
        self.column.addWidget(Text(title, "lead"))
        self.column.addWidget(Text(text, "muted"))

    def refresh(self) -> None:
        """Read again what is shown."""
