"""The API over HTTP, without streams."""
