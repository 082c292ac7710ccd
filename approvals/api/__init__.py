"""The HTTP API of standing approvals."""
