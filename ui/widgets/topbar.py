"""The top bar: Page in use, search and palette, zone of all times."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import Any

from PySide6.QtCore import QSize, Qt, Signal
from PySide6.QtGui import QPainter, QPaintEvent
from PySide6.QtWidgets import QFrame, QHBoxLayout, QMenu, QSizePolicy, QWidget

from ui import text, theme
from ui.i18n import tr
from ui.widgets.buttons import button, plain
from ui.widgets.labels import Icon, Text


class PagePicture(QWidget):
    """The Page's picture: its first letter on the accent's ground."""

    def __init__(self) -> None:
        super().__init__()
        self._letter = ""
        self.setSizePolicy(QSizePolicy.Policy.Fixed, QSizePolicy.Policy.Fixed)

    def say(self, name: str) -> None:
        self._letter = name.strip()[:1].upper()
        self.update()

    def sizeHint(self) -> QSize:
        return QSize(theme.size("control"), theme.size("control"))

    def paintEvent(self, event: QPaintEvent) -> None:  # noqa: ARG002
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(theme.color("accent"))
        painter.drawRoundedRect(self.rect(), theme.radius("m"), theme.radius("m"))
        painter.setPen(theme.color("accent_text"))
        painter.setFont(theme.font("lead", bold=True))
        painter.drawText(self.rect(), Qt.AlignmentFlag.AlignCenter, self._letter or "–")
        painter.end()


class TopBar(QFrame):
    """Signals: ``page_chosen`` (id), ``connect_asked``, ``palette_asked``, ``zone_asked``."""

    page_chosen = Signal(object)
    connect_asked = Signal()
    palette_asked = Signal()
    zone_asked = Signal()

    def __init__(self) -> None:
        super().__init__()
        self.setObjectName("topbar")
        self._picture = PagePicture()
        self._name = button(tr("No Page yet"), role="quiet", icon="down", tip=tr("Choose the Page in use"))
        self._name.setLayoutDirection(_opposite(self))
        self._menu = QMenu(self._name)
        self._name.setMenu(self._menu)
        self._health = Icon("info")
        self._state = Text("", "muted", wrap=False)
        self._search = button(
            tr("Search or do anything"),
            self.palette_asked.emit,
            icon="search",
            tip=tr("Command palette (Ctrl+K)"),
        )
        self._search.setMinimumWidth(theme.size("field"))
        self._key = Text("Ctrl+K", "small", wrap=False)
        self._zone = button("UTC", self.zone_asked.emit, "quiet", "clock", tr("Zone all times are shown in"))
        line = QHBoxLayout(self)
        line.setContentsMargins(*(theme.space("l"), theme.space("s")) * 2)
        line.setSpacing(theme.space("s"))
        for part in (self._picture, self._name, self._health, self._state):
            line.addWidget(part)
        line.addStretch(1)
        for part in (self._search, self._key):
            line.addWidget(part)
        line.addStretch(1)
        line.addWidget(self._zone)
        self._health.hide()

    def show_pages(self, pages: Sequence[Any], current: int | None) -> None:
        """Pages have ``id``, ``name``, ``state``, ``platform``."""
        self._menu.clear()
        for page in pages:
            word, tone, icon = text.page_state(page.state)
            action = self._menu.addAction(plain(tr("{page} – {state}", page=page.name, state=word)))
            theme.set_icon(action, icon, tone)
            action.setCheckable(True)
            action.setChecked(page.id == current)
            action.triggered.connect(partial(self._choose, page.id))
        if pages:
            self._menu.addSeparator()
        connect = self._menu.addAction(tr("Connect a Page…"))
        theme.set_icon(connect, "connect")
        connect.triggered.connect(self.connect_asked)
        self._show_current(next((page for page in pages if page.id == current), None))

    def _show_current(self, page: Any) -> None:
        name = page.name if page else tr("No Page yet")
        self._name.setText(plain(name))
        self._name.setAccessibleName(tr("Page in use: {page}", page=name))
        self._picture.say(page.name if page else "")
        self._health.setVisible(page is not None)
        if page is None:
            self._state.say("")
            return
        word, tone, icon = text.page_state(page.state)
        self._health.say(icon, tone)
        self._health.setToolTip(word)
        self._state.say(word, tone)
        self._state.setToolTip(page.state_text or word)

    def _choose(self, page_id: int) -> None:
        self.page_chosen.emit(page_id)

    def set_compact(self, compact: bool) -> None:
        """Leave out what icons and tips say too, where large text needs the room."""
        self._key.setHidden(compact)
        self._state.setHidden(compact)
        self._search.setText("" if compact else tr("Search or do anything"))
        self._search.setMinimumWidth(0 if compact else theme.size("field"))

    def show_zone(self, key: str) -> None:
        self._zone.setText(key)
        self._zone.setAccessibleName(tr("Zone all times are shown in: {zone}", zone=key))

    @property
    def page_button(self) -> QWidget:
        return self._name


def _opposite(widget: QWidget) -> Qt.LayoutDirection:
    """The arrow of a menu button stands behind its word."""
    left_to_right = widget.layoutDirection() == Qt.LayoutDirection.LeftToRight
    return Qt.LayoutDirection.RightToLeft if left_to_right else Qt.LayoutDirection.LeftToRight
