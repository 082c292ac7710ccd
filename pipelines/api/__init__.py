"""`/api/streaming`: pipelines, their items and what became of them."""
