"""`/api/files`."""
