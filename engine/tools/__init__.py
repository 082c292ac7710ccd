"""What an agent can do besides writing."""
