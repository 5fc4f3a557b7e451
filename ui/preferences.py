"""What a person chose about the window itself: kept in an ini file in the workspace's folder."""

from __future__ import annotations

from pathlib import Path

from PySide6.QtCore import QSettings


class Preferences:
    """Theme, text size, language, columns, geometry. Nothing of the work itself stands here."""

    def __init__(self, home: Path) -> None:
        self._file = QSettings(str(home / "window.ini"), QSettings.Format.IniFormat)

    def text(self, key: str, default: str = "") -> str:
        value = self._file.value(key, default)
        return value if isinstance(value, str) else default

    def number(self, key: str, default: float) -> float:
        try:
            return float(self.text(key) or default)
        except ValueError:
            return default

    def words(self, key: str) -> list[str]:
        return [word for word in self.text(key).split(";") if word]

    def keep(self, key: str, value: object) -> None:
        """Kept as text; a list of words as ``a;b``."""
        self._file.setValue(key, ";".join(value) if isinstance(value, list) else str(value))

    def save(self) -> None:
        self._file.sync()
