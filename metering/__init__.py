"""What runs have used, hour by hour, and the budgets of what they may use."""
