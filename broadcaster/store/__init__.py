"""The database: tables, engine, migrations. SQL that answers a question stands beside the question."""

from broadcaster.store.engine import Store, connect
from broadcaster.store.opening import open_store

__all__ = ["Store", "connect", "open_store"]
