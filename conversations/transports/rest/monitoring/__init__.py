"""What an organisation is told by itself: alerts, and events over webhooks."""
