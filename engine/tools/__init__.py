"""Tools: everything that an agent can do besides writing."""
