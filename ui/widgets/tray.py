"""The task tray: long work with progress, rate, time left and Cancel."""

from __future__ import annotations

from PySide6.QtCore import Qt, Signal, Slot
from PySide6.QtWidgets import QFrame, QProgressBar, QVBoxLayout, QWidget

from ui import text, theme
from ui.i18n import plural, tr
from ui.tasks import Tasks, Work
from ui.widgets.buttons import button, row
from ui.widgets.labels import Text


class _Entry(QWidget):
    """One piece of work."""

    def __init__(self, work: Work) -> None:
        super().__init__()
        self._work = work
        title = work.title or ""
        self._title, self._note = Text(title, "strong"), Text(tr("Starting…"), "small")
        self._bar = QProgressBar()
        self._bar.setTextVisible(False)
        self._bar.setRange(0, 0)
        self._bar.setAccessibleName(title)
        self._cancel = button(tr("Cancel"), self._stop, tip=tr("Cancel {task}", task=title))
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(theme.space("xs"))
        head = row(self._title, self._cancel)
        head.setStretch(0, 1)
        column.addLayout(head)
        column.addWidget(self._bar)
        column.addWidget(self._note)

    def show_progress(self) -> None:
        work = self._work
        if work.total:
            self._bar.setRange(0, 1000)
            self._bar.setValue(round(1000 * work.done / work.total))
        self._note.setText(_progress_words(work))

    def _stop(self) -> None:
        self._cancel.setEnabled(False)
        self._note.setText(tr("Stopping…"))
        self._work.cancel()


def _progress_words(work: Work) -> str:
    parts = [work.text] if work.text else []
    if work.total:
        parts.append(tr("{done} of {total}", done=text.number(work.done), total=text.number(work.total)))
    elif work.done:
        parts.append(text.number(work.done))
    if work.done:
        parts.append(tr("{rate} per second", rate=text.number(work.per_second)))
    if work.seconds_left is not None:
        parts.append(tr("{time} left", time=text.duration(work.seconds_left)))
    return " · ".join(parts)


class Tray(QFrame):
    """Floats over the lower trailing corner; ``count_changed`` says how many run."""

    count_changed = Signal(int)

    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent)
        self.setObjectName("tray")
        self.setAccessibleName(tr("Tasks"))
        self._entries: dict[Work, _Entry] = {}
        self._none = Text(tr("Nothing is running. Imports, exports and syncs appear here."), "muted")
        column = QVBoxLayout(self)
        column.setContentsMargins(*(theme.space("l"),) * 4)
        column.setSpacing(theme.space("m"))
        head = row(
            Text(tr("Tasks"), "lead"), None, button("", self.hide, "quiet", "close", tr("Close the tasks"))
        )
        column.addLayout(head)
        column.addWidget(self._none)
        self._list = QVBoxLayout()
        self._list.setSpacing(theme.space("m"))
        column.addLayout(self._list)
        self.setFixedWidth(theme.size("panel"))
        self.hide()

    def watch(self, tasks: Tasks) -> None:
        tasks.started.connect(self._started)
        tasks.progressed.connect(self._progressed)
        tasks.ended.connect(self._ended)

    @Slot(object)
    def _started(self, work: Work) -> None:
        entry = self._entries[work] = _Entry(work)
        self._list.addWidget(entry)
        self._changed()
        self.show()
        self.raise_()

    @Slot(object)
    def _progressed(self, work: Work) -> None:
        if work in self._entries:
            self._entries[work].show_progress()

    @Slot(object)
    def _ended(self, work: Work) -> None:
        entry = self._entries.pop(work, None)
        if entry is not None:
            self._list.removeWidget(entry)
            entry.deleteLater()
        self._changed()
        if not self._entries:
            self.hide()

    def _changed(self) -> None:
        self._none.setVisible(not self._entries)
        self.count_changed.emit(len(self._entries))
        self.place()

    def place(self) -> None:
        """Into the lower trailing corner of the window."""
        self.adjustSize()
        margin = theme.space("l")
        window = self.parentWidget()
        left_to_right = self.layoutDirection() == Qt.LayoutDirection.LeftToRight
        x = window.width() - self.width() - margin if left_to_right else margin
        self.move(x, window.height() - self.height() - 3 * margin)

    def words(self) -> str:
        """What the status bar says about it."""
        count = len(self._entries)
        return plural(count, "{n} task running", "{n} tasks running") if count else tr("No tasks running")
