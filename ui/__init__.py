"""The window. Only here is PySide6 imported; no rule, no SQL, no HTTP."""
