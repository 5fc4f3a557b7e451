"""The chained log of who did what, and its verification."""
