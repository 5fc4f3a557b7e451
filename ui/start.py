"""Where the program starts: the window at once when nothing but flags is given, else the command line.

``python -m ui.start practice`` opens the window on the practice Page; without a display it runs the same
campaign printed, with a picture of every page beside the report files.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from broadcaster.errors import BroadcasterError
from broadcaster.settings import Settings, load

if TYPE_CHECKING:
    from broadcaster.workspace import Workspace

FLAGS = ("--home", "--database", "--as")


class Window:
    """The desktop app as the command line knows it. Qt is imported only when it is asked for."""

    def open(self, settings: Settings) -> int:
        from ui.app import open_window

        return open_window(settings)

    def practise(self, settings: Settings, contacts: int) -> int:
        from ui.app import open_practice

        return open_practice(settings, contacts)

    def pictures(self, workspace: Workspace, folder: Path) -> list[Path]:
        """Without a display Qt draws offscreen; must be the first Qt thing the process does."""
        if not has_display():
            os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")
        from ui.screenshots import pictures

        return pictures(workspace, folder)


def has_display(environ: Mapping[str, str] = os.environ) -> bool:
    """Can a window be shown? Always on Windows and macOS; elsewhere when a display server is named."""
    if sys.platform in ("win32", "darwin") or environ.get("QT_QPA_PLATFORM"):
        return True
    return bool(environ.get("DISPLAY") or environ.get("WAYLAND_DISPLAY"))


def main(arguments: list[str] | None = None) -> int:
    """``broadcaster``; returns the exit code."""
    given = list(sys.argv[1:] if arguments is None else arguments)
    if given[:1] == ["practice"]:
        given = ["demo", *given[1:]] if has_display() else ["demo", "--headless", *given[1:]]
        if "--headless" in given:
            print("There is no display here: the practice campaign runs printed.", file=sys.stderr)
    flags = dict(zip(given[::2], given[1::2], strict=False))
    if len(given) % 2 == 0 and all(flag in FLAGS for flag in flags):
        return _open(flags)
    from broadcaster.cli.main import main as command_line

    return command_line(given, desktop=Window())


def _open(flags: dict[str, str]) -> int:
    """The quick way in: no command line, no database before the window stands."""
    try:
        if not has_display():
            print(
                "broadcaster: there is no display here. See broadcaster --help for the commands.",
                file=sys.stderr,
            )
            return 2
        return Window().open(load(flags.get("--home"), flags.get("--database"), flags.get("--as")))
    except BroadcasterError as error:
        print(f"broadcaster: {error}", file=sys.stderr)
        return error.exit_code


if __name__ == "__main__":
    sys.exit(main())
