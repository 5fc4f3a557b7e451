"""The left rail: eight pages, icon and word, Ctrl+1 … Ctrl+8."""

from __future__ import annotations

from functools import partial

from PySide6.QtCore import Signal
from PySide6.QtGui import QKeySequence, QShortcut
from PySide6.QtWidgets import QButtonGroup, QFrame, QPushButton, QVBoxLayout

from ui import theme
from ui.i18n import tr


def page_titles() -> dict[str, str]:
    """Name → word, in the rail's order."""
    return {
        "home": tr("Home"),
        "contacts": tr("Contacts"),
        "audiences": tr("Audiences"),
        "campaigns": tr("Campaigns"),
        "queue": tr("Queue"),
        "review": tr("Review"),
        "reports": tr("Reports"),
        "settings": tr("Settings"),
    }


class Rail(QFrame):
    chosen = Signal(str)

    def __init__(self) -> None:
        super().__init__()
        self.setObjectName("rail")
        self.setAccessibleName(tr("Pages of the program"))
        self._buttons: dict[str, QPushButton] = {}
        self._compact = False
        group = QButtonGroup(self)
        column = QVBoxLayout(self)
        column.setContentsMargins(*(theme.space("s"), theme.space("m")) * 2)
        column.setSpacing(theme.space("xs"))
        for place, (name, word) in enumerate(page_titles().items(), 1):
            column.addWidget(self._button(name, word, place, group))
        column.addStretch(1)
        self._fit()

    def _button(self, name: str, word: str, place: int, group: QButtonGroup) -> QPushButton:
        made = QPushButton(word)
        made.setProperty("role", "rail")
        made.setCheckable(True)
        made.setAutoDefault(False)
        made.setAccessibleName(word)
        made.setToolTip(tr("{page} (Ctrl+{place})", page=word, place=place))
        theme.set_icon(made, name)
        made.clicked.connect(partial(self.chosen.emit, name))
        shortcut = QShortcut(QKeySequence(f"Ctrl+{place}"), self)
        shortcut.activated.connect(partial(self.chosen.emit, name))
        group.addButton(made)
        self._buttons[name] = made
        return made

    def show_current(self, name: str) -> None:
        """Mark where the window is; the keyboard's focus goes along when it is on the rail."""
        if self.window().focusWidget() in self._buttons.values():
            self._buttons[name].setFocus()
        self._buttons[name].setChecked(True)

    def set_compact(self, compact: bool) -> None:
        """Icons without words, where large text leaves the pages too little room; the words stay as tips."""
        if compact == self._compact:
            return
        self._compact = compact
        for name, made in self._buttons.items():
            made.setText("" if compact else page_titles()[name])
        self._fit()

    def _fit(self) -> None:
        self.setMinimumWidth(0)
        self.setMaximumWidth(self.sizeHint().width())
        if not self._compact:
            self.setFixedWidth(max(theme.size("rail"), self.sizeHint().width()))

    def button(self, name: str) -> QPushButton:
        return self._buttons[name]
