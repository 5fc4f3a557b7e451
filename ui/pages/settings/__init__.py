"""Settings: a list of sections at the leading edge, the chosen one beside it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import QBoxLayout, QListWidget, QListWidgetItem, QStackedWidget

from ui import theme
from ui.bridge import Bridge
from ui.i18n import tr
from ui.pages import PageView
from ui.pages.settings.appearance import AppearanceSection
from ui.pages.settings.connections import ConnectionsSection
from ui.pages.settings.database import DatabaseSection
from ui.pages.settings.policy import PolicySection
from ui.pages.settings.section import Section
from ui.pages.settings.sending import SendingSection
from ui.pages.settings.templates import TemplatesSection
from ui.pages.settings.webhooks import WebhooksSection
from ui.tasks import Tasks
from ui.widgets.buttons import row
from ui.widgets.labels import Text
from ui.widgets.scroll import scrolled

if TYPE_CHECKING:
    from broadcaster.workspace import Workspace

_ABOVE, _BESIDE = QBoxLayout.Direction.TopToBottom, QBoxLayout.Direction.LeftToRight
SECTIONS: dict[str, tuple[str, type[Section]]] = {
    "pages": ("page", ConnectionsSection),
    "templates": ("template", TemplatesSection),
    "policy": ("policy", PolicySection),
    "sending": ("send", SendingSection),
    "webhooks": ("webhook", WebhooksSection),
    "database": ("database", DatabaseSection),
    "appearance": ("appearance", AppearanceSection),
}


def section_titles() -> dict[str, str]:
    return {
        "pages": tr("Pages"),
        "templates": tr("Templates"),
        "policy": tr("Policy packs"),
        "sending": tr("Sending and quiet hours"),
        "webhooks": tr("Webhook receiver"),
        "database": tr("Database"),
        "appearance": tr("Appearance and language"),
    }


class SettingsPage(PageView):
    name = "settings"
    watches = frozenset({"page", "template", "policy", "setting", "webhook"})
    look_changed = Signal()

    def __init__(self, workspace: Workspace, bridge: Bridge, tasks: Tasks) -> None:
        super().__init__(workspace, bridge, tasks)
        self.list = QListWidget()
        self.list.setAccessibleName(tr("Sections of the settings"))
        self.stack = QStackedWidget()
        self._sections: dict[str, Section] = {}
        for key, title in section_titles().items():
            icon, kind = SECTIONS[key]
            item = QListWidgetItem(theme.icon(icon), title)
            item.setData(Qt.ItemDataRole.UserRole, key)
            self.list.addItem(item)
            section = self._sections[key] = kind(self)
            self.stack.addWidget(scrolled(section))
        self.list.currentItemChanged.connect(self._chosen)
        line = self._line = row(self.list, self.stack, gap="l")
        line.setStretch(1, 1)
        self.body.addWidget(Text(tr("Settings"), "title"))
        self.body.addLayout(line, 1)
        self.list.setCurrentRow(0)

    def resizeEvent(self, event: QResizeEvent) -> None:
        """The list stands beside the section where there is room, else above it."""
        super().resizeEvent(event)
        narrow = self.width() < theme.size("dialog")
        self._line.setDirection(_ABOVE if narrow else _BESIDE)
        self.list.setMaximumWidth(self.maximumWidth() if narrow else theme.size("field"))
        self.list.setMaximumHeight(3 * theme.size("row") if narrow else self.maximumHeight())

    def section(self, key: str) -> Section:
        return self._sections[key]

    def refresh(self) -> None:
        self._current().refresh()

    def open(self, argument: object) -> None:
        keys = list(self._sections)
        if argument in keys:
            self.list.setCurrentRow(keys.index(str(argument)))

    def _current(self) -> Section:
        item = self.list.currentItem()
        return self._sections[item.data(Qt.ItemDataRole.UserRole)]

    def _chosen(self, _item: object, _previous: object) -> None:
        self.stack.setCurrentIndex(self.list.currentRow())
        if self.isVisible():
            self._current().refresh()
