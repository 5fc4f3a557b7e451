"""Write a migration from the difference between the tables and the newest schema.

Usage: python -m broadcaster.store.migrations.new "what changes" [--first]
``--first`` writes the initial schema anew (only before the first release).
"""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

from alembic import command

from broadcaster.store.engine import connect
from broadcaster.store.opening import MIGRATIONS, alembic_config


def main(message: str, first: bool) -> None:
    if first:
        for old in (MIGRATIONS / "versions").glob("0*.py"):
            old.unlink()
    number = len(list((MIGRATIONS / "versions").glob("0*.py"))) + 1
    config = alembic_config()
    config.set_main_option("file_template", "%%(rev)s_%%(slug)s")
    with tempfile.TemporaryDirectory() as folder:
        store = connect(f"sqlite:///{Path(folder) / 'schema.db'}")
        with store.write() as connection:
            config.attributes["connection"] = connection
            command.upgrade(config, "head")
            command.revision(config, message, autogenerate=True, rev_id=f"{number:04}")
        store.close()


if __name__ == "__main__":
    main(sys.argv[1], "--first" in sys.argv)
