"""`/api/usage` and `/api/budgets`."""
