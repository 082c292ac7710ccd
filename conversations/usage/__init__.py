"""The usage of runs: totals for reports, and the spending that budgets are checked against."""
