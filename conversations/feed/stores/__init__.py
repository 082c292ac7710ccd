"""The stores of the feed: the database of one process, or Redis for many."""
