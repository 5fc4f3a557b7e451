"""What changed in a text, word by word: taken out struck through, put in underlined."""

from __future__ import annotations

import re
from difflib import SequenceMatcher
from html import escape

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QLabel

from ui import theme
from ui.i18n import tr

_WORDS = re.compile(r"\s+|[^\s\w]|\w+")
Piece = tuple[str, str]
"""(kind, words) with kind same, out or in."""


def differences(before: str, after: str) -> list[Piece]:
    """The pieces in reading order; what was taken out stands before what replaced it."""
    old, new = _WORDS.findall(before), _WORDS.findall(after)
    pieces: list[Piece] = []
    for kind, a, b, c, d in SequenceMatcher(None, old, new, autojunk=False).get_opcodes():
        if kind == "equal":
            pieces.append(("same", "".join(old[a:b])))
            continue
        if b > a:
            both = d > c and not new[c].isspace()
            pieces.append(("out", "".join(old[a:b]) + (" " if both else "")))
        if d > c:
            pieces.append(("in", "".join(new[c:d])))
    return pieces


class WordDiff(QLabel):
    """Shows ``differences``: never by colour alone."""

    def __init__(self, before: str, after: str) -> None:
        super().__init__()
        self.setWordWrap(True)
        self.setTextFormat(Qt.TextFormat.RichText)
        self.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        pieces = differences(before, after)
        self.setText("".join(_marked(kind, words) for kind, words in pieces))
        self.setAccessibleName(" ".join(_spoken(kind, words) for kind, words in pieces))


def _marked(kind: str, words: str) -> str:
    shown = escape(words).replace("\n", "<br>")
    if kind == "out":
        return f'<s style="color:{theme.color("bad").name()}">{shown}</s>'
    if kind == "in":
        return f'<u style="color:{theme.color("ok").name()}"><b>{shown}</b></u>'
    return shown


def _spoken(kind: str, words: str) -> str:
    said = {"out": tr("taken out: {words}", words=words), "in": tr("put in: {words}", words=words)}
    return said.get(kind, words)
