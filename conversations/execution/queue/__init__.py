"""The queue of runs in PostgreSQL, and the workers that take its jobs."""
