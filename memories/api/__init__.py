"""The HTTP API of memories."""
