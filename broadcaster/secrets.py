"""Page tokens and app secrets: in the system's keyring, else in an owner-only file in the workspace.

Never in the database, a log, a report, a URL or an argument list.
"""

from __future__ import annotations

import json
import os
import tempfile
import threading
from pathlib import Path
from typing import Protocol

import keyring
import keyring.errors
from keyring.backends import fail, null

SERVICE = "broadcaster"


class SecretStore(Protocol):
    kind: str

    def get(self, key: str) -> str | None: ...
    def set(self, key: str, value: str) -> None: ...
    def delete(self, key: str) -> None: ...


class KeyringSecrets:
    """The operating system's keyring. ``scope`` keeps workspaces apart."""

    kind = "keyring"

    def __init__(self, scope: str) -> None:
        self._service = f"{SERVICE}:{scope}"

    def get(self, key: str) -> str | None:
        return keyring.get_password(self._service, key)

    def set(self, key: str, value: str) -> None:
        keyring.set_password(self._service, key, value)

    def delete(self, key: str) -> None:
        try:
            keyring.delete_password(self._service, key)
        except keyring.errors.PasswordDeleteError:
            return


class FileSecrets:
    """A JSON file only its owner may read (mode 0600), replaced whole at each change."""

    kind = "file"

    def __init__(self, path: Path) -> None:
        self.path = path
        self._lock = threading.Lock()

    def get(self, key: str) -> str | None:
        return self._read().get(key)

    def set(self, key: str, value: str) -> None:
        with self._lock:
            self._write({**self._read(), key: value})

    def delete(self, key: str) -> None:
        with self._lock:
            self._write({name: value for name, value in self._read().items() if name != key})

    def _read(self) -> dict[str, str]:
        if not self.path.exists():
            return {}
        return {str(k): str(v) for k, v in json.loads(self.path.read_text("utf-8")).items()}

    def _write(self, values: dict[str, str]) -> None:
        # mkstemp creates the file with mode 0600, so the secret is never readable by others
        handle, name = tempfile.mkstemp(dir=self.path.parent, prefix=".secrets-")
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            json.dump(values, file)
            file.flush()
            os.fsync(file.fileno())
        Path(name).replace(self.path)


def open_secrets(home: Path) -> SecretStore:
    """The keyring where there is a working one, else the owner-only file in the workspace."""
    backend = keyring.get_keyring()
    if isinstance(backend, fail.Keyring | null.Keyring) or os.environ.get("BROADCASTER_SECRETS") == "file":
        return FileSecrets(home / "secrets.json")
    return KeyringSecrets(str(home))
