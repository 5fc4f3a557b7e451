"""Findings in a text: underlined where they are, listed beside it with reason and advice."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import suppress
from functools import partial
from typing import Any

from PySide6.QtCore import QEvent, QObject, Qt, Signal
from PySide6.QtGui import (
    QHelpEvent,
    QKeyEvent,
    QMouseEvent,
    QSyntaxHighlighter,
    QTextCharFormat,
    QTextCursor,
    QTextDocument,
)
from PySide6.QtWidgets import QFrame, QHBoxLayout, QPlainTextEdit, QToolTip, QVBoxLayout, QWidget

from broadcaster.content.placeholders import placeholders
from broadcaster.errors import BadInput
from ui import theme
from ui.i18n import plural, tr
from ui.widgets.buttons import button, row
from ui.widgets.clearing import clear
from ui.widgets.labels import Icon, Text

_TONES = {"violation": "bad", "warning": "warn"}
_ICONS = {"violation": "bad", "warning": "warn"}


def severity_words(severity: str) -> str:
    return {"violation": tr("Against the rule"), "warning": tr("Doubtful")}.get(severity, tr("Hint"))


def tone_of(severity: str) -> str:
    return _TONES.get(str(severity), "wait")


def qt_place(words: str, index: int) -> int:
    """Qt counts UTF-16 units, findings count characters."""
    return len(words[:index].encode("utf-16-le")) // 2


def chips(words: str) -> list[tuple[int, int]]:
    """Where placeholders stand; up to the first that is not closed yet."""
    found: list[tuple[int, int]] = []
    with suppress(BadInput):  # still being typed; the page says so beside the text
        found.extend((each.start, each.end) for each in placeholders(words))
    return found


class FindingHighlighter(QSyntaxHighlighter):
    """Underlines findings by severity (colour and form of the line) and sets placeholders as chips."""

    def __init__(self, document: QTextDocument) -> None:
        super().__init__(document)
        self._findings: Sequence[Any] = ()
        self._read = ""

    def show_findings(self, findings: Sequence[Any], read: str) -> None:
        """``read``: the text they were found in. After typing they wait for the next answer."""
        self._findings, self._read = findings, read
        self.rehighlight()

    def highlightBlock(self, words: str) -> None:
        whole = self.document().toPlainText()
        start = self.currentBlock().position()
        for first, last in chips(words):
            chip = QTextCharFormat()
            chip.setBackground(theme.color("accent_soft"))
            chip.setForeground(theme.color("accent"))
            self.setFormat(qt_place(words, first), qt_place(words, last) - qt_place(words, first), chip)
        if whole != self._read:
            return
        for finding in self._findings:
            first, last = qt_place(whole, finding.start) - start, qt_place(whole, finding.end) - start
            self._underline(max(0, first), min(len(words.encode("utf-16-le")) // 2, last), finding.severity)

    def _underline(self, first: int, last: int, severity: str) -> None:
        for place in range(first, last):
            kept = self.format(place)
            kept.setUnderlineColor(theme.color(tone_of(severity)))
            wave = QTextCharFormat.UnderlineStyle.WaveUnderline
            dash = QTextCharFormat.UnderlineStyle.DashUnderline
            kept.setUnderlineStyle(wave if severity == "violation" else dash)
            self.setFormat(place, 1, kept)


class FindingTips(QObject):
    """Shows the reason of the finding under the mouse."""

    def __init__(self, editor: QPlainTextEdit) -> None:
        super().__init__(editor)
        self._editor = editor
        self._findings: Sequence[Any] = ()
        editor.viewport().installEventFilter(self)

    def show_findings(self, findings: Sequence[Any]) -> None:
        self._findings = findings

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if event.type() == QEvent.Type.ToolTip and isinstance(event, QHelpEvent):
            words = self.words_at(self._editor.cursorForPosition(event.pos()).position())
            QToolTip.showText(event.globalPos(), words, self._editor)
            return True
        return super().eventFilter(watched, event)

    def words_at(self, place: int) -> str:
        whole = self._editor.toPlainText()
        said = [
            f"{severity_words(f.severity)}: {f.reason} {f.advice}".strip()
            for f in self._findings
            if qt_place(whole, f.start) <= place <= qt_place(whole, f.end)
        ]
        return "\n".join(said)


def go_to(editor: QPlainTextEdit, finding: Any) -> None:
    """Select the finding's words and bring them into view."""
    whole = editor.toPlainText()
    cursor = editor.textCursor()
    cursor.setPosition(qt_place(whole, finding.start))
    cursor.setPosition(qt_place(whole, finding.end), QTextCursor.MoveMode.KeepAnchor)
    editor.setTextCursor(cursor)
    editor.ensureCursorVisible()
    editor.setFocus()


class _Entry(QFrame):
    """One finding. Click or Return goes to its words."""

    opened = Signal(object)

    def __init__(self, finding: Any, verdict: str, deed: Callable[[Any], Any] | None) -> None:
        super().__init__()
        self._finding = finding
        tone = "ok" if verdict else tone_of(finding.severity)
        self.setProperty("role", "sunken")
        self.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        self.setCursor(Qt.CursorShape.PointingHandCursor)
        part = part_words(finding.part)
        quoted = f"“{finding.text}” · {part}" if finding.text else part
        head = Text(f"{severity_words(finding.severity)} · {quoted}", "strong", tone)
        column = QVBoxLayout()
        column.setSpacing(theme.space("xs"))
        column.addWidget(head)
        column.addWidget(Text(f"{finding.reason} {finding.advice}".strip()))
        if verdict:
            column.addWidget(Text(tr("False alarm: {reason}", reason=verdict), "small", "ok"))
        elif deed is not None and finding.text:
            column.addLayout(row(button(tr("False alarm…"), partial(deed, finding), "link"), None))
        line = QHBoxLayout(self)
        line.setContentsMargins(*(theme.space("s"),) * 4)
        line.setSpacing(theme.space("s"))
        icon = "check" if verdict else _ICONS.get(str(finding.severity), "info")
        line.addWidget(Icon(icon, tone), 0, Qt.AlignmentFlag.AlignTop)
        line.addLayout(column, 1)
        self.setAccessibleName(f"{head.text()}. {finding.reason} {finding.advice}")

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        super().mouseReleaseEvent(event)
        self.opened.emit(self._finding)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter, Qt.Key.Key_Space):
            self.opened.emit(self._finding)
        else:
            super().keyPressEvent(event)


class FindingsList(QWidget):
    """All findings with reason and advice; ``chosen`` says the one that was clicked.

    ``deed`` (for a reviewer) adds "False alarm…" to each.
    """

    chosen = Signal(object)

    def __init__(self, deed: Callable[[Any], Any] | None = None) -> None:
        super().__init__()
        self._deed = deed
        self._shown: object = None
        self._summary = Text("", "muted")
        self._list = QVBoxLayout()
        self._list.setSpacing(theme.space("xs"))
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(theme.space("s"))
        column.addWidget(self._summary)
        column.addLayout(self._list)

    @property
    def summary(self) -> str:
        return self._summary.text()

    def entries(self) -> list[QWidget]:
        return list(self.findChildren(_Entry))

    def show_findings(
        self, findings: Sequence[Any], verdicts: Callable[[Any], str] | None = None, fits: bool = True
    ) -> None:
        """``verdicts`` gives the reason why a finding is a false alarm, or ""."""
        wanted = [(finding, verdicts(finding) if verdicts else "") for finding in findings]
        self._summary.say(_summary(findings, fits), "" if fits else "bad")
        if wanted == self._shown:  # what is the same does not flicker
            return
        self._shown = wanted
        clear(self._list)
        for finding, verdict in wanted:
            entry = _Entry(finding, verdict, self._deed)
            entry.opened.connect(self.chosen)
            self._list.addWidget(entry)


def _summary(findings: Sequence[Any], fits: bool) -> str:
    if not findings:
        return tr("Nothing promotional was found in the text.")
    words = plural(len(findings), "{n} finding.", "{n} findings.")
    return words if fits else words + " " + tr("This text does not fit the chosen way to send.")


def part_words(part: str) -> str:
    """The name of a part of the message, as a reader knows it."""
    names = {"text": tr("text"), "way to send": tr("way to send")}
    return names.get(part, part)
