"""The banner over everything: practice workspace, a Graph address that is not Meta's."""

from __future__ import annotations

from PySide6.QtWidgets import QFrame, QHBoxLayout

from ui import theme
from ui.i18n import tr
from ui.widgets.labels import Icon, Text


class Banner(QFrame):
    """Cannot be closed and cannot be missed; hidden for a real Page at Meta's own address."""

    def __init__(self) -> None:
        super().__init__()
        self.setProperty("role", "banner")
        self._text = Text("")
        line = QHBoxLayout(self)
        line.setContentsMargins(*(theme.space("l"), theme.space("s")) * 2)
        line.setSpacing(theme.space("s"))
        line.addWidget(Icon("practice", "warn"))
        line.addWidget(self._text, 1)
        self.hide()

    def say(self, practice: bool, foreign_address: str | None) -> None:
        """``foreign_address``: the Graph address when it is not Meta's own."""
        if practice:
            words = tr("Practice Page: nothing here reaches real people.")
        elif foreign_address:
            words = tr("Not Meta's own address: this Page is reached at {address}.", address=foreign_address)
        else:
            words = ""
        self._text.say(words)
        self.setAccessibleName(words)
        self.setVisible(bool(words))

    @property
    def text(self) -> str:
        return self._text.text()
