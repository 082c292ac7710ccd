"""The usage of runs by the hour, and the budgets that limit it."""
