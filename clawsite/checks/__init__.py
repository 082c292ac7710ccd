"""The checks before the start."""
