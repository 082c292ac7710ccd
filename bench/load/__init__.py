"""The clients of the benchmark: load.c, and their twin in Python."""
