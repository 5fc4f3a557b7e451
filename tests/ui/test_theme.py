"""The look: contrast, tokens instead of literals, icons of one set."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from PySide6.QtGui import QColor
from PySide6.QtWidgets import QApplication, QLabel

from ui import theme
from ui.theme import icons
from ui.theme.look import style_sheet
from ui.theme.tokens import SCHEMES, load

UI = Path(theme.__file__).parent.parent
TONES = ("ok", "warn", "bad", "doubt", "wait", "accent")
ON_GROUNDS = ("text", "muted", *TONES)
PAIRS = [(tone, ground) for tone in ON_GROUNDS for ground in ("window", "surface", "surface_alt")]
PAIRS += [(tone, f"{tone}_soft") for tone in TONES] + [("text", f"{tone}_soft") for tone in TONES]
PAIRS += [("accent_text", "accent"), ("tooltip_text", "tooltip"), ("bubble_text", "bubble")]


def luminance(color: str) -> float:
    def linear(part: float) -> float:
        return part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4

    parts = QColor(color)
    return 0.2126 * linear(parts.redF()) + 0.7152 * linear(parts.greenF()) + 0.0722 * linear(parts.blueF())


@pytest.mark.parametrize("scheme", SCHEMES)
@pytest.mark.parametrize(("front", "ground"), PAIRS)
def test_text_contrast_is_at_least_four_and_a_half(scheme: str, front: str, ground: str) -> None:
    colors = load(scheme).colors
    light, dark = sorted((luminance(colors[front]), luminance(colors[ground])), reverse=True)
    assert (light + 0.05) / (dark + 0.05) >= 4.5


def test_both_schemes_have_the_same_tokens() -> None:
    assert load("light").colors.keys() == load("dark").colors.keys()


@pytest.mark.parametrize("scheme", SCHEMES)
def test_every_place_in_the_style_sheet_is_filled(qapp: QApplication, scheme: str) -> None:
    assert not re.search(r"\{[a-z_.]+\}", style_sheet(load(scheme)))


def test_lengths_grow_with_the_text_but_lines_do_not() -> None:
    doubled = load("light", 2.0)
    assert doubled.length("type", "body") == 26
    assert doubled.length("size", "line") == 1


def test_no_widget_writes_a_colour() -> None:
    literal = re.compile(r"#[0-9a-fA-F]{6}\b|QColor\(\s*\d|rgba?\(")
    found = [
        f"{path.relative_to(UI)}:{number}"
        for path in UI.rglob("*.py")
        for number, line in enumerate(path.read_text("utf-8").splitlines(), 1)
        if literal.search(line)
    ]
    assert found == []


def test_every_icon_follows_one_style() -> None:
    for name in icons.names():
        source = icons._source(name)
        assert 'viewBox="0 0 24 24"' in source
        assert 'stroke-width="1.75"' in source
        assert 'stroke="currentColor"' in source


def test_every_icon_named_in_the_window_exists() -> None:
    named = re.compile(r"""set_icon\([^,()]+, "([a-z]+)"|(?:Icon|icon|pixmap)\("([a-z]+)"|icon="([a-z]+)\"""")
    used = {
        name for path in UI.rglob("*.py") for hit in named.findall(path.read_text("utf-8")) for name in hit
    }
    used.discard("")
    assert used <= set(icons.names())


def test_changing_the_scheme_changes_palette_and_colours(qapp: QApplication) -> None:
    label = QLabel("x")
    theme.apply(qapp, "dark")
    try:
        assert label.palette().window().color() == QColor(load("dark").colors["window"])
        assert theme.color("ok") == QColor(load("dark").colors["ok"])
    finally:
        theme.apply(qapp, "light")
