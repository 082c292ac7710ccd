"""Full-text search over the chunks of an agent, on each database."""
