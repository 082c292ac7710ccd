"""`/api/agents/{id}/documents` and `/api/agents/{id}/search`."""
