"""``python -m broadcaster``: the command line without a window."""

import sys

from broadcaster.cli.main import main

sys.exit(main())
