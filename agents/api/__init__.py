"""REST of agents and keys: synchronous views, each one database step, mounted by the API."""
