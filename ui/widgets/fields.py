"""A label above its editor, with a hint or what is wrong below."""

from __future__ import annotations

from PySide6.QtWidgets import QLineEdit, QVBoxLayout, QWidget

from ui import theme
from ui.widgets.labels import Text, restyle


def inset_numbers(parent: QWidget) -> None:
    """Air before the digits of spin boxes and dates, whose inner editor the style sheet cannot reach."""
    for editor in parent.findChildren(QLineEdit, "qt_spinbox_lineedit"):
        editor.setTextMargins(theme.space("xs"), 0, 0, 0)


class Field(QWidget):
    """Connects label and editor for assistive technology; ``fault`` marks a wrong value in words.

    ``narrow``: the editor takes a field's width, its hint the whole line.
    """

    def __init__(self, label: str, editor: QWidget, hint: str = "", *, narrow: bool = False) -> None:
        super().__init__()
        self.editor = editor
        self._hint = hint
        self._label = Text(label, "strong")
        self._label.setBuddy(editor)
        self._below = Text(hint, "small")
        if not hint:
            self._below.hide()
        editor.setAccessibleName(label)
        editor.setAccessibleDescription(hint)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(theme.space("xs"))
        if narrow:
            editor.setFixedWidth(theme.size("field"))
        for part in (self._label, editor, self._below):
            column.addWidget(part)
        inset_numbers(self)

    def fault(self, text: str) -> None:
        """Say what is wrong; "" when it is right."""
        restyle(self.editor, "invalid", bool(text))
        self._below.say(text or self._hint, "bad" if text else "")
        self._below.setVisible(bool(text or self._hint))
        self.editor.setAccessibleDescription(text or self._hint)
