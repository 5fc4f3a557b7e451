"""Filters over people: the tree, its compiler to SQL, saved audiences, counts and samples."""
