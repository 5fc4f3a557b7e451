"""Tables of any length: ``PagedTable`` (ids + blocks of rows), ``Column`` declared once.

columns = [Column("name", tr("Name"), lambda row: row.name, sort="last_name"),
           Column("sent", tr("Sent"), lambda row: text.number(row.sent), numeric=True)]
model = PagedTable(columns, rows=lambda ids: [... rows with .id, any order ...], parent=self)
model.set_ids(array("q", ids))      # from a background task
model.invalidate()                  # something changed: visible rows are read again
table.setModel(model)               # ui.widgets.table.DataTable
"""

from ui.models.paged import Column, PagedTable

__all__ = ["Column", "PagedTable"]
