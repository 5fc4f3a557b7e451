"""The look in use: one per process, as Qt's palette and style sheet are."""

from __future__ import annotations

import re
from importlib import resources

from PySide6.QtCore import Qt
from PySide6.QtGui import QColor, QFont, QFontDatabase, QFontInfo, QPalette
from PySide6.QtWidgets import QApplication, QStyleFactory

from ui.theme import icons
from ui.theme.tokens import Tokens, load

_PLACE = re.compile(r"\{([a-z_]+)(?:\.([a-z_]+))?\}")
_look = load("light")
SHIPPED = ["Inter", "Noto Sans Thai", "Noto Sans Devanagari", "Droid Sans Fallback", "DejaVu Sans"]
"""The families shipped for machines without fonts, first choice first; the last is the system's, if any."""
STYLE_MARGIN = 3
"""What the Fusion style adds beside the words of a table's cell."""


def current() -> Tokens:
    """The tokens in use."""
    return _look


def color(name: str) -> QColor:
    return QColor(_look.colors[name])


def space(name: str) -> int:
    return _look.length("space", name)


def radius(name: str) -> int:
    return _look.length("radius", name)


def size(name: str) -> int:
    return _look.length("size", name)


def type_size(name: str) -> int:
    return _look.length("type", name)


def font(name: str = "body", *, bold: bool = False) -> QFont:
    """The application's font at a step of the type scale, with figures of equal width."""
    chosen = QFont(QApplication.font())
    chosen.setPixelSize(type_size(name))
    chosen.setWeight(QFont.Weight.DemiBold if bold else QFont.Weight.Normal)
    return chosen


def apply(app: QApplication, scheme: str = "system", scale: float = 1.0) -> None:
    """Set fonts, palette, style sheet and icons. ``scheme``: light, dark or system; ``scale`` 1.0 … 2.0."""
    global _look
    if scheme == "system":
        dark = app.styleHints().colorScheme() == Qt.ColorScheme.Dark
        scheme = "dark" if dark else "light"
    _load_font(app)
    _look = load(scheme, scale * _system_scale(app))
    app.setStyle(QStyleFactory.create("Fusion"))
    app.setFont(_base_font(app))
    app.setPalette(_palette(_look))
    app.setStyleSheet(style_sheet(_look))
    icons.retint()


def style_sheet(tokens: Tokens) -> str:
    """The style sheet with every ``{token}`` filled in."""
    template = (resources.files("resources") / "theme" / "style.qss").read_text("utf-8")

    def fill(match: re.Match[str]) -> str:
        group, name = match.groups()
        if name is None:
            return tokens.colors[group]
        if group == "icon":
            tone = "accent_text" if name == "check" else "muted"
            return icons.file_for_style(name, tokens.colors[tone])
        if (group, name) == ("size", "inner"):
            return str(tokens.length("size", "control") - 2)
        if (group, name) == ("space", "cell"):
            return str(max(0, tokens.length("space", "s") - STYLE_MARGIN))
        if (group, name) == ("size", "status"):
            return str(tokens.length("space", "xl") - 2)
        return str(tokens.length(group, name))

    return _PLACE.sub(fill, template)


def _palette(tokens: Tokens) -> QPalette:
    roles = {
        QPalette.ColorRole.Window: "window",
        QPalette.ColorRole.WindowText: "text",
        QPalette.ColorRole.Base: "surface",
        QPalette.ColorRole.AlternateBase: "surface_alt",
        QPalette.ColorRole.Text: "text",
        QPalette.ColorRole.Button: "surface",
        QPalette.ColorRole.ButtonText: "text",
        QPalette.ColorRole.BrightText: "bad",
        QPalette.ColorRole.Highlight: "accent_soft",
        QPalette.ColorRole.HighlightedText: "text",
        QPalette.ColorRole.Link: "accent",
        QPalette.ColorRole.LinkVisited: "doubt",
        QPalette.ColorRole.PlaceholderText: "muted",
        QPalette.ColorRole.ToolTipBase: "tooltip",
        QPalette.ColorRole.ToolTipText: "tooltip_text",
        QPalette.ColorRole.Mid: "border",
        QPalette.ColorRole.Dark: "border_strong",
        QPalette.ColorRole.Light: "surface_alt",
    }
    palette = QPalette()
    for role, name in roles.items():
        palette.setColor(role, QColor(tokens.colors[name]))
    disabled = QColor(tokens.colors["disabled"])
    for role in (QPalette.ColorRole.Text, QPalette.ColorRole.WindowText, QPalette.ColorRole.ButtonText):
        palette.setColor(QPalette.ColorGroup.Disabled, role, disabled)
    return palette


def _load_font(app: QApplication) -> None:
    """Bring the shipped font where the system has none worth the name (offscreen, bare containers)."""
    if app.property("fontLoaded"):
        return
    app.setProperty("fontLoaded", True)
    app.setProperty("systemPixels", QFontInfo(app.font()).pixelSize())
    families = {name for name in QFontDatabase.families() if not QFontDatabase.isPrivateFamily(name)}
    if app.platformName() != "offscreen" and families:
        return
    folder = resources.files("resources") / "fonts"
    for entry in folder.iterdir():
        if entry.name.endswith((".otf", ".ttf")):
            QFontDatabase.addApplicationFont(str(entry))
    shipped = QFont()
    shipped.setFamilies(SHIPPED)
    app.setFont(shipped)
    app.setProperty("systemPixels", load("light").lengths["type"]["body"])


def _system_scale(app: QApplication) -> float:
    """How far the person's system font is above our body size; never below."""
    pixels = app.property("systemPixels")
    body = load("light").lengths["type"]["body"]
    return max(1.0, float(pixels) / body) if isinstance(pixels, int | float) and pixels > body + 1 else 1.0


def _base_font(app: QApplication) -> QFont:
    chosen = QFont(app.font())
    chosen.setPixelSize(_look.length("type", "body"))
    chosen.setFeature(QFont.Tag("tnum"), 1)
    return chosen
