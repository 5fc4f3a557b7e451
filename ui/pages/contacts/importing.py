"""The import dialog: file, how it reads, columns and first rows, what would happen, then the import."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from PySide6.QtCore import Qt
from PySide6.QtWidgets import (
    QAbstractItemView,
    QComboBox,
    QFileDialog,
    QGridLayout,
    QLineEdit,
    QVBoxLayout,
    QWidget,
)

from broadcaster.errors import BroadcasterError
from ui import theme
from ui.i18n import tr
from ui.models import Column, PagedTable
from ui.pages.contacts import reading
from ui.tasks import Work
from ui.widgets.buttons import button, row
from ui.widgets.clearing import clear
from ui.widgets.dialogs import Dialog
from ui.widgets.fields import Field
from ui.widgets.labels import Text
from ui.widgets.notice import Notice
from ui.widgets.scroll import scrolled
from ui.widgets.table import DataTable

if TYPE_CHECKING:
    from ui.pages.contacts import ContactsPage

NOT_TAKEN = ""
"""The core leaves such a column out by itself; it is not mapped."""


def known_fields() -> dict[str, str]:
    """Field → words, as columns can be mapped to them."""
    return {
        "psid": tr("Id (PSID)"),
        "first_name": tr("First name"),
        "last_name": tr("Last name"),
        "locale": tr("Language"),
        "timezone": tr("Time zone"),
        "last_interaction_at": tr("Last action that opened the window"),
        "opted_out": tr("Opted out"),
        "labels": tr("Labels"),
    }


class _SampleRow:
    """A sample row with an id, as the paged table wants it."""

    def __init__(self, id: int, cells: list[str]) -> None:
        self.id, self.cells = id, cells


class ImportDialog(Dialog):
    """Nothing is imported before *Import* is pressed; a dry run says what would happen."""

    def __init__(self, page: ContactsPage) -> None:
        super().__init__(tr("Import contacts"), page)
        self._page = page
        self._path: Path | None = None
        self._boxes: dict[str, QComboBox] = {}
        self.file_edit = QLineEdit()
        self.file_edit.setPlaceholderText(tr("CSV or XLSX with a column psid"))
        self.file_edit.editingFinished.connect(self._typed)
        choose = button(tr("Choose…"), self._choose)
        file_line = row(Field(tr("File"), self.file_edit), choose)
        file_line.setStretch(0, 1)
        file_line.setAlignment(choose, Qt.AlignmentFlag.AlignBottom)
        self.body.addLayout(file_line)
        self.notice = Notice(closable=False)
        self.body.addWidget(self.notice)
        self._preview = QWidget()
        self._preview_column = QVBoxLayout(self._preview)
        self._preview_column.setContentsMargins(0, 0, 0, 0)
        self._preview.hide()
        self.body.addWidget(self._preview, 1)
        self.label_mode = QComboBox()
        for key, words in (
            ("add", tr("Add labels to those they have")),
            ("replace", tr("Replace all their labels")),
            ("update", tr("Replace only where the file gives labels")),
        ):
            self.label_mode.addItem(words, key)
        self._labels = Field(tr("Labels"), self.label_mode)
        self._labels.hide()
        self.body.addWidget(self._labels)
        self.dry_button = button(tr("Try without importing"), self.dry_run)
        self.import_button = button(tr("Import"), self.run_import, "primary", "import")
        for deed in (self.dry_button, self.import_button):
            deed.setEnabled(False)
        for made in (button(tr("Back"), self.reject), self.dry_button, self.import_button):
            self.buttons.addWidget(made)
        self.file_edit.setFocus()

    # -- the file

    def _choose(self) -> None:
        names = tr("Tables (*.csv *.tsv *.txt *.xlsx);;All files (*)")
        chooser = QFileDialog(self, tr("Import contacts"), "", names)
        chooser.fileSelected.connect(self.take_file)
        chooser.open()

    def _typed(self) -> None:
        given = self.file_edit.text().strip()
        if given and Path(given) != self._path:
            self.take_file(given)

    def take_file(self, path: str) -> None:
        """Read the head of the file and show how it is understood."""
        self.file_edit.setText(path)
        self._path = chosen = Path(path)
        self._enable(False)
        self.notice.say(tr("Reading the file…"), "wait")
        self._page.tasks.run(
            self, lambda _work: reading.preview(chosen), self._show_preview, self._failed, key="preview"
        )

    def _show_preview(self, preview: Any) -> None:
        found = tr(
            "{columns} columns · {encoding} · separated by {delimiter} · {quoted}",
            columns=len(preview.columns),
            encoding=preview.encoding,
            delimiter=_delimiter_word(preview.delimiter),
            quoted=_quote_word(preview.quote),
        )
        self.notice.say(found, "accent")
        clear(self._preview_column)
        self._preview_column.addWidget(Text(tr("What each column is"), "strong"))
        self._preview_column.addWidget(self._mapping(preview))
        self._preview_column.addWidget(Text(tr("First rows"), "strong"))
        self._preview_column.addWidget(self._sample(preview))
        self._preview.show()
        self._labels.setVisible("labels" in preview.mapping.values())
        self._enable(True)
        self.adjustSize()

    def _mapping(self, preview: Any) -> QWidget:
        content = QWidget()
        grid = QGridLayout(content)
        grid.setContentsMargins(0, 0, theme.space("s"), 0)
        grid.setSpacing(theme.space("s"))
        self._boxes = {}
        for place, name in enumerate(preview.columns):
            box = self._boxes[name] = self._box(
                name, preview.mapping.get(name), ignored=bool(preview.mapping) and name not in preview.mapping
            )
            grid.addWidget(Text(name), place // 2, 2 * (place % 2))
            grid.addWidget(box, place // 2, 2 * (place % 2) + 1)
        for at, share in enumerate((2, 3, 2, 3)):
            grid.setColumnStretch(at, share)
        area = scrolled(content)
        lines = min(5, (len(preview.columns) + 1) // 2)
        area.setFixedHeight(lines * (theme.size("control") + theme.space("s")) + theme.space("s"))
        return area

    def _box(self, column: str, field: str | None, *, ignored: bool) -> QComboBox:
        box = QComboBox()
        box.setAccessibleName(tr("What the column {column} is", column=column))
        box.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon)
        box.setMinimumContentsLength(12)
        for key, words in known_fields().items():
            box.addItem(words, key)
        own = field if field and field not in known_fields() else f"attribute.{column.strip()}"
        name = own.removeprefix("attribute.")
        box.addItem(tr("Own attribute “{name}”", name=name), own)
        for kind, words in _kinds().items():
            box.addItem(tr("Own attribute “{name}”, {kind}", name=name, kind=words), f"{own}:{kind}")
        if ignored:
            box.addItem(tr("Not taken"), NOT_TAKEN)
        box.setCurrentIndex(box.findData(NOT_TAKEN if ignored else field or own))
        return box

    def _sample(self, preview: Any) -> QWidget:
        rows = [
            _SampleRow(number, [str(cell) for cell in cells])
            for number, cells in enumerate(preview.sample_rows)
        ]
        columns = [
            Column(name, name, lambda one, at=place: one.cells[at] if at < len(one.cells) else "", width=120)
            for place, name in enumerate(preview.columns)
        ]
        table = DataTable(tr("First rows of the file"))
        table.setSelectionMode(QAbstractItemView.SelectionMode.NoSelection)
        model = PagedTable(columns, lambda ids: [rows[id] for id in ids], table)
        table.set_model(model)
        model.set_ids(list(range(len(rows))))
        table.setMinimumHeight(5 * theme.size("row"))
        return table

    # -- the import

    def mapping(self) -> dict[str, str]:
        """Column → field for every column that is taken."""
        given = {column: str(box.currentData()) for column, box in self._boxes.items()}
        return {column: field for column, field in given.items() if field != NOT_TAKEN}

    def dry_run(self) -> None:
        self._enable(False)
        self.notice.say(tr("Reading the whole file, changing nothing…"), "wait")
        self._start(dry=True)

    def run_import(self) -> None:
        self._start(dry=False)
        self.accept()

    def _start(self, *, dry: bool) -> None:
        path, page_id = self._path, self._page.page_id
        if path is None or page_id is None:
            return
        workspace, mapping, mode = self._page.workspace, self.mapping(), str(self.label_mode.currentData())

        def run(work: Work) -> Any:
            return reading.run_import(workspace, page_id, path, mapping, mode, dry, work)

        if dry:
            self._page.tasks.run(self, run, self._tried, self._failed, key="dry")
            return
        title = tr("Importing {file}", file=path.name)
        page = self._page
        page.tasks.run(page, run, page.imported, page.notice.error, title=title, keep=True)

    def _tried(self, result: Any) -> None:
        self._enable(True)
        words = tr("It would be: {result}", result=reading.result_words(result))
        self.notice.say(words, "warn" if result.rejected else "ok")

    def _failed(self, error: BroadcasterError) -> None:
        self._enable(bool(self._boxes))
        self.notice.error(error)

    def _enable(self, on: bool) -> None:
        self.dry_button.setEnabled(on)
        self.import_button.setEnabled(on)


def _kinds() -> dict[str, str]:
    """An attribute's types; without one its values decide."""
    return {
        "text": tr("as text"),
        "number": tr("as number"),
        "date": tr("as date"),
        "yes_no": tr("as yes or no"),
    }


def _quote_word(quote: str) -> str:
    return {'"': tr("quoted with {sign}", sign='"'), "'": tr("quoted with {sign}", sign="'")}.get(
        quote, tr("a workbook")
    )


def _delimiter_word(delimiter: str | None) -> str:
    return {",": tr("commas"), ";": tr("semicolons"), "\t": tr("tabs"), "|": tr("bars")}.get(
        delimiter or "", tr("cells")
    )
