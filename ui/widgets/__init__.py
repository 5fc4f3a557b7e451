"""Parts used by more than one page. None knows a page; none holds a rule.

    labels    Text(words, role)  title, lead, figure, strong, muted, small, body; wraps, can be selected
              Pill(word, tone, icon)      a state as coloured word with icon; .say(word, tone, icon)
              Card(title="", icon=None)   a framed box; .body is its QVBoxLayout, .add(widget)
              Figure(name, value, note="", tone=None)   a number tile; .say(value, note, tone)
              divider()
    buttons   button(words, pressed, role="", icon=None, tip="")   role: "", primary, danger, quiet, link
              menu_button(words, [(words, icon, pressed), None, …])
              Action row: row(*widgets, stretch=True) → QHBoxLayout with the right gaps; column(*widgets)
    states    StatePane: .empty(icon, title, text, action=None) .loading(text) .error(BroadcasterError, retry)
              Stage(content): shows the content or a StatePane in its place;
              .show_content() .show_empty(…) .show_loading(…) .show_error(…)
    notice    Notice: one line about what just happened, inside the page; .say(text, tone, action=None) .clear()
              .error(BroadcasterError)
    flow      FlowLayout: cards and chips that wrap into lines
    table     DataTable: a QTableView set up for a million rows; .set_model(PagedTable) .sorted(key, descending)
              .chosen_ids() .opened(id) signals; header menu chooses columns, kept under its object name
    chart     LineChart: .show_series([Series(name, [(x, y)], tone)], …) with axes, marks, tooltip, keys, table
    bars      SplitBar: parts of one whole with words; .show_parts([Part(name, count, tone)])
    fields    Field(label, editor, hint=""): label above its editor, connected for assistive technology; .fault(text)
    scroll    scrolled(widget) → QScrollArea that grows with its content
    panel     SidePanel: closable panel at the right edge of a page
    dialogs   Dialog(title, parent): .body, .buttons; open() only, never exec

Colour, length and type come from ``ui.theme``; words from ``ui.i18n`` and ``ui.text``.
"""
