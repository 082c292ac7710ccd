"""The model server of the benchmark: upstream.c, and its twin in Python."""
