"""Buttons and the rows they stand in."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QHBoxLayout, QLayout, QMenu, QPushButton, QVBoxLayout, QWidget

from ui import theme


def button(
    words: str,
    pressed: Callable[..., Any] | None = None,
    role: str = "",
    icon: str | None = None,
    tip: str = "",
) -> QPushButton:
    """A push button; without ``words`` its ``tip`` is its accessible name."""
    made = QPushButton(plain(words))
    made.setProperty("role", role)
    made.setAutoDefault(False)
    made.setCursor(Qt.CursorShape.PointingHandCursor if role == "link" else Qt.CursorShape.ArrowCursor)
    made.setToolTip(tip)
    made.setAccessibleName(words or tip)
    if icon:
        theme.set_icon(made, icon, _icon_tone(role))
    if pressed is not None:
        made.clicked.connect(pressed)
    return made


def plain(words: str) -> str:
    """Words for a button or menu entry in which an ampersand is an ampersand."""
    return words.replace("&", "&&")


def _icon_tone(role: str) -> str:
    return {"primary": "accent_text", "danger": "bad", "link": "accent"}.get(role, "muted")


def menu_button(
    words: str,
    entries: Sequence[tuple[str, str, Callable[..., Any]] | None],
    icon: str | None = "down",
    role: str = "",
    tip: str = "",
) -> QPushButton:
    """A button that opens a menu of (words, icon, pressed); None is a line between."""
    made = button(words, role=role, icon=icon, tip=tip)
    menu = QMenu(made)
    fill_menu(menu, entries)
    made.setMenu(menu)
    return made


def fill_menu(menu: QMenu, entries: Sequence[tuple[str, str, Callable[..., Any]] | None]) -> None:
    menu.clear()
    for entry in entries:
        if entry is None:
            menu.addSeparator()
            continue
        words, icon, pressed = entry
        action = menu.addAction(plain(words))
        if icon:
            theme.set_icon(action, icon)
        action.triggered.connect(pressed)


def row(*parts: QWidget | QLayout | None, gap: str = "s") -> QHBoxLayout:
    """Side by side; None is the stretch."""
    return _filled(QHBoxLayout(), parts, gap)


def column(*parts: QWidget | QLayout | None, gap: str = "s") -> QVBoxLayout:
    """One below the other; None is the stretch."""
    return _filled(QVBoxLayout(), parts, gap)


def _filled(layout: Any, parts: Sequence[QWidget | QLayout | None], gap: str) -> Any:
    layout.setContentsMargins(0, 0, 0, 0)
    layout.setSpacing(theme.space(gap))
    for part in parts:
        if part is None:
            layout.addStretch(1)
        elif isinstance(part, QLayout):
            layout.addLayout(part)
        else:
            layout.addWidget(part)
    return layout
