"""People: import, sync, interactions, opt-out, export, privacy, growth links."""
