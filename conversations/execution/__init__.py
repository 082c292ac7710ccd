"""Execution of accepted runs: they are claimed, driven, recorded, and recovered after a crash."""
