"""Figures, failures, blocked people, and the files they are written to."""
