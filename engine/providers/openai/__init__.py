"""The provider of all servers that speak Chat Completions."""
