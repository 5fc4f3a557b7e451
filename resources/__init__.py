"""Data the program reads: policy packs, error catalogue, lexicons, limits, theme, icons, translations."""
