"""The eight pages. Each is built when first shown, and knows none of the others.

A page module ``ui/pages/<name>/__init__.py`` exports its class; ``PAGES`` names them in the rail's order.

    class QueuePage(PageView):
        name = "queue"                             # key for navigation
        watches = frozenset({"campaign", "delivery"})   # kinds of core events after which refresh() runs

        def __init__(self, workspace: Workspace, bridge: Bridge, tasks: Tasks) -> None:
            super().__init__(workspace, bridge, tasks)
            self.body.addWidget(...)                # a QVBoxLayout with the page's margins

        def refresh(self) -> None: ...              # read again what is shown; called only while visible

        def open(self, argument: object) -> None:   # where navigate(page, argument) arrives

PageView gives: ``workspace``, ``tasks``, ``bridge``, ``page_id`` (id of the Page in use, None without one),
``zone`` (ZoneInfo all times are shown in), ``now()``, ``notice`` (ui.widgets.notice), ``preferences``
(after it was added to the window), ``read(work, done, key)`` (runs ``work(conn)`` off-thread on
``store.read()``), and the signal ``navigate(str page, object argument)``.
``commands()`` may give (words, function) pairs for the palette.

Arguments pages take in ``open``: contacts → contact id (int) or {"text": search}; audiences → audience id;
campaigns → campaign id, or {"new": …}; review, reports, queue → campaign id; settings → section name
("pages", "templates", "policy", "sending", "webhooks", "database", "appearance").
"""

from __future__ import annotations

from ui.view import PageView

PAGES = ("home", "contacts", "audiences", "campaigns", "queue", "review", "reports", "settings")
"""In the order of the rail: Ctrl+1 … Ctrl+8."""

__all__ = ["PAGES", "PageView"]
