"""Policy packs: every way to send with its state today; installing a newer pack, its difference shown first."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import Any

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QFileDialog, QPlainTextEdit, QVBoxLayout

from ui import text, theme
from ui.i18n import plural, tr
from ui.pages.settings.section import Section
from ui.tasks import Work
from ui.view import PageView
from ui.widgets.buttons import button, row
from ui.widgets.clearing import clear
from ui.widgets.dialogs import Dialog
from ui.widgets.labels import Card, Pill, Text


def state_words(state: str) -> tuple[str, str, str]:
    """(word, tone, icon) of a way to send."""
    return {
        "open": (tr("Open"), "ok", "ok"),
        "conditional": (tr("Under conditions"), "warn", "warn"),
        "retired": (tr("Retired"), "bad", "blocked"),
        "not_on_platform": (tr("Not on this platform"), "wait", "blocked"),
    }.get(state, (tr("Unknown"), "doubt", "doubt"))


class PolicySection(Section):
    def __init__(self, page: PageView) -> None:
        super().__init__(page)
        newer = button(tr("Install a newer pack…"), partial(self.choose_file, "base"), icon="import")
        own = button(tr("Lay your own over it…"), partial(self.choose_file, "overlay"), icon="add")
        self.column.addLayout(row(Text(tr("Policy packs"), "lead", wrap=False), None, own, newer))
        words = tr(
            "What Meta allows is dated data, not code. A newer pack can be installed; it is compared first."
        )
        self.column.addWidget(Text(words, "muted"))
        self.pack_name = Text("", "strong")
        self.column.addWidget(self.pack_name)
        self._list = QVBoxLayout()
        self._list.setSpacing(theme.space("s"))
        self.column.addLayout(self._list)
        self.column.addStretch(1)

    def refresh(self) -> None:
        from broadcaster.policy.active import active_pack

        self.page.read(active_pack, self._show, "pack")

    def _show(self, pack: Any) -> None:
        words = tr("In use: {name}, version {version}", name=pack.name, version=pack.version)
        self.pack_name.setText(words)
        self.pack_name.setToolTip(tr("Checksum {checksum}", checksum=pack.checksum))
        clear(self._list)
        for permission in pack.permissions.values():
            self._list.addWidget(self._permission(pack, permission))

    def _permission(self, pack: Any, permission: Any) -> Card:
        now, zone = self.page.now(), self.page.zone
        card = Card()
        pills = [Pill(tr("For information"), "wait", "info")] if permission.kind == "information" else []
        if not pills:
            state = pack.state_on(permission.key, permission.platforms[0], now)
            pills = [Pill(*state_words(str(state)))]
        card.body.addLayout(row(Text(permission.title, "strong", wrap=False), *pills, None))
        facts = []
        if permission.window:
            facts.append(tr("window of {hours}", hours=text.duration(3600 * permission.window)))
        facts.append(tr("promotion allowed") if permission.promotion_allowed else tr("no promotion"))
        if permission.valid_until is not None:
            facts.append(tr("until {when}", when=text.when(permission.valid_until, zone, now)))
        if permission.replaced_by:
            facts.append(tr("replaced by {other}", other=permission.replaced_by))
        card.add(Text(" · ".join(facts), "muted"))
        for title, lines in ((tr("Allowed"), permission.allowed), (tr("Not allowed"), permission.disallowed)):
            if lines:
                card.add(Text(tr("{title}: {lines}", title=title, lines="; ".join(lines))))
        card.add(Text(tr("Source: {source}", source=permission.source), "small"))
        return card

    def choose_file(self, kind: str, _pressed: bool = False) -> None:
        chooser = QFileDialog(self, tr("Policy pack"), "", tr("Policy packs (*.toml)"))
        chooser.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        chooser.fileSelected.connect(partial(self.compare, kind))
        chooser.open()

    def compare(self, kind: str, path: str) -> None:
        """Read a pack and show what it changes and which campaigns it breaks, before installing it."""
        store = self.page.workspace.store

        def run(_work: Work) -> Any:
            from broadcaster.policy import active, compare

            with store.read() as conn:
                old = active.active_pack(conn)
                new, _body = active.preview(conn, Path(path), kind)
                return new, compare.differences(old, new), compare.broken(conn, old, new)

        self.page.tasks.run(self, run, partial(self._compared, kind, path), self.page.notice.error)

    def _compared(self, kind: str, path: str, found: tuple[Any, Sequence[str], Sequence[Any]]) -> None:
        self.dialog = CompareDialog(self, *found)
        self.dialog.accepted.connect(partial(self.install, kind, path))
        self.dialog.open()

    def install(self, kind: str, path: str) -> None:
        workspace = self.page.workspace

        def run(_work: Work) -> Any:
            from broadcaster.policy import active

            with workspace.store.write() as conn:
                pack = active.install(conn, Path(path), kind, workspace.settings.actor, workspace.clock.now())
            workspace.hub.post("policy")
            return pack

        self.page.tasks.run(self, run, self._installed, self.page.notice.error)

    def _installed(self, pack: Any) -> None:
        self.page.notice.say(tr("{name} {version} is in use.", name=pack.name, version=pack.version), "ok")


class CompareDialog(Dialog):
    """What a pack changes, in words, and what it breaks."""

    def __init__(
        self, section: PolicySection, pack: Any, changes: Sequence[str], broken: Sequence[Any]
    ) -> None:
        super().__init__(tr("Install {name} {version}?", name=pack.name, version=pack.version), section)
        shown = QPlainTextEdit("\n".join(changes) or tr("It changes nothing."))
        shown.setReadOnly(True)
        shown.setAccessibleName(tr("What it changes"))
        self.body.addWidget(Text(tr("What it changes"), "strong"))
        self.body.addWidget(shown)
        if broken:
            words = plural(
                len(broken),
                "{n} campaign could no longer be sent as planned:",
                "{n} campaigns could no longer be sent as planned:",
            )
            self.body.addWidget(Text(words, "strong", "bad"))
            self.body.addWidget(Text("\n".join(str(one) for one in broken)))
        self.buttons.addWidget(button(tr("Back"), self.reject))
        self.buttons.addWidget(button(tr("Install"), self.accept, "primary"))
