"""The only way to the rows of webhooks and their deliveries."""
