"""The guarded outbound HTTP client of everything that calls another server."""
