"""``python -m ui``: the desktop app."""

import sys

from ui.start import main

sys.exit(main())
