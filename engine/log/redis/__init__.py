"""The event log in Redis, for any number of processes."""
