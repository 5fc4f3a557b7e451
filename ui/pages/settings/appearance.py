"""Theme, text size, language."""

from __future__ import annotations

from PySide6.QtWidgets import QApplication, QComboBox

from ui import i18n, theme
from ui.i18n import tr
from ui.pages.settings.section import Section
from ui.view import PageView
from ui.widgets.fields import Field
from ui.widgets.labels import Card, Text

SIZES = (1.0, 1.15, 1.3, 1.5, 1.75, 2.0)


class AppearanceSection(Section):
    def __init__(self, page: PageView) -> None:
        super().__init__(page)
        self.intro(tr("Appearance and language"), tr("Changes take effect at once."))
        self.theme_box = QComboBox()
        for key, word in (("system", tr("Like the system")), ("light", tr("Light")), ("dark", tr("Dark"))):
            self.theme_box.addItem(word, key)
        self.size_box = QComboBox()
        for size in SIZES:
            self.size_box.addItem(f"{round(100 * size)} %", size)
        self.language_box = QComboBox()
        self.language_box.addItem(tr("Like the system"), "")
        for code, name in i18n.available().items():
            self.language_box.addItem(name, code)
        card = Card()
        for label, box, hint in (
            (tr("Theme"), self.theme_box, ""),
            (tr("Text size"), self.size_box, tr("Everything grows with the text.")),
            (tr("Language"), self.language_box, tr("Numbers and dates are written as the language does.")),
        ):
            card.add(Field(label, box, hint, narrow=True))
        self.column.addWidget(card)
        self.column.addWidget(Text(tr("The time zone is chosen at the top right of the window."), "small"))
        self.column.addStretch(1)
        self._filling = False
        for box in (self.theme_box, self.size_box, self.language_box):
            box.currentIndexChanged.connect(self._changed)

    def refresh(self) -> None:
        preferences = self.page.preferences
        if preferences is None:
            return
        self._filling = True
        self.theme_box.setCurrentIndex(self.theme_box.findData(preferences.text("theme", "system")))
        wanted = preferences.number("text_size", 1.0)
        self.size_box.setCurrentIndex(min(range(len(SIZES)), key=lambda n: abs(SIZES[n] - wanted)))
        self.language_box.setCurrentIndex(max(0, self.language_box.findData(preferences.text("language"))))
        self._filling = False

    def _changed(self) -> None:
        preferences, app = self.page.preferences, QApplication.instance()
        if self._filling or preferences is None or not isinstance(app, QApplication):
            return
        preferences.keep("theme", self.theme_box.currentData())
        preferences.keep("text_size", self.size_box.currentData())
        preferences.keep("language", self.language_box.currentData())
        app.setProperty("translator", i18n.install(preferences.text("language") or None))
        theme.apply(app, preferences.text("theme", "system"), preferences.number("text_size", 1.0))
        self.page.look_changed.emit()
