"""The icon set: SVG outlines coloured from the tokens, sharp at every scale."""

from __future__ import annotations

import tempfile
from functools import cache
from importlib import resources
from pathlib import Path
from typing import Any

from PySide6.QtCore import QByteArray, QRectF, QSize, Qt
from PySide6.QtGui import QIcon, QPainter, QPixmap
from PySide6.QtSvg import QSvgRenderer
from PySide6.QtWidgets import QApplication

from ui.theme import look


def icon(name: str, tone: str = "muted") -> QIcon:
    """The icon in one of the tokens' colours, with a disabled and a chosen form."""
    made = QIcon()
    edge = look.size("icon")
    for pixels in (edge, 2 * edge):
        made.addPixmap(_drawn(name, look.current().colors[tone], pixels))
        made.addPixmap(_drawn(name, look.current().colors["disabled"], pixels), QIcon.Mode.Disabled)
        if tone == "muted":
            chosen = _drawn(name, look.current().colors["accent"], pixels)
            made.addPixmap(chosen, QIcon.Mode.Normal, QIcon.State.On)
    return made


def pixmap(name: str, tone: str = "muted", edge: int | None = None, ratio: float = 1.0) -> QPixmap:
    """The icon as a picture of ``edge`` device-independent pixels."""
    pixels = round((edge or look.size("icon")) * ratio)
    drawn = QPixmap(_drawn(name, look.current().colors[tone], pixels))
    drawn.setDevicePixelRatio(ratio)
    return drawn


def set_icon(holder: Any, name: str, tone: str = "muted") -> None:
    """Give a button or action an icon that follows the theme."""
    holder.setProperty("iconName", name)
    holder.setProperty("iconTone", tone)
    holder.setIcon(icon(name, tone))
    if hasattr(holder, "setIconSize"):
        holder.setIconSize(QSize(look.size("icon"), look.size("icon")))


def retint() -> None:
    """Colour every icon set through ``set_icon`` again, after the look changed."""
    for widget in QApplication.allWidgets():
        for holder in (widget, *widget.actions()):
            if name := holder.property("iconName"):
                set_icon(holder, str(name), str(holder.property("iconTone")))


def names() -> list[str]:
    folder = resources.files("resources") / "icons"
    return sorted(entry.name[:-4] for entry in folder.iterdir() if entry.name.endswith(".svg"))


def file_for_style(name: str, color: str) -> str:
    """Path of a coloured SVG for the style sheet, which cannot colour one itself."""
    folder = Path(tempfile.gettempdir()) / "broadcaster-icons"
    folder.mkdir(exist_ok=True)
    path = folder / f"{name}-{color.lstrip('#')}.svg"
    if not path.exists():
        path.write_text(_source(name).replace("currentColor", color), "utf-8")
    return path.as_posix()


@cache
def _source(name: str) -> str:
    return (resources.files("resources") / "icons" / f"{name}.svg").read_text("utf-8")


@cache
def _drawn(name: str, color: str, pixels: int) -> QPixmap:
    renderer = QSvgRenderer(QByteArray(_source(name).replace("currentColor", color).encode()))
    picture = QPixmap(pixels, pixels)
    picture.fill(Qt.GlobalColor.transparent)
    painter = QPainter(picture)
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    renderer.render(painter, QRectF(0, 0, pixels, pixels))
    painter.end()
    return picture
