"""The full-text search of messages: SQLite's FTS5, or an index of PostgreSQL."""
