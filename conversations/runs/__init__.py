"""Start, find, follow, read, cancel and erase runs: every door does it with these functions."""
