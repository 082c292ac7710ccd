"""Vectors of passages, so that a search finds what means the same in other words."""
